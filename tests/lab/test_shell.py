"""Every command that the shell of the lab suggests works as printed."""

from __future__ import annotations

from tests.lab.host import VIP
from tests.lab.shell import SUGGESTIONS, greeting
from tests.lab.world import World
from tests.support.processes import run


def test_suggestions_of_the_greeting_work(world: World) -> None:
    said = {}
    for line, _ in SUGGESTIONS:
        assert f"  {line}" in greeting()
        completed = run(["bash", "-c", line])
        assert completed.stderr == ""
        said[line] = completed.stdout
    counts = dict(line.split()[:2] for line in said["on client ask 30"].splitlines())
    assert counts == {"node1": "15", "node2": "15"}
    table = said["on director1 ipvsadm -Ln"]
    assert f"TCP  {VIP}:5432 rr" in table
    assert all(f"-> {node.address}:5432" in table for node in (world.node1, world.node2))
    assert f"{VIP} dev eth0" in said["on client ip neigh"]
