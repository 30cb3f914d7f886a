"""The two texts of the table, as real kernels and the real ipvsadm print them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from lvsdr.errors import LvsdrError
from lvsdr.ipvs.table import (
    LOCAL,
    Connections,
    RealServer,
    RealServerConfig,
    RealServerKey,
    Service,
    ServiceConfig,
    ServiceKey,
    WantedTable,
)
from lvsdr.ipvs.text import count_unfinished, is_full_in_proc, parse_proc, parse_saved

from tests.unit.ipvs import tables
from tests.unit.ipvs.tables import kernel_with, plain

HEADING = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
"""
PROC = (
    HEADING
    + """\
UDP  0A4D0064:0035 wrr ops  
  -> 0A4D000B:0035      Tunnel  1      0          0         
TCP  0A4D0064:1538 rr  
  -> 0A4D000C:1538      Route   0      3          1         
  -> 0A4D000B:1538      Route   1      12         0         
UDP  [fd77:0000:0000:0000:0000:0000:0000:0100]:0035 rr 
TCP  [fd77:0000:0000:0000:0000:0000:0000:0100]:1538 sh persistent 30000 40000000
  -> [fd77:0000:0000:0000:0000:0000:0000:0011]:1538      Route   5      0          0         
TCP  0A4D0064:0050 mh  persistent 10000 FFFFFF00
  -> 0A4D000D:1F90      Masq    2      0          0         
TCP  0A4D0064:0051 rr  persistent 36000 FFFFFFFF
FWM  00000007 rr 
"""  # noqa: W291
)
SAVED = """\
-A -t 10.77.0.100:80 -s mh -p 100 -M 255.255.255.0 -b mh-port
-a -t 10.77.0.100:80 -r 10.77.0.13:8080 -m -w 2
-A -t 10.77.0.100:81 -s rr -p 360
-A -t 10.77.0.100:5432 -s rr
-a -t 10.77.0.100:5432 -r 10.77.0.11:5432 -g -w 1
-a -t 10.77.0.100:5432 -r 10.77.0.12:5432 -g -w 0
-A -u 10.77.0.100:53 -s wrr -o
-a -u 10.77.0.100:53 -r 10.77.0.11:53 -i -w 1 --tun-type ipip
-A -t [fd77::100]:5432 -s sh -p 300 -M 64 -b sh-fallback,sh-port
-a -t [fd77::100]:5432 -r [fd77::11]:5432 -g -w 5
-A -u [fd77::100]:53 -s rr -o
-A -f 7 -s rr
"""
READ_FROM_BOTH = {
    ServiceKey("udp", "10.77.0.100", 53): {
        RealServerKey("10.77.0.11", 53): RealServerConfig("ipip", 1)
    },
    ServiceKey("tcp", "10.77.0.100", 5432): {
        RealServerKey("10.77.0.12", 5432): RealServerConfig("gate", 0),
        RealServerKey("10.77.0.11", 5432): RealServerConfig("gate", 1),
    },
    ServiceKey("udp", "fd77::100", 53): {},
    ServiceKey("tcp", "fd77::100", 5432): {
        RealServerKey("fd77::11", 5432): RealServerConfig("gate", 5)
    },
    ServiceKey("tcp", "10.77.0.100", 80): {
        RealServerKey("10.77.0.13", 8080): RealServerConfig("masq", 2)
    },
    ServiceKey("tcp", "10.77.0.100", 81): {},
    ServiceKey("fwm", "", 7): {},
}
KEY = ServiceKey("tcp", "10.77.0.100", 5432)


def test_real_servers_are_in_both() -> None:
    assert {key: s.real_servers for key, s in plain(parse_proc(PROC)).items()} == READ_FROM_BOTH
    assert {key: s.real_servers for key, s in plain(parse_saved(SAVED)).items()} == READ_FROM_BOTH


def test_proc_shows_some_configurations_completely() -> None:
    found = {key[1:]: service.config for key, service in parse_proc(PROC).items()}
    assert found == {
        ("10.77.0.100", 53): ServiceConfig("wrr", one_packet=True),
        ("10.77.0.100", 5432): ServiceConfig("rr"),
        ("fd77::100", 53): ServiceConfig("rr"),  # the kernel does not show its ops
        ("fd77::100", 5432): ServiceConfig("sh", persistence=0, netmask="64"),
        ("10.77.0.100", 80): ServiceConfig("mh", persistence=0, netmask="255.255.255.0"),
        ("10.77.0.100", 81): ServiceConfig("rr", persistence=0),
        ("", 7): ServiceConfig("rr"),
    }


def test_configurations_are_saved_in_full() -> None:
    found = {key[1:]: service.config for key, service in parse_saved(SAVED).items()}
    assert found == {
        ("10.77.0.100", 80): ServiceConfig("mh", 100, "255.255.255.0", flags=("mh-port",)),
        ("10.77.0.100", 81): ServiceConfig("rr", 360),
        ("10.77.0.100", 5432): ServiceConfig("rr"),
        ("10.77.0.100", 53): ServiceConfig("wrr", one_packet=True),
        ("fd77::100", 5432): ServiceConfig("sh", 300, "64", flags=("sh-fallback", "sh-port")),
        ("fd77::100", 53): ServiceConfig("rr", one_packet=True),
        ("", 7): ServiceConfig("rr"),
    }


def test_proc_has_the_counters() -> None:
    servers = parse_proc(PROC)[KEY].real_servers
    assert [server.connections for server in servers.values()] == [
        Connections(active=3, inactive=1),
        Connections(active=12, inactive=0),
    ]


def test_a_real_server_on_this_host_is_local_in_old_kernels() -> None:
    line = "  -> 7F000001:1538      Local   1      0          0         \n"
    table = parse_proc(f"{HEADING}TCP  0A4D0064:1538 rr  \n{line}")
    [server] = table[KEY].real_servers.values()
    assert server.config == RealServerConfig(LOCAL, 1)


@pytest.mark.parametrize("text", ["", HEADING])
def test_an_empty_table(text: str) -> None:
    assert parse_proc(text) == {} == parse_saved("")


@pytest.mark.parametrize(
    ("line", "config"),
    [
        ("-s rr -p 10 -M 255.0.255.0", ServiceConfig("rr", 10, "255.0.255.0")),
        ("-s rr -p 10 -M 0.0.0.0", ServiceConfig("rr", 10, "0.0.0.0")),
        ("-s rr --pe sip", ServiceConfig("rr", engine="sip")),
        ("-s private", ServiceConfig("private")),
        ("-s sh -b ", ServiceConfig("sh")),
        ("-s rr -p 60 --pe sip -o", ServiceConfig("rr", 60, engine="sip", one_packet=True)),
    ],
)
def test_foreign_services_are_read(line: str, config: ServiceConfig) -> None:
    """Services of others are read, even with options that this project would refuse."""
    assert parse_saved(f"-A -t 10.77.0.100:5432 {line}\n") == {KEY: Service(config, {})}


def test_an_ipv6_mark_is_read() -> None:
    text = "-A -f 8 -6 -s rr\n-a -f 8 -6 -r [fd77::11]:0 -g -w 1\n"
    servers = {RealServerKey("fd77::11", 0): RealServer(RealServerConfig("gate", 1))}
    assert parse_saved(text) == {ServiceKey("fwm", "", 8): Service(ServiceConfig("rr"), servers)}


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        "",
        "TCP",
        "TCP  0A4D0064 rr",
        "TCP  XXXXXXXX:1538 rr",
        "TCP  0A4D0064:1538",
        "TCP  0A4D0064:1538 rr persistent",
        "FWM  seven rr",
        "  -> 0A4D000C:1538      Nowhere 0      3          1",
        "  -> 0A4D000C:1538      Route   x      3          1",
        "  -> 0A4D000C:1538      Route   1",
        "  -> [fd77::zz]:1538      Route   1 0 0",
    ],
)
def test_a_strange_line_of_proc_is_an_error(line: str) -> None:
    with pytest.raises(LvsdrError) as raised:
        parse_proc(f"{PROC}{line}\n")
    assert str(raised.value) == f"/proc/net/ip_vs: cannot read the line {line!r}"


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        "",
        "-A",
        "-A -x 10.77.0.100:5432 -s rr",
        "-A -t 10.77.0.100 -s rr",
        "-A -t 10.77.0.100:5432",
        "-A -t 10.77.0.100:5432 -s rr -p",
        "-A -t [fd77::zz]:5432 -s rr",
        "-a -t 10.9.9.9:5432 -r 10.77.0.11:5432 -g -w 1",
        "-a -t 10.77.0.100:5432 -r 10.77.0.11:5432 -g",
        "-a -t 10.77.0.100:5432 -r 10.77.0.11:5432 -x -w 1",
        "-a -t 10.77.0.100:5432 -g -w 1",
    ],
)
def test_a_strange_saved_line_is_an_error(line: str) -> None:
    with pytest.raises(LvsdrError) as raised:
        parse_saved(f"{SAVED}{line}\n")
    assert str(raised.value) == f"ipvsadm -Sn: cannot read the line {line!r}"


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(tables.tables)
def test_proc_and_saved_agree_where_proc_shows_all(table: WantedTable) -> None:
    kernel = kernel_with(table)
    proc, saved = parse_proc(kernel.proc()), plain(parse_saved(kernel.saved()))
    assert saved == table
    for key, service in plain(proc).items():
        assert service.real_servers == table[key].real_servers
        if is_full_in_proc(table[key].config, key):
            assert service.config == table[key].config


@pytest.mark.parametrize(
    ("config", "key", "shows"),
    [
        (ServiceConfig("rr"), KEY, True),
        (ServiceConfig("rr", one_packet=True), ServiceKey("udp", "10.77.0.100", 53), True),
        (ServiceConfig("rr"), ServiceKey("tcp", "fd77::100", 53), True),
        (ServiceConfig("rr"), ServiceKey("udp", "fd77::100", 53), False),
        (ServiceConfig("rr", persistence=60), KEY, False),
        (ServiceConfig("rr", flags=("flag-1",)), KEY, False),
        (ServiceConfig("sh"), KEY, False),
        (ServiceConfig("mh"), KEY, False),
    ],
)
def test_proc_hides_some_differences(config: ServiceConfig, key: ServiceKey, shows: bool) -> None:
    assert is_full_in_proc(config, key) is shows


def test_connections_over_ipv6() -> None:
    client, vip, one = (
        f"fd77:0000:0000:0000:0000:0000:0000:{end}" for end in ("0001", "0100", "0011")
    )
    lines = [
        f"TCP {client} A3F2 {vip} 1538 {one} 1538 CLOSE_WAIT       58",
        f"TCP {client} A3F3 {vip} 1538 {one} 1538 TIME_WAIT       118",
        f"UDP {client} A3F3 {vip} 1538 {one} 1538 UDP             118",
    ]
    server = RealServerKey("fd77::11", 5432)
    assert count_unfinished(lines, ServiceKey("tcp", "fd77::100", 5432), [server]) == {server: 1}
