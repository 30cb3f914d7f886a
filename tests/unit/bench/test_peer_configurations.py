"""The configurations of the peers: each names all real servers and the intended times."""

from __future__ import annotations

import re

import pytest

from tests.bench.peers import configurations
from tests.bench.peers.configurations import (
    HAPROXY_QUICK,
    HAPROXY_USUAL,
    KEEPALIVED_QUICK,
    KEEPALIVED_USUAL,
)

VIP, PORT, PRIMARY = "10.77.0.100", 5432, "10.77.0.12"
SERVERS = {"node1": "10.77.0.21", "node2": "10.77.0.22", "node3": "10.77.0.23"}
ALL = {
    "keepalived": configurations.keepalived(VIP, PORT, SERVERS, KEEPALIVED_USUAL),
    "haproxy": configurations.haproxy(VIP, PORT, SERVERS, HAPROXY_USUAL),
    "ldirectord": configurations.ldirectord(VIP, PORT, SERVERS, "/run/log"),
    "pgbouncer": configurations.pgbouncer(VIP, PORT, SERVERS, "/run/users"),
    "pgpool": configurations.pgpool(VIP, PORT, PRIMARY, SERVERS, "/run/pgpool"),
}


@pytest.mark.parametrize("name", ALL)
def test_a_configuration_names_the_address_and_each_server_once(name: str) -> None:
    addresses = re.findall(r"10\.77\.0\.\d+", ALL[name])
    assert sorted(set(addresses) - {PRIMARY}) == sorted([VIP, *SERVERS.values()])
    assert all(addresses.count(server) == 1 for server in SERVERS.values())


def test_keepalived_checks_each_server_with_the_times_of_the_check() -> None:
    text = ALL["keepalived"]
    assert text.count("{") == text.count("}") == 1 + 2 * len(SERVERS)
    assert text.count("delay_loop 6\n") == 1
    for setting in ("connect_timeout 3", "retry 3", "delay_before_retry 3"):
        assert text.count(f"            {setting}\n") == len(SERVERS)


def test_the_quick_settings_differ_from_the_usual_ones_only_in_times() -> None:
    quick = configurations.keepalived(VIP, PORT, SERVERS, KEEPALIVED_QUICK)
    assert without_numbers(quick) == without_numbers(ALL["keepalived"]) != quick
    quick = configurations.haproxy(VIP, PORT, SERVERS, HAPROXY_QUICK)
    assert without_numbers(quick) == without_numbers(ALL["haproxy"])
    assert "inter 1s fall 3 rise 2" in quick
    assert "inter 2s fall 3 rise 2" in ALL["haproxy"]


def test_pgpool_sends_no_reads_to_the_primary() -> None:
    settings = dict(line.split(" = ") for line in ALL["pgpool"].splitlines())
    assert settings["backend_hostname0"] == f"'{PRIMARY}'"
    assert [settings[f"backend_weight{number}"] for number in range(4)] == ["0", "1", "1", "1"]


def without_numbers(text: str) -> str:
    return re.sub(r"\d+", "N", text)
