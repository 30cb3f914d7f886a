"""The decision on the address: every combination of knowledge, possession and policy."""

from __future__ import annotations

import itertools

import pytest
from lvsdr.leader.gate import (
    Answer,
    HoldDecision,
    LeaderHistory,
    LeaderPolicy,
    Leadership,
    State,
    Unreachable,
    decide,
    record_answer,
)

NOW = 1000.0
RELEASE = LeaderPolicy(grace=10.0, settle=1.0)
LEADER, FOLLOWER = State.LEADER, State.FOLLOWER


def answer(state: State, ago: float = 0.0) -> Answer:
    """Return an answer to a query of so many seconds ago, which came at once."""
    leader = "node2" if state is FOLLOWER else None
    return Answer(Leadership(state, f"said {state.value}", leader), NOW - ago, NOW - ago)


# Answers with their ages in seconds, oldest first | has the address? | on_dcs_unreachable |
# has it afterwards?, and "degraded" if an operator should look.
TABLE = """
# It leads.
leader 0                          | yes | release | yes
leader 0                          | no  | release | yes
leader 0                          | yes | keep    | yes
leader 4.9                        | yes | release | yes
unknown 3, leader 0               | yes | release | yes
follower 3, leader 0              | no  | release | yes
# Another leads: at once, whatever was before, whatever is to happen on ignorance.
follower 0                        | yes | release | no
follower 0                        | no  | release | no
leader 0.1, follower 0            | yes | release | no
leader 0.1, follower 0            | yes | keep    | no
leader 2, unknown 1, follower 0   | yes | keep    | no
follower 500                      | yes | keep    | no
# No leader: within the grace the address stays where it is, and goes nowhere.
leader 3, no leader 0             | yes | release | yes degraded
leader 3, no leader 0             | yes | keep    | yes degraded
leader 3, no leader 0             | no  | release | no
leader 9.9, no leader 0           | yes | release | yes degraded
leader 10, no leader 5, no leader 0 | yes | release | no
leader 10, no leader 5, no leader 0 | yes | keep  | no
no leader 0                       | yes | release | no
no leader 0                       | yes | keep    | no
no leader 0                       | no  | release | no
leader 3, follower 1, no leader 0 | yes | release | no
# It is not running: at once, and what follows is no reason to have it either.
stopped 0                         | yes | release | no degraded
leader 0.1, stopped 0             | yes | keep    | no degraded
leader 0.1, stopped 0             | no  | release | no degraded
leader 2, stopped 1, unknown 0    | yes | release | no degraded
leader 2, stopped 1, unknown 0    | yes | keep    | no degraded
leader 2, stopped 1, no leader 0  | yes | release | no
stopped 1, leader 0               | yes | release | yes
# Nothing is known: what was said last counts for the grace, then the policy.
leader 3, unknown 0               | yes | release | yes degraded
leader 3, unknown 0               | yes | keep    | yes degraded
leader 3, unknown 0               | no  | release | no degraded
leader 3, unknown 0               | no  | keep    | no degraded
leader 9.9, unknown 5, unknown 0  | yes | release | yes degraded
leader 10, unknown 5, unknown 0   | yes | release | no degraded
leader 10, unknown 5, unknown 0   | yes | keep    | yes degraded
leader 900, unknown 0             | yes | keep    | yes degraded
# The last answer named no leader: any node may lead by now.
leader 3, no leader 1, unknown 0  | yes | release | no degraded
leader 3, no leader 1, unknown 0  | yes | keep    | no degraded
follower 1, unknown 0             | yes | keep    | no degraded
# Nothing was ever said: that the address is there already is no reason to have it.
unknown 0                         | yes | release | no degraded
unknown 0                         | yes | keep    | yes degraded
unknown 0                         | no  | keep    | no degraded
                                  | yes | release | no degraded
                                  | yes | keep    | yes degraded
                                  | no  | release | no degraded
# An answer that is too old is none.
leader 5                          | yes | release | yes degraded
leader 5                          | no  | release | no degraded
leader 10                         | yes | release | no degraded
leader 10                         | yes | keep    | yes degraded
leader 3, no leader 0.4           | yes | release | yes degraded
leader 3, no leader 0.5           | yes | release | no degraded
"""
ROWS = [line for line in TABLE.splitlines() if line and not line.startswith("#")]


def standing(text: str, policy: LeaderPolicy = RELEASE) -> LeaderHistory:
    """Return the standing after answers that are written like those above."""
    found = LeaderHistory()
    for each in filter(None, text.strip().split(", ")):
        state, _, ago = each.rpartition(" ")
        found = record_answer(found, answer(State(state), float(ago)), policy)
    return found


def decided(text: str, holding: bool, policy: LeaderPolicy = RELEASE) -> HoldDecision:
    return decide(standing(text, policy), holding=holding, now=NOW, policy=policy)


@pytest.mark.parametrize("row", ROWS)
def test_the_table(row: str) -> None:
    answers, before, unreachable, after = (cell.strip() for cell in row.split("|"))
    policy = RELEASE._replace(unreachable=Unreachable(unreachable))
    decision = decided(answers, before == "yes", policy)
    found = ("yes" if decision.hold else "no") + (" degraded" if decision.degraded else "")
    assert found == after
    assert decision.reason


@pytest.mark.parametrize("unreachable", Unreachable)
@pytest.mark.parametrize("holding", [True, False])
@pytest.mark.parametrize("earlier", [None, *State])
def test_the_invariants_hold_in_every_row(
    earlier: State | None, holding: bool, unreachable: Unreachable
) -> None:
    """Only the leader takes the address, and another leader ends every hold.

    Silence never gives the address. With on_dcs_unreachable=release it ends a hold within the
    longer of grace and `contact`.
    """
    policy = RELEASE._replace(unreachable=unreachable)
    for latest, ago, age in itertools.product(State, (0.0, 0.6, 6.0, 60.0), (1.0, 8.0, 80.0)):
        before = f"{earlier.value} {ago + age}, " if earlier else ""
        decision = decided(f"{before}{latest.value} {ago}", holding, policy)
        if decision.hold and not holding:
            assert latest is LEADER
            assert ago < policy.answer_max_age
        if latest is FOLLOWER:
            assert not decision.hold
        if decision.hold and latest is not LEADER:
            assert decision.degraded
        if decision.hold and unreachable is Unreachable.RELEASE:
            assert decision.review is not None
            later = decide(
                standing(f"{before}{latest.value} {ago}", policy),
                holding=True,
                now=NOW + max(policy.grace, policy.answer_max_age),
                policy=policy,
            )
            assert not later.hold


@pytest.mark.parametrize("grace", [0.0, 1.0, 2.0, 10.0, 60.0])
def test_without_an_answer_the_address_is_released_in_time(grace: float) -> None:
    """Without an answer the address is gone when the longer of grace and `contact` is over.

    The loop decides again at each moment that the last decision named for its review.
    """
    policy = LeaderPolicy(grace=grace)
    found, now = standing("leader 0", policy), NOW
    decision = decide(found, holding=True, now=now, policy=policy)
    while decision.hold:
        assert decision.review is not None
        assert decision.review > now
        now = decision.review
        decision = decide(found, holding=True, now=now, policy=policy)
    assert now == NOW + max(grace, policy.answer_max_age)


@pytest.mark.parametrize(
    ("answers", "not_before"),
    [
        ("leader 0", NOW + 1.0),
        ("leader 0.6, leader 0", NOW + 0.4),
        ("leader 4, leader 2, leader 0", NOW - 3.0),
        ("leader 4, unknown 2, leader 0", NOW + 1.0),
        ("leader 4, follower 2, leader 0", NOW + 1.0),
        ("leader 4, no leader 2, leader 0", NOW + 1.0),
        ("leader 8, leader 0", NOW + 1.0),  # too far apart: the time in between is unknown
    ],
)
def test_the_address_is_taken_after_settle(answers: str, not_before: float) -> None:
    assert decided(answers, holding=False).not_before == not_before
    assert decided(answers, holding=True).not_before is None


@pytest.mark.parametrize(
    ("answers", "holding", "reason"),
    [
        ("follower 0", True, "said follower"),
        ("leader 3, unknown 0", True, "said unknown; the address is kept for 7.0 s more"),
        ("leader 3, no leader 0", True, "said no leader; the address is kept for 7.0 s more"),
        ("leader 11, unknown 0", True, "said unknown, and the grace of 10 s is over"),
        ("leader 11, no leader 0", True, "said no leader, and the grace of 10 s is over"),
        (
            "no leader 1, unknown 0",
            True,
            "said unknown; when it last answered, this node did not lead",
        ),
        ("leader 6", True, "no answer for 6.0 s; the last one was: said leader; the address is "
         "kept for 4.0 s more"),
        ("", False, "the store has not answered yet"),
    ],
)  # fmt: skip
def test_a_decision_has_its_reason(answers: str, holding: bool, reason: str) -> None:
    assert decided(answers, holding).reason == reason


@pytest.mark.parametrize("grace", [0.0, 0.5, 1.0, 4.0, 10.0, 60.0, 3600.0])
def test_the_pace_suits_the_grace(grace: float) -> None:
    """A grace of a few seconds leaves time for more than one query."""
    policy = LeaderPolicy(grace=grace)
    assert 0.5 <= policy.refresh <= 5
    assert 1 <= policy.timeout <= 5
    if grace >= 4:
        assert policy.answer_max_age <= grace / 2


@pytest.mark.parametrize(
    ("ago", "holds"), [(0.5, True), (1.9, True), (2.0, False)], ids=["just now", "almost", "over"]
)
def test_silence_may_count_for_less_than_the_grace(ago: float, holds: bool) -> None:
    policy = RELEASE._replace(silence=2.0)
    standing = record_answer(LeaderHistory(), answer(LEADER, ago), policy)
    standing = record_answer(standing, answer(State.UNKNOWN), policy)
    assert decide(standing, holding=True, now=NOW, policy=policy).hold is holds
    assert policy.answer_max_age < policy.silence


def test_only_an_answer_with_this_node_confirms() -> None:
    """Only an answer that names this node confirms the address.

    An announcement needs such an answer, and the age of the answer counts.
    """
    standing = record_answer(LeaderHistory(), answer(LEADER, 1.0), RELEASE)
    assert decide(standing, holding=True, now=NOW, policy=RELEASE).confirmed_at == NOW - 1.0
    for state in (State.UNKNOWN, State.NO_LEADER):
        kept = record_answer(standing, answer(state), RELEASE)
        decision = decide(kept, holding=True, now=NOW, policy=RELEASE)
        assert (decision.hold, decision.confirmed_at) == (True, None)
