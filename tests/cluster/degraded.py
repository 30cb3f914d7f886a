"""Whether the director finds that not all is as it should be, as Pacemaker tells it."""

from __future__ import annotations

import re
import time

from lxml import etree

from tests.cluster.node import Node

DEGRADED = "190"  # OCF_DEGRADED, of a monitor
SHOW = ["crm_mon", "--output-as=xml", "--include=none,operations", "--resource=lvsdr"]


def degraded(director: Node, seen_by: Node) -> bool:
    """Say whether the last monitor on the director's node ended so.

    Pacemaker keeps two results of it: the last failure, which this is to it, and, if that was not
    the first, the one that differed from the one before.
    """
    seen = etree.fromstring(seen_by.run(SHOW).stdout.encode())
    history = seen.iterfind(f".//node[@name='{director.name}']//operation_history[@interval]")
    results = [(_when(each.get("last-rc-change", "")), each.get("rc")) for each in history]
    return max(results)[1] == DEGRADED


def _when(text: str) -> time.struct_time:
    return time.strptime(text, "%a %b %d %H:%M:%S %Y")


def reason(seen_by: Node) -> str:
    """Return why it was so the last time, as crm_mon shows it even when it is over."""
    shown = seen_by.run(["crm_mon", "-1"]).stdout
    found = re.search(r"lvsdr .*'OCF_DEGRADED' \((.*)\)", shown)
    return found[1] if found else ""


def forget(node: Node) -> None:
    """Let Pacemaker forget it, as an administrator does when it is over."""
    node.run(["crm_resource", "--cleanup", "--resource", "lvsdr"])
