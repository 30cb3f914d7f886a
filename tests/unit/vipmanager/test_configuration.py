"""The combined meaning of the options, and all errors in them at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.leader.gate import LeaderPolicy, Unreachable
from lvsdr.system.net.http import Endpoint, Trust
from lvsdr.vipmanager.address_machine import TakeoverRules
from lvsdr.vipmanager.configuration import Configuration, read_configuration
from lvsdr.vipmanager.option_sources import UnusableOptions, read_environment, read_file
from lvsdr.vipmanager.wanted_addresses import WantedAddress

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
    variables = {name: text for name, text in {**REFERENCE, **changes}.items() if text is not None}
    return read_configuration(read_environment(variables), "thishost")


def read_problems(changes: dict[str, str | None]) -> tuple[str, ...]:
    with pytest.raises(UnusableOptions) as raised:
        read(changes)
    return raised.value.problems


def test_the_reference_has_all_values() -> None:
    configuration = read({})
    assert configuration.addresses == (WantedAddress("192.168.0.100", 24, "eth0"),)
    assert configuration.store == "etcd"
    assert configuration.settings.endpoints == (Endpoint("etcd1", 2379), Endpoint("etcd2", 2379))
    assert (configuration.settings.key, configuration.settings.value) == (
        "/service/mycluster/leader",
        "node1",
    )
    assert configuration.policy == LeaderPolicy(
        grace=10.0, unreachable=Unreachable.RELEASE, settle=0.6
    )
    assert configuration.takeover_rules == TakeoverRules(takeover=5.0, retry=3.0, force=False)
    assert (configuration.interval, configuration.check_interval) == (1.0, 1.0)
    assert (configuration.log_level, configuration.keep_on_exit) == ("INFO", False)


def test_settle_is_longer_than_the_age_of_a_leader() -> None:
    """A new leader waits for longer than the old one may miss its loss."""
    policy = read({}).policy
    assert policy.settle > policy.no_leader_max_age


def test_addresses_share_or_list_prefixes_and_interfaces() -> None:
    both = "192.168.0.100,fd77::100"
    assert read({"VIP_IP": both, "VIP_NETMASK": "24,64"}).addresses == (
        WantedAddress("192.168.0.100", 24, "eth0"),
        WantedAddress("fd77::100", 64, "eth0"),
    )
    assert read({"VIP_IP": "192.168.0.100,10.0.0.9", "VIP_INTERFACE": "eth0,eth1"}).addresses == (
        WantedAddress("192.168.0.100", 24, "eth0"),
        WantedAddress("10.0.0.9", 24, "eth1"),
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
def test_key_and_value_have_defaults(changes: dict[str, str | None], key: str, value: str) -> None:
    settings = read(changes).settings
    assert (settings.key, settings.value) == (key, value)


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        *(("192.168.1.0", "23"), ("192.168.0.255", "23"), ("192.168.0.0", "31")),
        *(("192.168.0.255", "32"), ("fd77::ffff:ffff:ffff:ffff", "64"), ("fd77::", "127")),
    ],
)
def test_a_host_may_have_the_address(address: str, prefix: str) -> None:
    assert read({"VIP_IP": address, "VIP_NETMASK": prefix}).addresses[0].prefix == int(prefix)


@pytest.mark.parametrize("address", ["fd77::0011", "FD77:0:0::11", "fd77:0:0:0:0:0:0:11"])
def test_an_address_has_its_canonical_form(address: str) -> None:
    """An address is spelled as the kernel spells it, because it is compared with the kernel's."""
    assert read({"VIP_IP": address, "VIP_NETMASK": "64"}).addresses[0].address == "fd77::11"


def test_verbose_sets_the_level_debug() -> None:
    assert read({"VIP_VERBOSE": "true"}).log_level == "DEBUG"


def test_readable_certificates_are_accepted(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    path.write_text("")
    changes = {"VIP_ETCD_CA_FILE": str(path), "VIP_DCS_ENDPOINTS": "https://etcd1:2379"}
    assert read({**changes}).settings.trust.authority == str(path)


@pytest.mark.parametrize(
    ("changes", "message"),
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
        ({"VIP_IP": "10.9.0.1,10.9.0.1"}, "VIP_IP=10.9.0.1,10.9.0.1: contains an address twice"),
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
                f"VIP_IP={address}: is the {part} of its network, which no host can have",
            )
            for address, prefix, part in (
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
def test_an_invalid_option_has_one_message(changes: dict[str, str | None], message: str) -> None:
    assert read_problems(changes) == (message,)


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
        ({"VIP_INTERVAL": "50"}, "VIP_INTERVAL=50: the store is queried every 100 ms at most"),
        (
            {**PATRONI, "VIP_DCS_GRACE": "10"},
            "VIP_DCS_GRACE=10: patroni gives no lease, so the address stays 2 s without its answer",
        ),
    ],
)
def test_an_option_without_effect_causes_a_warning(
    changes: dict[str, str | None], warning: str
) -> None:
    assert read(changes).warnings == (warning,)


def test_relative_files_are_accepted_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").write_text("")
    configuration = read({"VIP_ETCD_CA_FILE": "ca.pem", "VIP_DCS_ENDPOINTS": "https://etcd1:2379"})
    assert configuration.settings.trust.authority == str(tmp_path / "ca.pem")
    assert configuration.warnings == (
        f"VIP_ETCD_CA_FILE=ca.pem: is relative, and stands for {tmp_path}/ca.pem",
    )
    configuration = read({"VIP_ETCD_CA_FILE": str(tmp_path / "ca.pem")})
    assert configuration.settings.trust == Trust()
    assert configuration.warnings == ("VIP_ETCD_CA_FILE is not used: no endpoint is https://",)


@pytest.mark.parametrize("text", ["1", "t", "T", "true", "TRUE", "True", "yes", "on"])
def test_spellings_of_true_in_go_are_accepted(text: str) -> None:
    assert read({"VIP_VERBOSE": text}).log_level == "DEBUG"


@pytest.mark.parametrize("text", ["0", "f", "F", "false", "FALSE", "False", "no", "off"])
def test_spellings_of_false_in_go_are_accepted(text: str) -> None:
    assert read({"VIP_VERBOSE": text}).log_level == "INFO"


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
def test_the_samples_of_cybertecs_vip_manager_are_accepted(version: str, tmp_path: Path) -> None:
    path = tmp_path / "vip-manager.yml"
    path.write_text(SAMPLES[version])
    configuration = read_configuration(read_file(str(path)), "thishost")
    assert configuration.addresses == (WantedAddress("192.0.2.123", 24, "enp0s3"),)
    assert (configuration.store, configuration.settings.value) == ("etcd", "member1")
    assert configuration.settings.endpoints[0] == Endpoint("127.0.0.1", 2379)
    assert any("no effect any more" in warning for warning in configuration.warnings)
    assert not any("one's" in warning for warning in configuration.warnings)


def test_all_problems_are_reported_at_once() -> None:
    problems = read_problems({"VIP_IP": "x", "VIP_INTERVAL": "y", "VIP_INTERFACE": None})
    assert [problem.split("=")[0] for problem in problems] == [
        "VIP_IP",
        "VIP_INTERVAL",
        "VIP_INTERFACE must be set",
    ]


def test_the_representation_has_no_secret() -> None:
    configuration = read({"VIP_ETCD_USER": "u", "VIP_ETCD_PASSWORD": "geheim"})
    assert "geheim" not in repr(configuration)
