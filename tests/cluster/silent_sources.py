"""Sources without an answer: the pool stays as it is, and the director reports a degradation."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager

from tests.cluster import degradation, postgres
from tests.cluster.drill import Drill
from tests.cluster.example import Example
from tests.cluster.observed_state import primary
from tests.cluster.report import Report

SEEN = 24  # intervals of the director's monitor, until a degradation begins or ends
ASKING = 2.0  # seconds between two runs of crm_mon


@contextlib.contextmanager
def silence_primary(example: Example) -> Iterator[None]:
    """Stop the primary's postmaster: connections get no answer, and replication continues."""
    machine = primary(example.cluster)
    postmaster = postgres.pid(machine)  # the only process that answers new connections
    machine.run(["kill", "-STOP", postmaster])
    try:
        yield
    finally:
        machine.run(["kill", "-CONT", postmaster])


@contextlib.contextmanager
def remove_names(example: Example) -> Iterator[None]:
    """Let no name resolve on the director's machine."""
    machine = example.director()
    machine.run(["mount", "--bind", "/dev/null", "/etc/hosts"])
    try:
        yield
    finally:
        machine.run(["umount", "/etc/hosts"])


def assert_nothing_changes(
    fault_name: str, example: Example, fault: AbstractContextManager[None], reports: list[Report]
) -> str:
    """Assert that the fault changes neither pool nor connections. Return the reason."""
    cluster, wanted = example.cluster, example.wanted
    example.forget()
    assert not degradation.reason(cluster.node1)
    with Drill(f"{fault_name}, {example.name}", cluster) as drill:
        drill.happens()
        with fault:
            shown = drill.wait_for("degraded", example.degraded, bool, ASKING)
            reason = degradation.reason(cluster.node1)
        drill.happens()
        over = drill.wait_for("over", example.degraded, lambda still: not still, ASKING)
        reports.append(drill.report())
    assert shown.intervals < SEEN
    assert over.intervals < SEEN
    assert drill.clients.failures == []
    assert not reports[-1].broken
    assert drill.seen == [wanted]
    example.forget()
    assert not degradation.reason(cluster.node1)
    print(reason, reports[-1], sep="\n")
    return reason
