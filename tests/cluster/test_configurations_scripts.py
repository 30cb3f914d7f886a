"""The examples that ask PostgreSQL: who serves reads, the standby outside of the cluster included.

And what becomes of the pool when what they ask does not answer. Each test leaves all of an example
as it was when it had settled.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.cluster import degraded, postgres
from tests.cluster.clients import Clients
from tests.cluster.cluster import Cluster
from tests.cluster.example import PATIENCE, Example, leaves_and_comes_back, serves_as_it_should
from tests.cluster.views import pool_watched, primary
from tests.cluster.waiting import wait_until


@pytest.fixture(scope="module", params=["2-list-script", "3-check-script"], name="example")
def configured(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Example]:
    """Each of them in turn."""
    example = Example(cluster, str(request.param), outside=True)
    yield example
    example.remove()


def test_it_settles_and_everybody_serves(example: Example) -> None:
    assert example.cluster.outside.name in example.wanted
    serves_as_it_should(example)


def test_sessions_of_a_standby_on_standby_have_time_to_end(example: Example) -> None:
    leaves_and_comes_back(example)


# --- what is asked does not answer


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


FAULTS = {"a primary that is silent": primary_silent, "names that do not resolve": names_gone}


@pytest.mark.parametrize("example", ["2-list-script"], indirect=True)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_known_changes_nothing(example: Example, fault: str) -> None:
    cluster, wanted = example.cluster, example.wanted
    example.forget()
    assert not degraded.reason(cluster.node1)
    with Clients(cluster.client, 2 * len(wanted)) as clients, pool_watched(cluster) as seen:
        with FAULTS[fault](example):
            wait_until(example.degraded, bool, "the director is degraded", PATIENCE, pause=2.0)
            reason = degraded.reason(cluster.node1)
        wait_until(
            example.degraded, lambda still: not still, "it is so no more", PATIENCE, pause=2.0
        )
        assert clients.broken() == {}
    assert clients.failures == []
    assert seen == [wanted]
    print(fault, reason, clients)
    assert reason
    example.forget()
    assert not degraded.reason(cluster.node1)
