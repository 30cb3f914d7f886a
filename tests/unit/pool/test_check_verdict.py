"""The verdict from Pacemaker's verdict, the counts, and the checks of other candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lvsdr.ipvs.table import Connections, RealServer
from lvsdr.pool.check_history import (
    Board,
    CheckResult,
    CheckState,
    Counting,
    Reply,
    begin_state,
    record,
)
from lvsdr.pool.check_verdict import count_script, judge, judge_all, list_opinions
from lvsdr.pool.director import Findings, Goal, Pool, decide
from lvsdr.pool.model import Candidate, DrainPolicy, Located, Outcome, Verdict

FIT, BUSY, UNWANTED, REFUSED, SILENT, NONE = Reply
IN, WITHDRAWN, FAILED, UNKNOWN = Outcome
PROBE = Counting(fall=3, rise=2, max_age=3.0)
SCRIPT = PROBE._replace(admits=True)
STANDS = Verdict(IN, "runs db")


def counted(replies: list[Reply], counting: Counting = PROBE, start: float = 0.0) -> CheckState:
    """Return the state after results that follow each other; each check takes half a second."""
    state = begin_state(start)
    for number, reply in enumerate(replies):
        began = start + number
        state = record(state, CheckResult(reply, reply.value, began, began + 0.5), counting)
    return state


class Line(NamedTuple):
    """One line of the truth table: results, and the outcomes where Pacemaker's verdict is IN."""

    replies: list[Reply]
    alone: Outcome
    """Without a witness."""
    witnessed: Outcome
    script: Outcome
    """Of a check script, without a witness."""
    script_witnessed: Outcome


TRUTH = {
    "no result yet": Line([], IN, IN, IN, IN),
    "a check that cannot be made": Line([NONE], IN, IN, UNKNOWN, UNKNOWN),
    "fit": Line([FIT], IN, IN, IN, IN),
    "fit, then a check that cannot be made": Line([FIT, NONE], IN, IN, UNKNOWN, UNKNOWN),
    "busy": Line([BUSY], IN, IN, IN, IN),
    "a first failure, never fit": Line([REFUSED], IN, IN, UNKNOWN, UNKNOWN),
    "a first failure": Line([FIT, REFUSED], IN, IN, IN, IN),
    "a first silence": Line([FIT, SILENT], IN, IN, IN, IN),
    "one failure too few": Line([FIT, REFUSED, REFUSED], IN, IN, IN, IN),
    "a success between failures": Line([FIT, REFUSED, REFUSED, FIT, REFUSED], IN, IN, IN, IN),
    "refused": Line([FIT] + 3 * [REFUSED], UNKNOWN, FAILED, UNKNOWN, FAILED),
    "refused from the start": Line(3 * [REFUSED], UNKNOWN, FAILED, UNKNOWN, FAILED),
    "silent": Line([FIT] + 3 * [SILENT], UNKNOWN, WITHDRAWN, UNKNOWN, WITHDRAWN),
    "almost twice as long silent": Line(5 * [SILENT], UNKNOWN, WITHDRAWN, UNKNOWN, WITHDRAWN),
    "twice as long silent": Line(6 * [SILENT], UNKNOWN, FAILED, UNKNOWN, FAILED),
    "silent, then refused once": Line(
        [SILENT, SILENT, REFUSED], UNKNOWN, WITHDRAWN, UNKNOWN, WITHDRAWN
    ),
    "silent, then refused": Line([SILENT] + 3 * [REFUSED], UNKNOWN, FAILED, UNKNOWN, FAILED),
    "refused, then silent once": Line(
        [REFUSED, REFUSED, SILENT], UNKNOWN, WITHDRAWN, UNKNOWN, WITHDRAWN
    ),
    "a failure that cannot be repeated": Line(
        3 * [REFUSED] + [NONE], *2 * (UNKNOWN, FAILED)
    )._replace(script_witnessed=UNKNOWN),
    "unwanted": Line([FIT, UNWANTED], *4 * (WITHDRAWN,)),
    "unwanted after failures": Line([REFUSED, REFUSED, UNWANTED], *4 * (WITHDRAWN,)),
    "unwanted, then a failure": Line([UNWANTED, SILENT], *4 * (UNKNOWN,)),
    "unwanted, then failures": Line(
        [UNWANTED] + 3 * [SILENT], UNKNOWN, WITHDRAWN, UNKNOWN, WITHDRAWN
    ),
    "unwanted, then fit once": Line([UNWANTED, FIT], *4 * (UNKNOWN,)),
    "unwanted, then fit": Line([UNWANTED, FIT, FIT], *4 * (IN,)),
    "unwanted, then busy": Line([UNWANTED, BUSY, BUSY, BUSY], *4 * (UNKNOWN,)),
    "failed, then fit once": Line(3 * [REFUSED] + [FIT], *4 * (UNKNOWN,)),
    "failed, then fit": Line(3 * [REFUSED] + [FIT, FIT], *4 * (IN,)),
    "failed, then busy": Line(3 * [REFUSED] + [BUSY, BUSY], *4 * (IN,)),
    "failed, fit, and a failure again": Line(3 * [REFUSED] + [FIT, REFUSED], *4 * (UNKNOWN,)),
    "failed, fit, and failed again": Line(
        3 * [REFUSED] + [FIT] + 3 * [REFUSED], UNKNOWN, FAILED, UNKNOWN, FAILED
    ),
    "fit with interruptions": Line(3 * [REFUSED] + [FIT, REFUSED, FIT], *4 * (UNKNOWN,)),
}


@pytest.mark.parametrize("name", TRUTH)
def test_the_truth_table_where_pacemaker_says_in(name: str) -> None:
    line = TRUTH[name]
    now = len(line.replies) + 0.5
    found = [
        judge(STANDS, counted(line.replies, counting), witnessed, counting, now).outcome
        for counting in (PROBE, SCRIPT)
        for witnessed in (False, True)
    ]
    assert found == list(line[1:])


@pytest.mark.parametrize("outcome", [WITHDRAWN, FAILED, UNKNOWN])
@pytest.mark.parametrize("name", TRUTH)
def test_a_check_adds_nothing_to_another_verdict_of_pacemaker(name: str, outcome: Outcome) -> None:
    given = Verdict(outcome, "by the cluster", grace=5.0)
    for counting in (PROBE, SCRIPT):
        for witnessed in (False, True):
            state = counted(TRUTH[name].replies, counting)
            assert judge(given, state, witnessed, counting, 1.0) == given


@pytest.mark.parametrize("name", TRUTH)
@pytest.mark.parametrize("witnessed", [False, True])
def test_old_results_do_not_count(name: str, witnessed: bool) -> None:
    state = counted(TRUTH[name].replies)
    board = {"node1": state}
    late = state.last.ended + PROBE.max_age + 0.1
    assert judge(STANDS, state, witnessed, PROBE, late) == STANDS
    assert judge_all([Candidate("node1", STANDS)], board, PROBE, late).complaints == [
        f"node1: no recent check result{' (none)' if state.problem else ''}; "
        "the cluster's state alone counts"
    ]


def test_every_failure_of_a_check_is_uncertain() -> None:
    """The last real server does not leave because of a check."""
    for replies in (3 * [REFUSED], 3 * [SILENT], 6 * [SILENT]):
        verdict = judge(STANDS, counted(replies), True, PROBE, float(len(replies)))
        assert verdict.outcome is not IN
        assert not verdict.certain


class Witness(NamedTuple):
    """The results of another candidate, whose first check begins at ``start``."""

    replies: list[Reply]
    start: float


# The host node1 fails three times; the first failure ends at 0.5, the last one at 2.5.
WITNESSES = {
    "a success that began later": (Witness([FIT], 0.6), FAILED),
    "a server without a free slot": (Witness([BUSY], 0.6), FAILED),
    "several successes": (Witness([FIT, FIT, FIT], 0.2), FAILED),
    "a success that began before the first failure": (Witness([FIT], 0.4), UNKNOWN),
    "a success after a fault that may be over": (Witness([FIT], 2.1), UNKNOWN),
    "a failure, then a success": (Witness([REFUSED, FIT], 0.1), FAILED),
    "a failure, then a success that began too late": (Witness([REFUSED, FIT], 1.1), UNKNOWN),
    "a success that is too old": (Witness([FIT], -3.0), UNKNOWN),
    "no result": (Witness([], 0.0), UNKNOWN),
    "a check that was not made": (Witness([NONE], 1.0), UNKNOWN),
    "a failure": (Witness([REFUSED], 1.0), UNKNOWN),
    "a success, then a failure": (Witness([FIT, REFUSED], 0.6), UNKNOWN),
    "a host that is unwanted": (Witness([UNWANTED], 1.0), UNKNOWN),
    "a host that is only coming back": (Witness([UNWANTED, FIT], 0.6), UNKNOWN),
    "a host that has come back": (Witness([UNWANTED, FIT, FIT], 0.6), FAILED),
}


@pytest.mark.parametrize("name", WITNESSES)
def test_a_failure_needs_a_witness(name: str) -> None:
    witness, expected = WITNESSES[name]
    board = {"node1": counted(3 * [REFUSED]), "node2": counted(*witness_arguments(witness))}
    candidates = [Candidate(host, STANDS) for host in board]
    assert judge_all(candidates, board, PROBE, 3.0).candidates[0].verdict.outcome is expected


def witness_arguments(witness: Witness) -> tuple[list[Reply], Counting, float]:
    return witness.replies, PROBE, witness.start


def test_only_a_real_server_that_pacemaker_wants_is_a_witness() -> None:
    board = {"node1": counted(3 * [REFUSED]), "node2": counted([FIT], start=1.0)}
    for verdict in (Verdict(WITHDRAWN, "leaves"), Verdict(FAILED, "lost"), Verdict(UNKNOWN, "?")):
        candidates = [Candidate("node1", STANDS), Candidate("node2", verdict)]
        judged = judge_all(candidates, board, PROBE, 3.0).candidates
        assert [c.verdict.outcome for c in judged] == [UNKNOWN, verdict.outcome]
    alone = judge_all([Candidate("node1", STANDS)], board, PROBE, 3.0)
    assert alone.candidates[0].verdict.outcome is UNKNOWN


RESERVES = {
    "fit": (Witness([FIT], 1.0), FAILED),
    "a primary": (Witness([UNWANTED], 1.0), FAILED),
    "a primary that was out of reach": (Witness([REFUSED, UNWANTED], 0.6), FAILED),
    "an answer from before the failure": (Witness([UNWANTED], 0.4), UNKNOWN),
    "a failure": (Witness([UNWANTED, SILENT], 0.6), UNKNOWN),
    "no result": (Witness([], 0.0), UNKNOWN),
}


@pytest.mark.parametrize("name", RESERVES)
def test_a_fallback_that_answers_is_a_witness(name: str) -> None:
    """A cluster of two nodes has one standby; its fallback is the primary."""
    witness, expected = RESERVES[name]
    board = {"node1": counted(3 * [REFUSED]), "node2": counted(*witness_arguments(witness))}
    judged = judge_all([Candidate("node1", STANDS)], board, PROBE, 3.0, {"node2"})
    assert [c.verdict.outcome for c in judged.candidates] == [expected]
    assert list_opinions(board, PROBE, 3.0, {"node2"}) == {"node1": expected}
    same = judge_all([Candidate("node1", STANDS)], board, PROBE, 3.0, {"node1"})
    assert same.candidates[0].verdict.outcome is UNKNOWN


def test_reasons_have_the_counts() -> None:
    board = {
        "node1": counted([FIT, REFUSED, REFUSED]),
        "node2": counted(3 * [REFUSED]),
        "node3": counted([UNWANTED, FIT], start=1.0),
        "node4": counted([BUSY], start=1.0),
        "node5": counted([FIT], start=1.0),
    }
    judged = judge_all([Candidate(host, STANDS) for host in board], board, PROBE, 3.0)
    assert [c.verdict.reason for c in judged.candidates] == [
        "runs db; 2 of 3 failures: refused",
        "3 failures: refused",
        "1 of 2 successes: fit",
        "runs db",
        "runs db",
    ]
    assert judged.complaints == ["node4: alive, but not checked further: busy"]
    unsure = judge_all([Candidate("node2", STANDS)], board, PROBE, 3.0).candidates
    assert unsure[0].verdict.reason == (
        "3 failures: refused; no check of another candidate has succeeded since, "
        "so the fault may be here"
    )


def test_opinions_are_outcomes_for_hosts_that_pacemaker_wants() -> None:
    board = {"node1": counted(3 * [REFUSED]), "node2": counted([FIT], start=1.0)}
    assert list_opinions(board, PROBE, 3.0) == {"node1": FAILED, "node2": IN}


def test_the_counts_of_a_script_are_those_of_its_calls() -> None:
    """The first failure keeps the host as it is; ``f`` withdraws it at once."""
    before = [Candidate("node1", STANDS), Candidate("node2", STANDS)]
    left = Candidate("node3", Verdict(WITHDRAWN, "on standby"))
    board: Board = {"node3": counted([FIT], SCRIPT)}
    outcomes = []
    answers = [(IN, IN), (FAILED, IN), (FAILED, IN), (FAILED, IN), (IN, WITHDRAWN), (IN, IN)]
    for now, answer in enumerate(answers):
        after = [c._replace(verdict=Verdict(o, "script")) for c, o in zip(before, answer)]
        board, judged = count_script([*before, left], [*after, left], board, SCRIPT, float(now))
        outcomes.append([c.verdict.outcome for c in judged])
    assert outcomes == [
        [IN, IN, WITHDRAWN],
        [IN, IN, WITHDRAWN],
        [IN, IN, WITHDRAWN],
        [FAILED, IN, WITHDRAWN],
        [UNKNOWN, WITHDRAWN, WITHDRAWN],
        [IN, UNKNOWN, WITHDRAWN],
    ]
    assert set(board) == {"node1", "node2"}


def test_a_script_that_takes_too_long_withdraws_first() -> None:
    before = [Candidate("node1", STANDS), Candidate("node2", STANDS)]
    after = [
        Candidate("node1", Verdict(FAILED, "timed out", silent=True)),
        Candidate("node2", STANDS),
    ]
    board: Board = {}
    outcomes = []
    for now in range(6):
        board, judged = count_script(before, after, board, SCRIPT, float(now))
        outcomes.append(judged[0].verdict.outcome)
    assert outcomes == [UNKNOWN, UNKNOWN, WITHDRAWN, WITHDRAWN, WITHDRAWN, FAILED]


def test_a_script_without_an_answer_changes_no_count() -> None:
    before = [Candidate("node1", STANDS)]
    after = [Candidate("node1", Verdict(UNKNOWN, "script cannot run"))]
    state = counted([FIT, REFUSED], SCRIPT)
    board, judged = count_script(before, after, {"node1": state}, SCRIPT, 9.0)
    assert board["node1"] == state._replace(problem="script cannot run")
    assert judged == after


# --- any sequence of results


class Step(NamedTuple):
    """A result of one host, the time that passes before its check, and a cycle after it or none."""

    host: int
    reply: Reply
    pause: float
    cycle: bool


STEPS = st.builds(
    Step,
    st.integers(0, 3),
    # Failures are more frequent, so that many of them follow each other.
    st.sampled_from([FIT, FIT, BUSY, UNWANTED, *3 * [REFUSED], *3 * [SILENT], NONE]),
    st.sampled_from([0.01, 0.2, 0.2, 1.0, 4.0]),
    st.booleans(),
)


def goal(keep: bool) -> Goal:
    return Goal(5432, "gate", DrainPolicy(300.0, keep))


def cycle(
    hosts: list[str],
    pool: Pool,
    board: Board,
    counting: Counting,
    now: float,
    keep: bool,
    reserves: Sequence[str],
) -> Pool:
    """Return the pool after a cycle in which Pacemaker's verdict is IN for all hosts."""
    candidates = [Candidate(host, STANDS) for host in hosts]
    judged = judge_all(candidates, board, counting, now, reserves).candidates
    located = [Located(c.host, c.host, 1, c.verdict) for c in judged]
    fallback = [Located(host, host, 1, STANDS) for host in reserves]
    decision = decide(pool, Findings(located, fallback, {}), goal(keep), {}, now)
    return {
        key: RealServer(config, Connections(0, 0)) for key, config in decision.real_servers.items()
    }


def serving(pool: Pool) -> set[str]:
    return {key.address for key, server in pool.items() if server.config.weight > 0}


@settings(max_examples=400, deadline=None)
@given(
    steps=st.lists(STEPS, max_size=60),
    number=st.integers(1, 4),
    fall=st.integers(1, 3),
    rise=st.integers(1, 3),
    admits=st.booleans(),
    keep=st.booleans(),
    reserves=st.sampled_from([[], ["10.77.0.19"]]),
)
def test_checks_alone_never_empty_the_pool_and_shrink_it_only_with_a_witness(
    steps: list[Step],
    number: int,
    fall: int,
    rise: int,
    admits: bool,
    keep: bool,
    reserves: list[str],
) -> None:
    hosts = [f"10.77.0.{11 + index}" for index in range(number)]
    counting = Counting(fall, rise, 3.0, admits)
    now = 100.0
    board: dict[str, CheckState] = {}
    pool = cycle(hosts, {}, board, counting, now, keep, reserves)
    assert serving(pool) == set(hosts)
    failing_since: dict[str, float] = {}
    unwanted: set[str] = set()
    answered_unwanted = False
    succeeded: dict[str, float] = {}  # host -> begin of its last success
    for step in steps:
        host = [*hosts, *reserves][step.host % (number + len(reserves))]
        began, now = now + step.pause, now + step.pause + 0.01
        result = CheckResult(step.reply, "so", began, now)
        board[host] = record(board.get(host) or begin_state(began), result, counting)
        if step.reply in (REFUSED, SILENT):
            failing_since.setdefault(host, now)
        elif step.reply is not NONE:
            failing_since.pop(host, None)
        if step.reply in (FIT, BUSY) or (step.reply is UNWANTED and host in reserves):
            succeeded[host] = began
        if step.reply is UNWANTED:
            unwanted.add(host)
            answered_unwanted = True
        elif step.reply is FIT:
            unwanted.discard(host)
        if not step.cycle:
            continue
        before, pool = serving(pool), cycle(hosts, pool, board, counting, now, keep, reserves)
        assert serving(pool) or (answered_unwanted and not keep and not reserves)
        for lost in before - serving(pool) - unwanted - set(reserves):
            assert any(
                began > failing_since[lost] for other, began in succeeded.items() if other != lost
            )
