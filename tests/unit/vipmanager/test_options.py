"""The table of options is complete and consistent."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from lvsdr.vipmanager.option_names import AGENT_NAMES, CURRENT_NAMES, UNUSED_OPTIONS
from lvsdr.vipmanager.options import OPTIONS, Option

BY_NAME = {option.name: option for option in OPTIONS}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_option_is_complete(option: Option) -> None:
    assert option.help.endswith(".")
    assert option.name == option.name.lower().replace("_", "-")
    if option.default is not None:
        option.parse(option.default)


def test_each_name_belongs_to_one_option() -> None:
    names = Counter(name for option in OPTIONS for name in (option.name, *option.old_names))
    names.update(list(AGENT_NAMES))
    assert [name for name, number in names.items() if number > 1] == []
    assert set(CURRENT_NAMES) == set(names)


# The options and keys of Cybertec's vip-manager, from its first versions to 5.0.
CYBERTEC_NAMES = """
    config version ip netmask interface trigger-key trigger-value manager-type dcs-type
    dcs-endpoints etcd-user etcd-password etcd-ca-file etcd-cert-file etcd-key-file consul-token
    interval retry-after retry-num verbose mask iface key nodename host type endpoint_type
    endpoint endpoints hostingtype hosting_type hosting-type etcd_user etcd_password
    consul_token retry_num retry_after
"""


@pytest.mark.parametrize("name", CYBERTEC_NAMES.split())
def test_the_names_of_cybertecs_vip_manager_are_accepted(name: str) -> None:
    assert name.replace("_", "-") in {*CURRENT_NAMES, "config", "version"}


def test_unused_options_are_declared() -> None:
    assert set(UNUSED_OPTIONS) <= set(BY_NAME)


def parse_option(name: str, text: str) -> object:
    return BY_NAME[name].parse(text)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("ip", "10.9.0.20", ("10.9.0.20",)),
        ("ip", "10.9.0.20, FD77:0::20", ("10.9.0.20", "fd77::20")),
        ("netmask", "24", (24,)),
        ("netmask", "255.255.255.0,64", (24, 64)),
        ("interface", "eth0 bond0.12", ("eth0", "bond0.12")),
        ("dcs-type", "etcd3", "etcd"),
        ("dcs-type", "Consul", "consul"),
        ("interval", "1500", 1.5),
        ("keepalive-period", "0.5", 0.5),
        ("force-takeover", "yes", True),
        ("loglevel", "debug", "DEBUG"),
        ("metrics-listen", "9345", ("127.0.0.1", 9345)),
        ("metrics-listen", "[::1]:9345", ("::1", 9345)),
        ("metrics-listen", "0.0.0.0:80", ("0.0.0.0", 80)),
    ],
)
def test_a_legal_text_is_parsed(name: str, text: str, value: object) -> None:
    assert parse_option(name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("ip", "10.9.0.20/24", "must be unicast IPv4 or IPv6 addresses"),
        ("ip", "10.9.0.256", "10.9.0.256"),
        ("ip", "127.0.0.1", "unicast"),
        ("ip", "fe80::1%eth0", "without prefix or zone"),
        ("ip", ",", "must be"),
        ("netmask", "0", "must be a prefix length (1 to 32, for IPv6 to 128)"),
        ("netmask", "-1", "must be a prefix length"),
        ("netmask", "129", "must be a prefix length"),
        ("netmask", "255.0.255.0", "netmask"),
        ("netmask", "255.255", "netmask"),
        ("interface", "eth0:1", "the name of a network interface"),
        ("dcs-type", "zookeeper", "must be etcd, consul or patroni"),
        ("manager-type", "hetzner", "must be basic"),
        ("interval", "1y", "must be a number of milliseconds from 0 to 86400000"),
        ("interval", "-1", "from 0"),
        ("retry-timeout", "0", "must be a number of seconds from 0.1 to 86400"),
        ("takeover-timeout", "nan", "number of seconds"),
        ("settle", "0.5", "from 0.6"),
        ("force-takeover", "perhaps", "true or false"),
        ("on-dcs-unreachable", "panic", "must be release or keep"),
        ("loglevel", "LOUD", "must be DEBUG, INFO, WARNING or ERROR"),
        ("etcd-ca-file", "", "must be the path of a file"),
        ("metrics-listen", "localhost:9345", "must be a port, or an address and a port"),
        ("metrics-listen", "0", "must be a port"),
    ],
)
def test_an_illegal_text_is_an_error(name: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_option(name, text)
