"""Patience for what is configured: in a guest with one processor all takes ten times as long.

An example says how long an operation takes at most on the machines that one has for databases. Here
three nodes share one slow processor, and a monitor that comes too late would be a failure.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

TIMEOUT = 120  # seconds, at least, for every operation

# Of some agents. Those of a remote node's connection and of the service there say how long the
# director takes for out of sight what has failed.
TIMEOUTS = {"pgsql": 300, "remote": 0, "anything": 0}

# Seconds from one monitor to the next, by type of agent and role. One of pgsql's, fifty processes,
# takes a second of the processor: every 4 seconds on three nodes, nothing else gets done. Nor are
# they rarer than this: half of a bring-up was waiting for the monitors before anybody leads. The
# director stays as it is: how soon it notices is what tests wait for.
INTERVALS = {
    ("pgsql", "Promoted"): 16,
    ("pgsql", ""): 15,
    ("vip", ""): 30,
    ("vip", "Promoted"): 5,
    ("vip", "Unpromoted"): 6,
    ("IPaddr2", ""): 30,
    ("lvsdr-realsvr", ""): 30,
}

# Parameters of some agents, by their type. Before anybody leads, pgsql waits until so many more
# monitors have seen that nobody's log grows. Four check scripts, in Python, are started at once.
PARAMETERS = {"pgsql": {"xlog_check_count": "1"}, "lvsdr": {"script_timeout": "20s"}}


def patient(cib: str) -> str:
    """Return this CIB with such timeouts, intervals and parameters."""
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
    """Return the type of the agent whose operation this is."""
    primitive = next(operation.iterancestors("primitive"))
    return str(primitive.get("type"))


def _seconds(text: str) -> int:
    """Return what pcs has been told: all examples count in seconds."""
    return int(text.removesuffix("s"))
