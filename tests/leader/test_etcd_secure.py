"""A real member of etcd that requires certificates, a user and a password."""

from __future__ import annotations

import pytest
from lvsdr.leader.gate import Leadership, State
from lvsdr.leader.settings import GivenSettings

from tests.leader.certificates import Authority
from tests.leader.conftest import PASSWORD
from tests.leader.etcd import KEY, Cluster
from tests.leader.network import Host
from tests.leader.store_queries import following, open_store, query_store
from tests.support.waiting import wait_until


@pytest.fixture
def given(secure: Cluster, authority: Authority) -> GivenSettings:
    """Return complete and correct settings."""
    return GivenSettings(
        endpoints=secure.endpoints[0],
        key=KEY,
        ca_file=authority.certificate,
        cert_file=authority.file("nameless.crt"),
        key_file=authority.file("nameless.key"),
        user="reader",
        password=PASSWORD,
    )


def said(hosts: dict[str, Host], given: GivenSettings) -> Leadership:
    return query_store(hosts["node1"], open_store("etcd", given)).leadership


def test_with_all_that_is_needed(hosts: dict[str, Host], given: GivenSettings) -> None:
    assert said(hosts, given).state is State.LEADER


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"cert_file": None, "key_file": None}, "https://"),
        ({"user": None, "password": None}, "etcdserver: permission denied"),
        ({"password": "wrong"}, "invalid user ID or password"),
        ({"key": f"{KEY}s"}, "etcdserver: permission denied"),
        ({"ca_file": "/no/such/file"}, "cannot read /no/such/file: No such file or directory"),
        ({"ca_file": "/etc/hostname"}, "no certificate"),
    ],
    ids=["certificate", "user", "password", "key", "file", "no certificates"],
)
def test_without_one_of_them(
    hosts: dict[str, Host], given: GivenSettings, changed: dict[str, str | None], reason: str
) -> None:
    found = said(hosts, given._replace(**changed))
    assert found.state is State.UNKNOWN
    assert reason in found.reason
    assert "wrong" not in found.reason


def test_a_certificate_with_a_common_name(
    hosts: dict[str, Host], given: GivenSettings, authority: Authority
) -> None:
    """The gateway refuses a certificate with a CommonName, because that could be a user."""
    files = {"cert_file": authority.file("client.crt"), "key_file": authority.file("client.key")}
    found = said(hosts, given._replace(**files))
    assert found.state is State.UNKNOWN
    assert "CommonName" in found.reason


def test_a_server_with_a_certificate_of_another_authority(
    hosts: dict[str, Host], given: GivenSettings, authority: Authority
) -> None:
    other = Authority(authority.directory / "other")
    found = said(hosts, given._replace(ca_file=other.certificate))
    assert found.state is State.UNKNOWN
    assert "certificate is not valid" in found.reason


def test_a_server_with_the_certificate_of_another_address(
    hosts: dict[str, Host], given: GivenSettings, secure: Cluster
) -> None:
    host = hosts["secure"]
    another = f"{host.front}4"
    host.run(["ip", "address", "add", f"{another}/24", "dev", "front"])
    where = secure.endpoints[0].replace(host.front, another)
    found = said(hosts, given._replace(endpoints=where))
    assert found.state is State.UNKNOWN
    assert "doesn't match" in found.reason


def test_a_token_that_is_no_longer_valid(
    hosts: dict[str, Host], given: GivenSettings, secure: Cluster
) -> None:
    """A token may become invalid, as after its time to live, which is too long for a test."""
    store = open_store("etcd", given)
    with following(hosts["node1"], store) as followed:
        wait_until(lambda: followed.says(State.LEADER))
        secure.ctl("auth", "disable")
        secure.ctl("auth", "enable")
        secure.put("node2")
        wait_until(lambda: followed.says(State.FOLLOWER))
        secure.restart(0)
        wait_until(secure.healthy)
        secure.put("node1")
        wait_until(lambda: followed.says(State.LEADER))
