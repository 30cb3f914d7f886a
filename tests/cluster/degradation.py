"""Degradation of the director, as Pacemaker reports it."""

from __future__ import annotations

import re
import time

from lxml import etree

from tests.cluster.node import Node

DEGRADED = "190"  # OCF_DEGRADED, of a monitor
SHOW = ["crm_mon", "--output-as=xml", "--include=none,operations", "--resource=lvsdr"]


def degraded(director: Node, seen_by: Node) -> bool:
    """Return whether the last monitor on the director's node exited with DEGRADED.

    Pacemaker keeps two results of it. One is the last failure, which DEGRADED counts as. The other,
    unless that was the first result, is the last one that differed from its predecessor.
    """
    seen = etree.fromstring(seen_by.run(SHOW).stdout.encode())
    history = seen.iterfind(f".//node[@name='{director.name}']//operation_history[@interval]")
    results = [(_when(each.get("last-rc-change", "")), each.get("rc")) for each in history]
    return max(results)[1] == DEGRADED


def _when(text: str) -> time.struct_time:
    return time.strptime(text, "%a %b %d %H:%M:%S %Y")


def reason(seen_by: Node) -> str:
    """Return the reason of the last degradation; crm_mon shows it even after its end."""
    shown = seen_by.run(["crm_mon", "-1"]).stdout
    found = re.search(r"lvsdr .*'OCF_DEGRADED' \((.*)\)", shown)
    return found[1] if found else ""


def forget(node: Node) -> None:
    """Clean up the failure, as an administrator does after its end."""
    node.run(["crm_resource", "--cleanup", "--resource", "lvsdr"])
