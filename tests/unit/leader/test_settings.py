"""An administrator's parameters of a store, and their meaning."""

from __future__ import annotations

import traceback

import pytest
from lvsdr import leader
from lvsdr.leader.settings import GivenSettings, Secret, StoreSettings, UnusableSettings
from lvsdr.system.net.http import Trust

CERTIFICATES = GivenSettings(ca_file="/ca", cert_file="/crt", key_file="/key")


def meant(kind: str, given: GivenSettings) -> StoreSettings:
    return leader.build_settings(kind, "node1", given)


def problems(kind: str, given: GivenSettings) -> list[str]:
    with pytest.raises(UnusableSettings) as caught:
        meant(kind, given)
    return [f"{field}: {sentence}" for field, sentence in caught.value.field_problems]


@pytest.mark.parametrize(
    ("kind", "given", "endpoint", "key", "value"),
    [
        ("etcd", GivenSettings(key="/l"), "http://127.0.0.1:2379", "/l", "node1"),
        ("etcd", GivenSettings("a", "/l", "pg1"), "http://a:2379", "/l", "pg1"),
        ("consul", GivenSettings(key="service/l"), "http://127.0.0.1:8500", "service/l", "node1"),
        ("consul", GivenSettings(key="/service/l"), "http://127.0.0.1:8500", "service/l", "node1"),
        ("patroni", GivenSettings(), "http://127.0.0.1:8008", "/leader", "200"),
        (
            "patroni",
            GivenSettings("http://a/", "/replica?lag=10MB", "503"),
            "http://a:8008",
            "/replica?lag=10MB",
            "503",
        ),
        ("etcd", CERTIFICATES._replace(key="/l"), "https://127.0.0.1:2379", "/l", "node1"),
    ],
)
def test_the_settings_of_each_store(
    kind: str, given: GivenSettings, endpoint: str, key: str, value: str
) -> None:
    found = meant(kind, given)
    assert (str(found.endpoints[0]), found.key, found.value) == (endpoint, key, value)


def test_an_attribute_has_no_endpoints() -> None:
    found = meant("attribute", GivenSettings(key="pgsql-status", value="PRI"))
    assert (found.endpoints, found.key, found.value) == ((), "pgsql-status", "PRI")


def test_empty_settings_count_as_unset() -> None:
    assert meant("patroni", GivenSettings(*[""] * len(GivenSettings()))) == meant(
        "patroni", GivenSettings()
    )


def test_certificates() -> None:
    found = meant("consul", CERTIFICATES._replace(key="l", endpoints="a,http://b"))
    assert found.trust == Trust("/ca", "/crt", "/key")
    assert [endpoint.tls for endpoint in found.endpoints] == [True, False]


@pytest.mark.parametrize(
    ("kind", "given", "found"),
    [
        ("etcd", GivenSettings(), ["key: must be set: the key that holds the leader's name"]),
        (
            "consul",
            GivenSettings(key="/"),
            ["key: must be set: the key that holds the leader's name"],
        ),
        (
            "etcd",
            GivenSettings(endpoints="a:b", key="l"),
            ["endpoints: a:b has no port after its colon"],
        ),
        (
            "patroni",
            GivenSettings(key="a b"),
            ["key: /a b must be a path of Patroni's REST API, such as /leader"],
        ),
        (
            "patroni",
            GivenSettings(key="/replica?lag=1 MB"),
            ["key: /replica?lag=1 MB must be a path of Patroni's REST API, such as /leader"],
        ),
        (
            "patroni",
            GivenSettings(value="node1"),
            ["value: node1 must be the HTTP status of the leader, by default 200"],
        ),
        (
            "patroni",
            GivenSettings(value="99"),
            ["value: 99 must be the HTTP status of the leader, by default 200"],
        ),
        (
            "attribute",
            GivenSettings(),
            [
                "key: must be set: the name of the node attribute",
                "value: must be set: the value of the node attribute on the node that leads",
            ],
        ),
        (
            "attribute",
            GivenSettings(endpoints="a", key="k", value="v", ca_file="/ca"),
            ["endpoints: is not used with this store", "ca_file: is not used with this store"],
        ),
        (
            "etcd",
            GivenSettings(key="l", user="u"),
            ["user: goes together with password, which is not set"],
        ),
        (
            "etcd",
            GivenSettings(key="l", password="geheim"),
            ["password: goes together with user, which is not set"],
        ),
        ("etcd", GivenSettings(key="l", token="geheim"), ["token: is not used with this store"]),
        (
            "consul",
            GivenSettings(key="l", user="u", password="geheim"),
            ["user: is not used with this store", "password: is not used with this store"],
        ),
        (
            "etcd",
            GivenSettings(endpoints="https://a", key="l", cert_file="crt"),
            [
                "cert_file: goes together with key_file, which is not set",
                "cert_file: crt must be an absolute path",
            ],
        ),
        (
            "etcd",
            CERTIFICATES._replace(key="l", endpoints="http://a"),
            ["endpoints: no endpoint is https://, so the certificates would not be used"],
        ),
    ],
)
def test_contradictory_settings_are_refused(
    kind: str, given: GivenSettings, found: list[str]
) -> None:
    assert problems(kind, given) == found


@pytest.mark.parametrize("key", ["leader", "/leader"])
def test_a_path_of_patroni_begins_with_a_slash(key: str) -> None:
    assert meant("patroni", GivenSettings(key=key)).key == "/leader"


def test_all_problems_are_reported_at_once() -> None:
    given = GivenSettings("a:b", None, "", token="geheim", user="u")
    with pytest.raises(UnusableSettings) as caught:
        meant("etcd", given)
    assert [problem.field for problem in caught.value.field_problems] == [
        *("user", "token", "endpoints", "key")
    ]
    assert str(caught.value).count("; ") == 3


def test_secrets_are_not_shown() -> None:
    found = meant("etcd", GivenSettings(key="l", user="u", password="geheim"))
    assert found.password.reveal() == "geheim"
    shown = [repr(found), str(found), repr(Secret("geheim")), f"{found.password}"]
    assert not any("geheim" in text for text in shown)


def test_secrets_are_not_in_problems() -> None:
    given = GivenSettings(endpoints="http://u:geheim@a", password="geheim", token="geheim")
    with pytest.raises(UnusableSettings) as caught:
        meant("etcd", given)
    assert "geheim" not in "".join(traceback.format_exception(caught.type, caught.value, None))


def test_settings_with_other_secrets_are_others() -> None:
    one, other = (meant("consul", GivenSettings(key="l", token=token)) for token in ("a", "b"))
    assert one != other
    assert len({one.token, other.token, Secret("a")}) == 2
