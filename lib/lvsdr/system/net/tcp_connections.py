"""The TCP connections to an address of this host, from /proc/net: no fork, no library."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

from ...values.parsing import pack_address

# include/net/tcp_states.h: ESTABLISHED, and CLOSE_WAIT: the client has shut down, and the server
# still answers.
_OPEN_STATES = frozenset(("01", "08"))
# FIN_WAIT1, FIN_WAIT2, LAST_ACK and CLOSING: the server has shut down or closed its socket.
_CLOSED_STATES = frozenset(("04", "05", "09", "0B"))
_FIN_WAIT2 = "05"
_FIN = 1  # a FIN takes one number of the sequence, as a byte does (tcp_send_fin)
_SILENT_RETRANSMISSIONS = (
    3  # retransmissions: 1.4 s at least without an answer, as each wait is twice the last
)


def count_unfinished(address: str, directory: str = "/proc/net") -> int:
    """Count the unfinished TCP connections of this host to its ``address`` (IPv4 or IPv6).

    Connections over IPv4 to a socket for both families are listed among those over IPv6.
    """
    tables = {"tcp6": f"::ffff:{address}", "tcp": address}
    if ":" in address:
        tables = {"tcp6": address}
    return sum(
        sum(1 for _ in _read_matching_lines(os.path.join(directory, name), _format_address(local)))
        for name, local in tables.items()
    )


def _read_matching_lines(path: str, local: str) -> Iterator[str]:
    """Yield the lines of such connections in a table (proc(5), /proc/net/tcp)."""
    try:
        with open(path, encoding="ascii") as file:
            for line in file:
                if local in line:  # spares most lines the split
                    fields = line.split(None, 10)
                    if fields[1].startswith(f"{local}:") and _is_unfinished(fields):
                        yield line
    except FileNotFoundError:
        return  # a kernel without IPv6


def _is_unfinished(fields: Sequence[str]) -> bool:
    """Return whether data may still arrive at either end.

    If no process has the socket any more (inode 0), this host reads no more data.  Such a
    connection is over once the client has all data, and has either acknowledged the FIN or become
    silent.
    """
    state, queues, retransmissions, inode = fields[3], fields[4], fields[6], fields[9]
    if state not in _CLOSED_STATES:
        return state in _OPEN_STATES
    if inode != "0":
        return True
    only_fin = int(queues.partition(":")[0], 16) <= _FIN
    is_silent = only_fin and int(retransmissions, 16) >= _SILENT_RETRANSMISSIONS
    return not (state == _FIN_WAIT2 or is_silent)


def _format_address(address: str) -> str:
    """Return an address as the kernel prints it: words of 32 bits in this machine's byte order."""
    packed = pack_address(address)
    words = (packed[at : at + 4] for at in range(0, len(packed), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
