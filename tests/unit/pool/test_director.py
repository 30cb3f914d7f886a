"""The director's decisions: plays in tests/data/director, and properties of every decision."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lvsdr.ipvs.table import Connections, RealServer, RealServerConfig, RealServerKey
from lvsdr.pool.change_messages import Row, describe_changes
from lvsdr.pool.director import Decision, Findings, Goal, Pool, decide
from lvsdr.pool.model import DrainPolicy, Located, Outcome, Verdict

from tests.support.paths import DATA
from tests.unit import golden
from tests.unit.plays import played

PLAYS = sorted((DATA / "director").glob("*.txt"))
NOW = 1000.0


@pytest.mark.parametrize("path", PLAYS, ids=lambda path: path.stem)
def test_plays(path: Path) -> None:
    golden.compare(path, played(path.read_text()))


def test_a_new_real_server_has_the_forwarding_of_the_service() -> None:
    server = Located("node1", "fd77::11", 2, Verdict(Outcome.IN, "fit"))
    goal = Goal(80, "masq", DrainPolicy(300.0, True))
    decision = decide({}, Findings([server], [], {}), goal, {}, NOW)
    assert decision.real_servers == {RealServerKey("fd77::11", 80): RealServerConfig("masq", 2)}


def test_forwarding_changes_in_place_for_those_that_are_in_only() -> None:
    """Only real servers that are IN change their forwarding in place.

    A draining one keeps the method that its connections were set up with.
    """
    pool = {
        RealServerKey(f"10.77.0.{number}", 80): RealServer(
            RealServerConfig("gate", 1), Connections(1, 0)
        )
        for number in (1, 2, 3)
    }
    outcomes = (Outcome.IN, Outcome.WITHDRAWN, Outcome.UNKNOWN)
    servers = [
        Located(f"node{number}", f"10.77.0.{number}", 1, Verdict(outcome, "so"))
        for number, outcome in enumerate(outcomes, start=1)
    ]
    goal = Goal(80, "ipip", DrainPolicy(300.0, True))
    decision = decide(pool, Findings(servers, [], {}), goal, {}, NOW)
    assert [config for _, config in sorted(decision.real_servers.items())] == [
        RealServerConfig("ipip", 1),
        RealServerConfig("gate", 0),
        RealServerConfig("gate", 1),
    ]


def test_a_host_that_is_an_address_is_named_once() -> None:
    row = Row(
        "10.77.0.14", RealServerKey("10.77.0.14", 80), 1, Verdict(Outcome.IN, "listed"), None, 1
    )
    assert describe_changes([row]) == ["real server 10.77.0.14 added with weight 1: listed"]


@pytest.mark.parametrize(
    ("before", "after", "drained", "said"),
    [
        (1, 0, False, "weight changed from 1 to 0: weight_of_realservers gives 0"),
        (1, 5, False, "weight changed from 1 to 5: weight_of_realservers gives 5"),
        (0, 5, True, "weight changed from 0 to 5: db is Unpromoted"),
        (
            0,
            5,
            False,
            "weight changed from 0 to 5: db is Unpromoted, weight_of_realservers gives 5",
        ),
        (None, 5, False, "added with weight 5: db is Unpromoted"),
    ],
)
def test_the_reason_of_a_weight_is_the_parameter_that_gives_it(
    before: int | None, after: int, drained: bool, said: str
) -> None:
    row = Row(
        "10.77.0.14",
        RealServerKey("10.77.0.14", 80),
        after,
        Verdict(Outcome.IN, "db is Unpromoted"),
        before,
        after,
        drained=drained,
        weight_source="weight_of_realservers",
    )
    assert describe_changes([row]) == [f"real server 10.77.0.14 {said}"]


class Situation:
    """All values that a decision depends on."""

    def __init__(
        self,
        pool: Pool,
        judged: Findings,
        goal: Goal,
        drains: dict[RealServerKey, float],
    ) -> None:
        self.pool = pool
        self.judged = judged
        self.goal = goal
        self.drains = drains

    def decide(self) -> Decision:
        return decide(self.pool, self.judged, self.goal, self.drains, NOW)

    def weight_after(self) -> Situation:
        """Return the situation of the next cycle, in which all connections have ended."""
        decision = self.decide()
        pool = {key: RealServer(config) for key, config in decision.real_servers.items()}
        return Situation(pool, self.judged, self.goal, dict(decision.drains))

    def __repr__(self) -> str:
        return f"Situation({self.pool}, {self.judged}, {self.goal}, {self.drains})"


ADDRESSES = [f"10.77.0.{number}" for number in range(1, 6)]
KEYS = [RealServerKey(address, 80) for address in ADDRESSES]
WEIGHTS = st.integers(0, 3)
REASONS = st.sampled_from(["", "crm_mon: not connected"])
FAILURES = st.builds(
    Verdict,
    st.just(Outcome.FAILED),
    st.just("so"),
    certain=st.booleans(),
    grace=st.sampled_from([0.0, 0.0, 10.0]),
)
# A grace is never negative; hypothesis draws any number for a field without a strategy.
WITHDRAWALS = st.builds(
    Verdict,
    st.just(Outcome.WITHDRAWN),
    st.just("so"),
    leaving=st.booleans(),
    grace=st.sampled_from([0.0, 10.0]),
)
OTHERS = st.builds(
    Verdict,
    st.sampled_from([Outcome.IN, Outcome.UNKNOWN]),
    st.just("so"),
    grace=st.just(0.0),
)
VERDICTS = OTHERS | WITHDRAWALS | FAILURES
SERVERS = st.builds(
    Located,
    st.sampled_from(["node1", "node2", "node3", "node4", "10.77.0.5"]),
    st.sampled_from([*ADDRESSES, None]),
    WEIGHTS,
    VERDICTS,
).filter(lambda s: s.address is not None or s.verdict.outcome is not Outcome.IN)
LISTS = st.lists(SERVERS, max_size=5, unique_by=lambda server: server.host)
POOLS = st.dictionaries(
    st.sampled_from(KEYS),
    st.builds(
        RealServer,
        st.builds(RealServerConfig, st.just("gate"), WEIGHTS),
        st.builds(Connections, st.integers(0, 2), st.integers(0, 2)),
    ),
)
POLICIES = st.builds(DrainPolicy, st.sampled_from([None, 0.0, 60.0]), st.booleans(), st.just(1))
SITUATIONS = st.builds(
    Situation,
    POOLS,
    st.builds(
        Findings,
        LISTS,
        st.lists(SERVERS, max_size=2, unique_by=lambda server: server.host),
        st.dictionaries(st.sampled_from(ADDRESSES), st.just("node9")),
        st.frozensets(st.sampled_from(["node1", "node2"])),
        st.none() | st.just("crm_mon: not connected"),
    ),
    st.builds(Goal, st.just(80), st.just("gate"), POLICIES, st.booleans()),
    st.dictionaries(st.sampled_from(KEYS), st.floats(0.0, NOW)),
)


def by_key(decision: Decision) -> dict[RealServerKey, Row]:
    """Return the rows with an address by key; fail if two rows have the same key."""
    rows = [row for row in decision.rows if row.key is not None]
    found = {row.key: row for row in rows if row.key is not None}
    assert len(found) == len(rows)
    return found


def there_is_one_row_for_each_and_nobody_without_one(situation: Situation) -> None:
    decision = situation.decide()
    rows = by_key(decision)
    assert set(situation.pool) | set(decision.real_servers) <= set(rows)
    assert set(decision.drains) <= set(decision.real_servers)
    for key, row in rows.items():
        server, config = situation.pool.get(key), decision.real_servers.get(key)
        assert row.weight_before == (server and server.config.weight)
        assert row.weight_after == (config and config.weight)


def unknown_never_changes_an_entry(situation: Situation) -> None:
    decision = situation.decide()
    for key, row in by_key(decision).items():
        if row.verdict.outcome is Outcome.UNKNOWN:
            server = situation.pool.get(key)
            assert decision.real_servers.get(key) == (server and server.config)


def in_gets_its_weight_and_nobody_else_gets_more(situation: Situation) -> None:
    decision = situation.decide()
    for key, row in by_key(decision).items():
        if row.verdict.outcome is Outcome.IN:
            # Weight 0 may be a fallback at work, left alone while others are UNKNOWN.
            kept = row.weight == 0 and row.weight_after == row.weight_before
            assert kept or row.weight_after == row.weight or (row.cut and row.weight_after is None)
        else:
            assert (row.weight_after or 0) <= (row.weight_before or 0)
            assert key in situation.pool or key not in decision.real_servers


def a_certain_failure_is_deleted(situation: Situation) -> None:
    decision = situation.decide()
    for row in by_key(decision).values():
        if row.verdict.outcome is Outcome.FAILED and row.verdict.certain:
            assert row.weight_after is None


def connections_to_a_withdrawn_server_have_their_time(situation: Situation) -> None:
    if situation.goal.refuses_at_zero:
        return
    decision = situation.decide()
    timeout = situation.goal.policy.drain_timeout
    for key, row in by_key(decision).items():
        if row.verdict.outcome is Outcome.WITHDRAWN and key in situation.pool:
            spent = NOW - situation.drains.get(key, NOW)
            if situation.pool[key].connections.active and (timeout is None or spent < timeout):
                assert row.weight_after is not None


def nothing_gets_weight_0_where_its_clients_would_be_refused(situation: Situation) -> None:
    if situation.goal.refuses_at_zero:
        rows = by_key(situation.decide()).values()
        known = [row for row in rows if row.verdict.outcome is not Outcome.UNKNOWN]
        assert all(row.weight_after != 0 or row.weight_before == 0 for row in known)


def keep_leaves_nobody_without_service_on_a_doubt(situation: Situation) -> None:
    """Check that on_empty=keep leaves the pool some weight if a real server may go on serving.

    It may, with a weight before, unless it has failed for certain, or has weight 0 by configuration
    and is known.
    """
    if not situation.goal.policy.keep_when_empty:
        return
    decision = situation.decide()
    serves = [
        row
        for row in by_key(decision).values()
        if row.weight_before
        and not (row.verdict.outcome is Outcome.FAILED and row.verdict.certain)
        and not (row.verdict.outcome is not Outcome.UNKNOWN and row.weight == 0)
    ]
    if serves:
        assert sum(config.weight for config in decision.real_servers.values()) > 0


def a_pool_that_serves_less_than_it_should_is_degraded(situation: Situation) -> None:
    decision = situation.decide()
    fit = [row for row in decision.rows if row.verdict.outcome is Outcome.IN and row.weight > 0]
    if situation.judged.unavailable_reason is not None or not fit:
        assert decision.degraded
    assert len(set(decision.degraded)) == len(decision.degraded)


def decisions_come_to_rest(situation: Situation) -> None:
    """Check that nothing is left to be done after two cycles without connections."""
    rested = situation.weight_after().weight_after()
    decision = rested.decide()
    assert decision.real_servers == {key: server.config for key, server in rested.pool.items()}
    assert describe_changes(decision.rows) == []


PROPERTIES = (
    there_is_one_row_for_each_and_nobody_without_one,
    unknown_never_changes_an_entry,
    in_gets_its_weight_and_nobody_else_gets_more,
    a_certain_failure_is_deleted,
    connections_to_a_withdrawn_server_have_their_time,
    nothing_gets_weight_0_where_its_clients_would_be_refused,
    keep_leaves_nobody_without_service_on_a_doubt,
    a_pool_that_serves_less_than_it_should_is_degraded,
    decisions_come_to_rest,
)


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(SITUATIONS)
def test_invariants_of_every_decision(situation: Situation) -> None:
    for holds in PROPERTIES:
        holds(situation)
