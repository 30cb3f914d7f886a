"""Programs that fail while one monitor runs: crm_mon, ipvsadm, and the user's check script."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.lab.resource import EVEN, first_in_path, script


class Fault(NamedTuple):
    """A program that fails: its name, its replacement, and the weight of this fault."""

    program: str
    body: str
    often: int
    timeout: float = 30.0


FAULTS = {
    "crm_mon fails": Fault("crm_mon", "exit 102", 2),
    "crm_mon prints rubbish": Fault("crm_mon", "echo 'Cluster is fine'", 2),
    "crm_mon hangs": Fault("crm_mon", "exec sleep 600", 1, timeout=1.5),
    "ipvsadm fails": Fault("ipvsadm", "echo no luck >&2; exit 1", 6),
    "check is fine": Fault("check", "echo t", 2),
    "check answers f for node2": Fault("check", "[ $1 = node2 ] && echo f || echo t", 2),
    "check fails for node1": Fault("check", "[ $1 != node1 ] && echo t", 2),
    "check fails": Fault("check", "exit 3", 3),
    "check hangs for node2": Fault("check", "[ $1 = node2 ] && exec sleep 600; echo t", 1),
    "check prints rubbish": Fault("check", "echo perhaps", 2),
}
CHECKED = {
    "check is fine": dict.fromkeys(EVEN, "IN"),
    "check answers f for node2": {"node1": "IN", "node2": "OUT", "node3": "IN"},
    "check fails for node1": {"node1": "DOUBT", "node2": "IN", "node3": "IN"},
    "check fails": dict.fromkeys(EVEN, "DOUBT"),
    "check hangs for node2": {"node1": "IN", "node2": "DOUBT", "node3": "IN"},
    "check prints rubbish": dict.fromkeys(EVEN, "UNKNOWN"),
}
"""The verdict of each check on each host that is IN without it."""


class Environment(NamedTuple):
    """The environment of a monitor during a fault."""

    timeout: float
    variables: Mapping[str, str]
    check: Path | None = None

    def parameters(self, usual: Mapping[str, object]) -> dict[str, object]:
        """Return the parameters of the resource during it: a check replaces the attribute."""
        if self.check is None:
            return dict(usual)
        attribute = "realserver_dependent_attribute_"
        return {
            **{name: value for name, value in usual.items() if not name.startswith(attribute)},
            "realserver_check_active_real_server_script": self.check,
            "script_timeout": "1500ms",
        }


def environments(directory: Path) -> dict[str, Environment]:
    """Return the environment of each fault."""
    found = {}
    for number, (name, fault) in enumerate(FAULTS.items()):
        place = directory / f"fault{number}"
        place.mkdir()
        if fault.program == "check":
            found[name] = Environment(fault.timeout, {}, script(place / "check", fault.body))
        else:
            path = first_in_path(place, fault.program, fault.body)
            found[name] = Environment(fault.timeout, {"PATH": path})
    return found
