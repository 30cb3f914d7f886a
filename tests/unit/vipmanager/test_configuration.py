"""The combined meaning of the options, and all errors in them at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.leader.gate import LeaderPolicy, Unreachable
from lvsdr.system.net.http import Endpoint, Trust
from lvsdr.vipmanager.address_machine import Rules
from lvsdr.vipmanager.configuration import Configuration, Wanted, configured
from lvsdr.vipmanager.option_sources import Unusable, environment, file

REFERENCE = {
    "VIP_INTERFACE": "eth0",
    "VIP_IP": "192.168.0.100",
    "VIP_NETMASK": "24",
    "VIP_DCS_TYPE": "etcd",
    "VIP_DCS_ENDPOINTS": "http://etcd1:2379,http://etcd2:2379",
    "VIP_TRIGGER_KEY": "/service/mycluster/leader",
    "VIP_TRIGGER_VALUE": "node1",
    "VIP_MANAGER_TYPE": "basic",
}


def read(changes: dict[str, str | None]) -> Configuration:
    given = {name: text for name, text in {**REFERENCE, **changes}.items() if text is not None}
    return configured(environment(given), "thishost")


def problems(changes: dict[str, str | None]) -> tuple[str, ...]:
    with pytest.raises(Unusable) as raised:
        read(changes)
    return raised.value.problems


def test_the_reference() -> None:
    found = read({})
    assert found.wanted == (Wanted("192.168.0.100", 24, "eth0"),)
    assert found.store == "etcd"
    assert found.settings.endpoints == (Endpoint("etcd1", 2379), Endpoint("etcd2", 2379))
    assert (found.settings.key, found.settings.value) == ("/service/mycluster/leader", "node1")
    assert found.policy == LeaderPolicy(grace=10.0, unreachable=Unreachable.RELEASE, settle=0.6)
    assert found.rules == Rules(takeover=5.0, retry=3.0, force=False)
    assert (found.interval, found.keepalive) == (1.0, 1.0)
    assert (found.level, found.keep_on_exit) == ("INFO", False)


def test_the_policy_is_safe() -> None:
    """A new holder waits for longer than the old one may be ignorant of its loss."""
    policy = read({}).policy
    assert policy.settle > policy.no_leader_max_age


def test_several_addresses() -> None:
    both = "192.168.0.100,fd77::100"
    assert read({"VIP_IP": both, "VIP_NETMASK": "24,64"}).wanted == (
        Wanted("192.168.0.100", 24, "eth0"),
        Wanted("fd77::100", 64, "eth0"),
    )
    assert read({"VIP_IP": "192.168.0.100,10.0.0.9", "VIP_INTERFACE": "eth0,eth1"}).wanted == (
        Wanted("192.168.0.100", 24, "eth0"),
        Wanted("10.0.0.9", 24, "eth1"),
    )


@pytest.mark.parametrize(
    ("changes", "key", "value"),
    [
        ({"VIP_TRIGGER_VALUE": None}, "/service/mycluster/leader", "thishost"),
        (
            {"VIP_DCS_TYPE": "patroni", "VIP_TRIGGER_KEY": None, "VIP_TRIGGER_VALUE": None},
            "/leader",
            "200",
        ),
    ],
    ids=["the host's name", "patroni"],
)
def test_defaults_of_the_store(changes: dict[str, str | None], key: str, value: str) -> None:
    settings = read(changes).settings
    assert (settings.key, settings.value) == (key, value)


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        *(("192.168.1.0", "23"), ("192.168.0.255", "23"), ("192.168.0.0", "31")),
        *(("192.168.0.255", "32"), ("fd77::ffff:ffff:ffff:ffff", "64"), ("fd77::", "127")),
    ],
)
def test_an_address_of_a_host(address: str, prefix: str) -> None:
    assert read({"VIP_IP": address, "VIP_NETMASK": prefix}).wanted[0].prefix == int(prefix)


@pytest.mark.parametrize("address", ["fd77::0011", "FD77:0:0::11", "fd77:0:0:0:0:0:0:11"])
def test_an_address_has_one_spelling(address: str) -> None:
    """An address is spelled as the kernel spells it, because it is compared with the kernel's."""
    assert read({"VIP_IP": address, "VIP_NETMASK": "64"}).wanted[0].address == "fd77::11"


def test_verbose_is_a_level() -> None:
    assert read({"VIP_VERBOSE": "true"}).level == "DEBUG"


def test_certificates_that_can_be_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    path.write_text("")
    changes = {"VIP_ETCD_CA_FILE": str(path), "VIP_DCS_ENDPOINTS": "https://etcd1:2379"}
    assert read({**changes}).settings.trust.authority == str(path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"VIP_NETMASK": "33"}, "VIP_NETMASK=33: must be from 1 to 32 for 192.168.0.100"),
        (
            {"VIP_NETMASK": "0"},
            "VIP_NETMASK=0: must be a prefix length (1 to 32, for IPv6 to 128) or an IPv4 "
            "netmask: 0",
        ),
        (
            {"VIP_DCS_TYPE": "zookeeper"},
            "VIP_DCS_TYPE=zookeeper: must be etcd, consul or patroni",
        ),
        (
            {"VIP_DCS_ENDPOINTS": "ftp://10.0.0.1"},
            "VIP_DCS_ENDPOINTS: ftp://10.0.0.1 is neither http:// nor https://",
        ),
        (
            {"VIP_TRIGGER_KEY": None},
            "VIP_TRIGGER_KEY: must be set: the key that holds the leader's name",
        ),
        ({"VIP_TRIGGER_KEY": ""}, "VIP_TRIGGER_KEY must not be empty"),
        ({"VIP_TRIGGER_VALUE": ""}, "VIP_TRIGGER_VALUE must not be empty"),
        ({"VIP_IP": None}, "VIP_IP must be set"),
        ({"VIP_IP": "10.9.0.1,10.9.0.1"}, "VIP_IP=10.9.0.1,10.9.0.1: names an address twice"),
        (
            {"VIP_IP": "10.9.0.1,10.9.0.2,10.9.0.3", "VIP_INTERFACE": "eth0,eth1"},
            "VIP_INTERFACE=eth0,eth1: must be one for all addresses, or one for each of the 3",
        ),
        (
            {"VIP_IP": "fd77::1,10.9.0.2", "VIP_NETMASK": "64"},
            "VIP_NETMASK=64: cannot be for IPv4 and IPv6 addresses alike; set one for each, "
            "such as 64,24",
        ),
        (
            {"VIP_IP": "10.9.0.2,10.9.0.3,fd77::1", "VIP_NETMASK": "24"},
            "VIP_NETMASK=24: cannot be for IPv4 and IPv6 addresses alike; set one for each, "
            "such as 24,24,64",
        ),
        *(
            (
                {"VIP_IP": address, "VIP_NETMASK": prefix},
                f"VIP_IP={address}: is the {what} of its network, which no host can have",
            )
            for address, prefix, what in (
                ("192.168.0.0", "24", "address"),
                ("192.168.0.255", "24", "broadcast address"),
                ("192.168.1.255", "23", "broadcast address"),
                ("192.168.0.4", "30", "address"),
                ("fd77::", "64", "address"),
            )
        ),
        (
            {"VIP_IP": "fd77::1", "VIP_NETMASK": "255.255.255.0"},
            "VIP_NETMASK=255.255.255.0: fd77::1 is IPv6 and needs a prefix length",
        ),
        (
            {"VIP_NETMASK": "024"},
            "VIP_NETMASK=024: must be a prefix length (1 to 32, for IPv6 to 128) or an IPv4 "
            "netmask: 024",
        ),
        *(
            (
                {"VIP_IP": address},
                f"VIP_IP={address}: must be unicast IPv4 or IPv6 addresses, without prefix or "
                f"zone: {address}{' is an IPv4 address in the form of IPv6' * (':' in address)}",
            )
            for address in (
                *("::ffff:10.9.0.100", "::ffff:a09:64", "0:0:0:0:0:FFFF:0a09:0064"),
                *("::10.9.0.100", "::a09:64", "010.9.0.100", "10.9.0.0100", "0x0a.9.0.1"),
            )
        ),
        (
            {"VIP_IP": "fe80::1%eth0"},
            "VIP_IP=fe80::1%eth0: must be unicast IPv4 or IPv6 addresses, without prefix or "
            "zone: fe80::1%eth0",
        ),
        (
            {"VIP_ETCD_CA_FILE": "/nosuch/ca.pem", "VIP_DCS_ENDPOINTS": "https://etcd1"},
            "VIP_ETCD_CA_FILE=/nosuch/ca.pem: cannot be read: No such file or directory",
        ),
        (
            {"VIP_ETCD_PASSWORD": "secret"},
            "VIP_ETCD_PASSWORD: goes together with user, which is not set",
        ),
        ({"VIP_MANAGER_TYPE": "hetzner"}, "VIP_MANAGER_TYPE=hetzner: must be basic"),
    ],
)
def test_one_thing_is_wrong(changes: dict[str, str | None], says: str) -> None:
    assert problems(changes) == (says,)


PATRONI = {"VIP_DCS_TYPE": "patroni", "VIP_TRIGGER_KEY": None, "VIP_TRIGGER_VALUE": None}


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"VIP_CONSUL_TOKEN": "secret"}, "VIP_CONSUL_TOKEN is not used with etcd"),
        ({"VIP_ETCD_USER": "u"}, "VIP_ETCD_USER is not used without a password"),
        (
            {"VIP_DCS_TYPE": "consul", "VIP_ETCD_PASSWORD": "secret"},
            "VIP_ETCD_PASSWORD is not used with consul",
        ),
        (
            {"VIP_DCS_ENDPOINTS": "10.0.0.1:2379"},
            "VIP_DCS_ENDPOINTS: an endpoint has no http:// or https://",
        ),
        ({"VIP_INTERVAL": "50"}, "VIP_INTERVAL=50: the store is asked every 100 ms at most"),
        (
            {**PATRONI, "VIP_DCS_GRACE": "10"},
            "VIP_DCS_GRACE=10: patroni gives no lease, so the address stays 2 s while it is silent",
        ),
    ],
)
def test_what_has_no_effect_is_accepted_with_a_warning(
    changes: dict[str, str | None], warning: str
) -> None:
    assert read(changes).warnings == (warning,)


def test_files_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").write_text("")
    found = read({"VIP_ETCD_CA_FILE": "ca.pem", "VIP_DCS_ENDPOINTS": "https://etcd1:2379"})
    assert found.settings.trust.authority == str(tmp_path / "ca.pem")
    assert found.warnings == (
        f"VIP_ETCD_CA_FILE=ca.pem: is relative, and stands for {tmp_path}/ca.pem",
    )
    found = read({"VIP_ETCD_CA_FILE": str(tmp_path / "ca.pem")})
    assert found.settings.trust == Trust()
    assert found.warnings == ("VIP_ETCD_CA_FILE is not used: no endpoint is https://",)


@pytest.mark.parametrize("text", ["1", "t", "T", "true", "TRUE", "True", "yes", "on"])
def test_true_as_go_has_it(text: str) -> None:
    assert read({"VIP_VERBOSE": text}).level == "DEBUG"


@pytest.mark.parametrize("text", ["0", "f", "F", "false", "FALSE", "False", "no", "off"])
def test_false_as_go_has_it(text: str) -> None:
    assert read({"VIP_VERBOSE": text}).level == "INFO"


# The keys that the samples of Cybertec's packages set, in versions 0.6, 1 to 4, and 5.
SAMPLES = {
    "0.6": """
interval: 1000
key: "/service/pgcluster/leader"
nodename: "member1"
ip: 192.0.2.123
mask: 24
iface: enp0s3
hosting_type: basic
endpoint_type: etcd
endpoints:
  - http://127.0.0.1:2379
  - https://192.0.2.42:2379
etcd_user: "user"
etcd_password: "one's password"
consul_token: "one's token"
retry_num: 2
retry_after: 250
""",
    "1 to 4": """
interval: 1000
trigger-key: "/service/pgcluster/leader"
trigger-value: "member1"
ip: 192.0.2.123
netmask: 24
interface: enp0s3
hosting-type: basic
dcs-type: etcd
dcs-endpoints:
  - http://127.0.0.1:2379
  - https://192.0.2.42:2379
etcd-user: "user"
etcd-password: "one's password"
consul-token: "one's token"
retry-num: 2
retry-after: 250
verbose: false
""",
    "5": """
interval: 1000
trigger-key: "/service/pgcluster/leader"
trigger-value: "member1"
ip: 192.0.2.123
netmask: 24
interface: enp0s3
manager-type: basic
dcs-type: etcd3
dcs-endpoints: [ "127.0.0.1:2379" ]
etcd-user:
etcd-password:
etcd-ca-file:
etcd-cert-file:
etcd-key-file:
consul-token: ""
retry-num: -1
retry-after: 250
verbose: T
""",
}


@pytest.mark.parametrize("version", SAMPLES)
def test_the_samples_of_the_other_one_are_accepted(version: str, tmp_path: Path) -> None:
    path = tmp_path / "vip-manager.yml"
    path.write_text(SAMPLES[version])
    found = configured(file(str(path)), "thishost")
    assert found.wanted == (Wanted("192.0.2.123", 24, "enp0s3"),)
    assert (found.store, found.settings.value) == ("etcd", "member1")
    assert found.settings.endpoints[0] == Endpoint("127.0.0.1", 2379)
    assert any("not used any more" in warning for warning in found.warnings)
    assert not any("one's" in warning for warning in found.warnings)


def test_all_things_are_wrong_at_once() -> None:
    found = problems({"VIP_IP": "x", "VIP_INTERVAL": "y", "VIP_INTERFACE": None})
    assert [problem.split("=")[0] for problem in found] == [
        "VIP_IP",
        "VIP_INTERVAL",
        "VIP_INTERFACE must be set",
    ]


def test_no_secret_is_shown() -> None:
    found = read({"VIP_ETCD_USER": "u", "VIP_ETCD_PASSWORD": "geheim"})
    assert "geheim" not in repr(found)
