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
    "check is fine": dict.fromkeys(EVEN, "t"),
    "check answers f for node2": {"node1": "t", "node2": "f", "node3": "t"},
    "check fails for node1": {"node1": "failure", "node2": "t", "node3": "t"},
    "check fails": dict.fromkeys(EVEN, "failure"),
    "check hangs for node2": {"node1": "t", "node2": "failure", "node3": "t"},
    "check prints rubbish": dict.fromkeys(EVEN, "rubbish"),
}
"""The answer of each check on each host that is IN without it."""


class CountedAnswers:
    """The answers of the check on each host, as long as monitors with a check follow each other.

    They are counted with a ``fall`` that is never reached, and with a ``rise`` of 1.
    """

    def __init__(self) -> None:
        self._fit: dict[str, bool] = {}

    def judge(self, verdicts: Mapping[str, str], fault: str) -> dict[str, str]:
        """Return the verdicts after one monitor."""
        if fault not in CHECKED:
            self._fit.clear()
            return dict(verdicts)
        wanted = {host for host, verdict in verdicts.items() if verdict == "IN"}
        self._fit = {host: fit for host, fit in self._fit.items() if host in wanted}
        judged = {host: self._judge(host, CHECKED[fault][host]) for host in wanted}
        return {**verdicts, **judged}

    def _judge(self, host: str, answer: str) -> str:
        if answer in ("t", "f"):
            self._fit[host] = answer == "t"
            return "IN" if answer == "t" else "OUT"
        return "IN" if answer == "failure" and self._fit.get(host) else "UNKNOWN"


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
            "realserver_check_fall": 100,
            "realserver_check_rise": 1,
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
