"""A virtual service that is none of lvsdr's business, in the table of every node."""

from __future__ import annotations

from collections.abc import Iterable

from lvsdr.ipvs.table import Table
from lvsdr.ipvs.text import parse_proc, parse_saved

from tests.cluster.node import Node
from tests.cluster.places import READ_VIP

LINES = """-A -t 10.77.0.200:80 -s wlc
-a -t 10.77.0.200:80 -r 10.77.0.250:80 -g -w 7
-a -t 10.77.0.200:80 -r 10.77.0.251:80 -g -w 0
"""
TABLE = parse_saved(LINES)


def add(node: Node) -> None:
    """Add it to a node's table, unless it is there. It does not survive the node's power."""
    if not TABLE.keys() & others(node).keys():
        node.host.restore_ipvs(LINES)


def others(node: Node) -> Table:
    """Return what is in a node's table besides the read service."""
    table = parse_proc(node.host.proc_ipvs())
    return {key: service for key, service in table.items() if key.address != READ_VIP}


def untouched(nodes: Iterable[Node]) -> bool:
    """Say whether all nodes that run have it as it was added, and nothing else but ours."""
    return all(others(node) == TABLE for node in nodes if node.running)
