"""Longer timeouts and intervals: in a guest with one processor everything takes ten times as long.

The timeouts of an example suit machines for databases. Here three nodes share one slow processor,
and a monitor that is late would be a failure.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

PATIENCE = 600.0  # seconds; a busy machine takes minutes for a failover
PAUSE = 0.2  # seconds between two looks of a wait: each look of crm_mon costs the guest more

TIMEOUT = 120  # seconds, at least, for every operation

# Minimum timeouts of some agents. Those of a remote node's connection and of its service stay
# short: they determine how long the director takes a failed resource for out of sight.
TIMEOUTS = {"pgsql": 300, "remote": 0, "anything": 0}

# Seconds between two monitors, by type of agent and role. A monitor of pgsql, with fifty processes,
# takes a second of the processor: every 4 seconds on three nodes, it would use all of it. Longer
# intervals are no better: half of a bring-up was waiting for the monitors before the first
# promotion. The director's interval stays, because tests measure how soon it notices.
INTERVALS = {
    ("pgsql", "Promoted"): 16,
    ("pgsql", ""): 15,
    ("vip", ""): 30,
    ("vip", "Promoted"): 5,
    ("vip", "Unpromoted"): 6,
    ("IPaddr2", ""): 30,
    ("lvsdr-realsvr", ""): 30,
}

# Parameters of some agents, by their type. Before the first promotion pgsql waits for this number
# of further monitors in which no node's log grows. Four check scripts, in Python, start at once.
PARAMETERS = {"pgsql": {"xlog_check_count": "1"}, "lvsdr": {"script_timeout": "20s"}}


def relax_timeouts(cib: str) -> str:
    """Return this CIB with these timeouts, intervals and parameters."""
    root = etree.fromstring(cib)
    for primitive in root.iterfind(".//primitive"):
        _set(primitive, PARAMETERS.get(str(primitive.get("type")), {}))
    for operation in root.iterfind(".//primitive/operations/op"):
        _relax(operation, _agent(operation))
    return str(etree.tostring(root, encoding="unicode"))


def _relax(operation: etree._Element, agent: str) -> None:
    timeout = _seconds(operation.get("timeout", "20s"))
    operation.set("timeout", f"{max(timeout, TIMEOUTS.get(agent, TIMEOUT))}s")
    interval = INTERVALS.get((agent, operation.get("role", "")))
    if operation.get("name") == "monitor" and interval:
        operation.set("interval", f"{interval}s")


def _set(primitive: etree._Element, parameters: Mapping[str, str]) -> None:
    for attributes in primitive.iterfind("instance_attributes"):
        for name, value in parameters.items():
            given = {"id": f"{primitive.get('id')}-{name}", "name": name, "value": value}
            etree.SubElement(attributes, "nvpair", given)


def _agent(operation: etree._Element) -> str:
    """Return the type of the agent that the operation belongs to."""
    primitive = next(operation.iterancestors("primitive"))
    return str(primitive.get("type"))


def _seconds(text: str) -> int:
    """Return the seconds of an interval of pcs; all examples use seconds."""
    return int(text.removesuffix("s"))
