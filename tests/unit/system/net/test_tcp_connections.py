"""Connections to an address, from recorded tables and from this machine's own."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from lvsdr.system.net.tcp_connections import count_unfinished

HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
TCP = """\
   0: 00000000:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   0 0 1 1 0 100
   1: 64004D0A:1538 01004D0A:D3F2 01 00000000:00000000 00:00000000 00000000   0 0 2 1 0 20
   2: 64004D0A:1538 01004D0A:D3F4 06 00000000:00000000 00:00000000 00000000   0 0 3 1 0 20
   3: 64004D0A:0016 01004D0A:D3F6 01 00000000:00000000 00:00000000 00000000   0 0 4 1 0 20
   4: 15004D0A:1538 01004D0A:D3F8 01 00000000:00000000 00:00000000 00000000   0 0 5 1 0 20
   5: 15004D0A:9C40 64004D0A:1538 01 00000000:00000000 00:00000000 00000000   0 0 6 1 0 20
"""
VIP6 = "000077FD000000000000000000010000"
MAPPED = "0000000000000000FFFF000064004D0A"
NOBODY = "00000000000000000000000000000000:0000"
TCP6 = f"""\
   0: {NOBODY[:-4]}1538 {NOBODY} 0A 00000000:00000000 00:00000000 00000000   0 0 1 1 0 100
   1: {VIP6}:1538 {MAPPED}:D3F2 01 00000000:00000000 00:00000000 00000000   0 0 2 1 0 20
   2: {VIP6}:1538 {MAPPED}:D3F3 08 00000000:00000000 00:00000000 00000000   0 0 2 1 0 20
   3: {MAPPED}:1538 {VIP6}:D3F4 01 00000000:00000000 00:00000000 00000000   0 0 3 1 0 20
"""


@pytest.mark.skipif(sys.byteorder == "big", reason="recorded on a machine of the other kind")
def test_recorded_tables(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(HEADING + TCP)
    assert count_unfinished("10.77.0.100", str(tmp_path)) == 2
    (tmp_path / "tcp6").write_text(HEADING + TCP6)
    assert count_unfinished("10.77.0.100", str(tmp_path)) == 3
    assert count_unfinished("fd77::1:0", str(tmp_path)) == 0
    assert count_unfinished("fd77::100", str(tmp_path)) == 2
    assert count_unfinished("fd77::0:1", str(tmp_path)) == 0
    assert count_unfinished("10.77.0.21", str(tmp_path)) == 2
    assert count_unfinished("10.77.0.10", str(tmp_path)) == 0


@pytest.mark.parametrize(
    ("state", "inode", "counts"),
    [
        ("01", "20", True),
        ("02", "20", False),
        ("03", "0", False),
        ("04", "0", True),
        ("05", "20", True),
        ("05", "0", False),
        ("06", "0", False),
        ("07", "20", False),
        ("08", "20", True),
        ("09", "0", True),
        ("0A", "20", False),
        ("0B", "0", True),
        ("0C", "0", False),
    ],
)
@pytest.mark.skipif(sys.byteorder == "big", reason="recorded on a machine of the other kind")
def test_states(state: str, inode: str, counts: bool, tmp_path: Path) -> None:
    """A half-closed connection is not over while data may still arrive at either end.

    FIN_WAIT2 (05) is over once no process has the socket any more.
    """
    rest = "00000000:00000000 00:00000000 00000000   0 0"
    line = f"   1: 64004D0A:1538 01004D0A:D3F2 {state} {rest} {inode} 1 0 20\n"
    (tmp_path / "tcp").write_text(HEADING + line)
    assert count_unfinished("10.77.0.100", str(tmp_path)) == counts


@pytest.mark.parametrize("state", ["04", "09", "0B"])
@pytest.mark.parametrize(
    ("queue", "retransmissions", "inode", "counts"),
    [
        ("00000001", "00000002", "0", True),
        ("00000001", "00000003", "0", False),
        ("00000001", "0000000A", "0", False),
        ("00000001", "0000000A", "20", True),
        ("00000002", "0000000A", "0", True),
    ],
)
@pytest.mark.skipif(sys.byteorder == "big", reason="recorded on a machine of the other kind")
def test_a_silent_client_that_only_the_end_is_sent_to(
    state: str, queue: str, retransmissions: str, inode: str, counts: bool, tmp_path: Path
) -> None:
    """A connection without a process is over once the client is silent and lacks only the FIN.

    The client may have died, or the address was removed and came back: the kernel repeats its FIN.
    """
    rest = f"{queue}:00000000 01:00000012 {retransmissions}   0 0"
    line = f"   1: 64004D0A:1538 01004D0A:CC68 {state} {rest} {inode} 2 0 21\n"
    (tmp_path / "tcp").write_text(HEADING + line)
    assert count_unfinished("10.77.0.100", str(tmp_path)) == counts


def test_a_client_that_shuts_down_and_waits() -> None:
    with socket.create_server(("127.0.0.78", 0)) as server, socket.socket() as client:
        client.bind(("127.0.0.1", 0))
        client.connect(server.getsockname())
        accepted = server.accept()[0]
        client.shutdown(socket.SHUT_WR)
        assert accepted.recv(1) == b""
        assert count_unfinished("127.0.0.78") == 1
        accepted.close()
        assert count_unfinished("127.0.0.78") == 0


def test_no_tables(tmp_path: Path) -> None:
    assert count_unfinished("10.77.0.100", str(tmp_path)) == 0
    assert count_unfinished("fd77::100", str(tmp_path)) == 0


@pytest.mark.parametrize(
    ("listen", "connect"),
    [("127.0.0.77", "127.0.0.77"), ("::1", "::1"), ("::", "127.0.0.77")],
    ids=["ipv4", "ipv6", "ipv4 to a socket of both families"],
)
def test_a_real_connection(listen: str, connect: str) -> None:
    family = socket.AF_INET6 if ":" in listen else socket.AF_INET
    before = count_unfinished(connect)
    with socket.create_server((listen, 0), family=family, dualstack_ipv6=listen == "::") as server:
        assert count_unfinished(connect) == before
        with socket.create_connection((connect, server.getsockname()[1])) as client:
            accepted = server.accept()[0]
            # Both ends of a connection within a host may have the address.
            ours = 1 + (client.getsockname()[0] == connect)
            assert count_unfinished(connect) == before + ours
            accepted.close()
        assert count_unfinished(connect) < before + ours
