"""A standby of an example leaves for maintenance and returns: the effects on clients."""

from __future__ import annotations

from tests.cluster.drill import Drill
from tests.cluster.example import DRAIN, Example
from tests.cluster.observed_state import nodes_with, serving
from tests.cluster.report import Report

OUT, BACK = 12, 60  # intervals of the director's monitor


def maintain_standby(example: Example, reports: list[Report]) -> None:
    """Assert that a standby on standby gets no new connections, and sessions have DRAIN seconds."""
    leaving = example.bystander()
    rest = example.wanted.keys() - {leaving.name}
    with Drill(f"a standby goes on standby, {example.name}", example.cluster) as drill:
        session = drill.clients.on(leaving.name)[0]
        began = drill.happens()
        leaving.standby()
        assert drill.wait_for_pool("out", *rest).intervals < OUT
        out = began + drill.laps[-1].seconds
        assert session.alive
        left = drill.wait_for_state("left", lambda state: leaving.name not in nodes_with(state))
        assert left.seconds > DRAIN
        assert not drill.clients.servers_since(out)[leaving.name]
        back = drill.happens()
        leaving.unstandby()
        example.wait()
        drill.wait_for(
            "back",
            lambda: drill.clients.servers_since(back),
            lambda seen: set(seen) == set(example.wanted),
        )
        assert drill.laps[-1].intervals < BACK
        reports.append(drill.report())
    # Sessions on the node that left were ended after their time; all others continue.
    assert reports[-1].broken.keys() == {leaving.name}
    assert not drill.clients.failures
    assert all(map(serving, drill.seen))
    assert example.complaints() == []
    print(reports[-1])
