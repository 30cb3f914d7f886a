"""A foreign virtual service, independent of lvsdr, in the table of every node."""

from __future__ import annotations

from collections.abc import Iterable

from lvsdr.ipvs.table import Table
from lvsdr.ipvs.text import parse_proc, parse_saved

from tests.cluster.addresses import READ_VIP
from tests.cluster.node import Node

LINES = """-A -t 10.77.0.200:80 -s wlc
-a -t 10.77.0.200:80 -r 10.77.0.250:80 -g -w 7
-a -t 10.77.0.200:80 -r 10.77.0.251:80 -g -w 0
"""
TABLE = parse_saved(LINES)


def add(node: Node) -> None:
    """Add it to a node's table, unless it is there. It does not survive a power cut."""
    if not TABLE.keys() & foreign_services(node).keys():
        node.host.restore_ipvs(LINES)


def foreign_services(node: Node) -> Table:
    """Return a node's table without the read service."""
    table = parse_proc(node.host.proc_ipvs())
    return {key: service for key, service in table.items() if key.address != READ_VIP}


def untouched(nodes: Iterable[Node]) -> bool:
    """Return whether all running nodes have the foreign service unchanged, and no other service."""
    return all(foreign_services(node) == TABLE for node in nodes if node.running)
