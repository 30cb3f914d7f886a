"""The cost of a gate in a monitor of the agent vip: one query of a real etcd."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.sample import Command, Cost, in_turn
from tests.leader.network import Host
from tests.leader.vip_gate import PROMOTED, STARTED, Instance, gated

_OTHER = {"ip": "10.78.1.101", "cidr_netmask": "24"}
_INTERVAL = 3000  # milliseconds


def measure(
    agent: Path, host: Host, endpoints: Sequence[str], place: Path, runs: int
) -> dict[str, Any]:
    """Measure monitors of a promoted instance on the leading host, and of one without a gate."""
    commands = []
    for name, settings, actions, code in (
        ("plain", _OTHER, ["start"], STARTED),
        ("gated", gated(list(endpoints)), ["start", "promote"], PROMOTED),
    ):
        instance = Instance(host, place / name, settings)
        instance.agent = agent
        for action in actions:
            instance.must(action)
        commands.append(Command((str(agent), "monitor"), instance.environ(_INTERVAL), code=code))
    with host.entered():
        plain, watching = in_turn(commands, runs)
    ratio = {"wall": watching.wall / plain.wall, "cpu": watching.cpu / plain.cpu}
    return {"plain": _milliseconds(plain), "gated": _milliseconds(watching), "ratio": ratio}


def _milliseconds(cost: Cost) -> dict[str, float]:
    return {"wall": cost.wall * 1e3, "cpu": cost.cpu * 1e3}


def lines(figures: dict[str, Any]) -> list[str]:
    """Return the report."""
    return [
        "vip monitor with a gate, against one without (for crm_attribute there is a script)",
        *(
            f"  {name:9} wall {figures[name]['wall']:5.1f} ms   CPU {figures[name]['cpu']:5.1f} ms"
            for name in ("plain", "gated")
        ),
        f"  ratio     wall {figures['ratio']['wall']:5.2f}      CPU {figures['ratio']['cpu']:5.2f}",
    ]
