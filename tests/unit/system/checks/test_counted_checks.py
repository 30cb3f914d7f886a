"""The counts of running checks, as the watcher drives and stores them."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from lvsdr.pool.check_history import Counting, Reply, name_check, parse_board
from lvsdr.pool.check_verdict import judge_all
from lvsdr.pool.model import Candidate, Outcome, Verdict
from lvsdr.system.checks.counted_checks import CountedChecks
from lvsdr.system.checks.running_checks import CheckSettings

from tests.support.listeners import Listeners, listening

HOSTS = {"node1": "127.0.0.1", "node2": "127.0.0.2", "node3": "127.0.0.3"}
COUNTING = Counting(fall=3, rise=2, max_age=30.0)
PATIENCE = 30.0  # seconds
Facts = dict[str, list[str]]


@pytest.fixture
def servers() -> Iterator[Listeners]:
    with listening(HOSTS) as listeners:
        yield listeners


def settings(servers: Listeners) -> CheckSettings:
    return CheckSettings("tcp", servers.port, 0.1, 20.0)


@contextmanager
def counted(servers: Listeners, stored: Facts | None = None) -> Iterator[CountedChecks]:
    checks = CountedChecks(settings(servers), COUNTING, stored or {})
    with closing(checks):
        checks.keep(HOSTS, (), time.monotonic())
        yield checks


def rings(checks: CountedChecks, until: Callable[[], object]) -> int:
    """Drive the checks until a condition holds; return how often a reconcile was due."""
    limit, rung = time.monotonic() + PATIENCE, 0
    while not until():
        assert time.monotonic() < limit, f"not in time: {checks.board}"
        poll = select.poll()
        for descriptor, events in checks.descriptors().items():
            poll.register(descriptor, events)
        due = checks.due()
        assert due is not None
        ready = [found for found, _ in poll.poll(max(0.0, due - time.monotonic()) * 1000)]
        rung += checks.advance(ready, time.monotonic())
    return rung


def facts(checks: CountedChecks) -> Facts:
    found: Facts = {}
    for name, value in checks.facts():
        found.setdefault(name, []).append(value)
    return found


def outcomes(checks: CountedChecks, servers: Listeners) -> dict[str, Outcome]:
    """Return the verdicts of a reconcile that reads the stored facts."""
    board = parse_board(facts(checks), name_check("tcp", servers.port))
    candidates = [Candidate(host, Verdict(Outcome.IN, "runs db")) for host in HOSTS]
    judged = judge_all(candidates, board, COUNTING, time.monotonic()).candidates
    return {candidate.host: candidate.verdict.outcome for candidate in judged}


def successes(checks: CountedChecks, host: str) -> int:
    return checks.board[host].successes


def test_a_server_that_stops_and_comes_back_rings_each_time(servers: Listeners) -> None:
    with counted(servers) as checks:
        assert rings(checks, lambda: all(successes(checks, host) > 2 for host in HOSTS)) == 0
        servers.stop("node2")
        assert rings(checks, lambda: checks.board["node2"].failures == 5) == 1
        assert outcomes(checks, servers) == {
            "node1": Outcome.IN,
            "node2": Outcome.FAILED,
            "node3": Outcome.IN,
        }
        servers.start("node2")
        assert rings(checks, lambda: successes(checks, "node2") == 3) == 2
        assert set(outcomes(checks, servers).values()) == {Outcome.IN}


def test_all_servers_at_once_stay_as_they_are(servers: Listeners) -> None:
    with counted(servers) as checks:
        rings(checks, lambda: all(successes(checks, host) > 2 for host in HOSTS))
        servers.stop()
        rings(checks, lambda: all(state.failures > 7 for state in checks.board.values()))
        found = outcomes(checks, servers)
    assert set(found.values()) == {Outcome.UNKNOWN}


def test_counts_survive_a_restart_of_the_watcher(servers: Listeners) -> None:
    with counted(servers) as checks:
        servers.stop("node2")
        rings(checks, lambda: checks.board["node2"].failures == 2)
        stored = facts(checks)
    with counted(servers, stored) as checks:
        assert checks.board["node2"].failures == 2
        rings(checks, lambda: checks.board["node2"].failures == 3)


def test_counts_of_another_port_do_not_count(servers: Listeners) -> None:
    with counted(servers) as checks:
        rings(checks, lambda: all(successes(checks, host) > 2 for host in HOSTS))
        stored = facts(checks)
    stored["check"] = ["tcp 1"]
    with counted(servers, stored) as checks:
        assert {state.last.reply for state in checks.board.values()} == {Reply.NONE}


def test_a_host_that_leaves_loses_its_counts(servers: Listeners) -> None:
    with counted(servers) as checks:
        servers.stop("node2")
        rings(checks, lambda: checks.board["node2"].failures == 3)
        others = {host: address for host, address in HOSTS.items() if host != "node2"}
        checks.keep(others, (), time.monotonic())
        assert set(checks.board) == set(others)
        checks.keep(HOSTS, (), time.monotonic())
        assert checks.board["node2"].failures == 0
        assert successes(checks, "node1") > 0


def test_a_fallback_is_checked_without_an_opinion(servers: Listeners) -> None:
    """It is the witness of the only candidate."""
    with counted(servers) as checks:
        checks.keep({"node1": HOSTS["node1"], "node3": HOSTS["node3"]}, {"node3"}, 0.0)
        servers.stop("node1")
        assert rings(checks, lambda: checks.board["node1"].failures == 4) == 1
        servers.stop("node3")
        assert rings(checks, lambda: checks.board["node3"].failures == 4) == 1
