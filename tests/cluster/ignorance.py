"""What is asked does not answer: nothing changes, and the director says that it does not know."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager

from tests.cluster import degraded, postgres
from tests.cluster.clients import Clients
from tests.cluster.example import PATIENCE, Example
from tests.cluster.views import pool_watched, primary
from tests.cluster.waiting import wait_until


@contextlib.contextmanager
def primary_silent(example: Example) -> Iterator[None]:
    """The primary accepts connections and says nothing to them; it goes on feeding its standbys."""
    machine = primary(example.cluster)
    postmaster = postgres.pid(machine)  # which alone answers those who come
    machine.run(["kill", "-STOP", postmaster])
    try:
        yield
    finally:
        machine.run(["kill", "-CONT", postmaster])


@contextlib.contextmanager
def names_gone(example: Example) -> Iterator[None]:
    """On the director's machine no name resolves."""
    machine = example.director()
    machine.run(["mount", "--bind", "/dev/null", "/etc/hosts"])
    try:
        yield
    finally:
        machine.run(["umount", "/etc/hosts"])


def nothing_changes(example: Example, fault: AbstractContextManager[None]) -> str:
    """Neither the pool nor what clients see, for as long as the fault lasts; returns the reason."""
    cluster, wanted = example.cluster, example.wanted
    example.forget()
    assert not degraded.reason(cluster.node1)
    with Clients(cluster.client, 2 * len(wanted)) as clients, pool_watched(cluster) as seen:
        with fault:
            wait_until(example.degraded, bool, "the director is degraded", PATIENCE, pause=2.0)
            reason = degraded.reason(cluster.node1)
        wait_until(
            example.degraded, lambda still: not still, "it is so no more", PATIENCE, pause=2.0
        )
        assert clients.broken() == {}
    assert clients.failures == []
    assert seen == [wanted]
    example.forget()
    assert not degraded.reason(cluster.node1)
    print(reason, clients, sep="\n")
    return reason
