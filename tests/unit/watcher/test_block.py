"""The lines of one service, compared as text."""

from __future__ import annotations

import pytest
from lvsdr.ipvs.table import ServiceKey
from lvsdr.ipvs.text import find_spelling
from lvsdr.watcher.quick import find_block

TABLE = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A4D0064:1538 rr  persistent 360 FFFFFFFF
  -> 0A4D0016:1538      Route   1      3          1
  -> 0A4D0015:1538      Route   0      0          9
UDP  0A4D0064:1538 wlc
TCP  [fd77:0000:0000:0000:0000:0000:0000:0064]:1538 rr
  -> [fd77:0000:0000:0000:0000:0000:0000:0015]:1538      Masq    7      0          0
"""


@pytest.mark.parametrize(
    ("key", "block"),
    [
        (
            ServiceKey("tcp", "10.77.0.100", 5432),
            (
                "TCP 0A4D0064:1538 rr persistent 360 FFFFFFFF",
                "-> 0A4D0015:1538 Route 0",
                "-> 0A4D0016:1538 Route 1",
            ),
        ),
        (ServiceKey("udp", "10.77.0.100", 5432), ("UDP 0A4D0064:1538 wlc",)),
        (
            ServiceKey("tcp", "fd77::64", 5432),
            (
                "TCP [fd77:0000:0000:0000:0000:0000:0000:0064]:1538 rr",
                "-> [fd77:0000:0000:0000:0000:0000:0000:0015]:1538 Masq 7",
            ),
        ),
        (ServiceKey("tcp", "10.77.0.100", 5433), ()),
    ],
)
def test_the_block_of_a_service(key: ServiceKey, block: tuple[str, ...]) -> None:
    assert find_block(TABLE, find_spelling(TABLE, key)) == block


def test_counts_of_connections_make_no_difference() -> None:
    name = ("TCP", "0A4D0064:1538")
    block = find_block(TABLE, name)
    assert find_block(TABLE.replace("3          1", "0          0"), name) == block
    assert find_block(TABLE.replace("Route   1", "Route   2"), name) != block


def test_an_empty_table_has_no_block() -> None:
    assert find_block("", ("TCP", "0A4D0064:1538")) == ()
    assert find_spelling("", ServiceKey("tcp", "10.77.0.100", 5432)) == ()
