"""Effect and answer of a monitor, for every decision on the address."""

from __future__ import annotations

import pytest
from lvsdr.agents.vip.gate.leadership import (
    KEEPING_SCORE,
    LEADING_SCORE,
    MonitorResult,
    choose_result,
)
from lvsdr.errors import ExitCode
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

# has the address? | to have it? | an operator should look | release, score, answer
TABLE = """
yes | yes | no  | stays    | 1000 | RUNNING_PROMOTED
yes | yes | yes | stays    | 10   | DEGRADED_PROMOTED
yes | no  | no  | released | none | DEGRADED_PROMOTED
yes | no  | yes | released | none | DEGRADED_PROMOTED
no  | yes | no  | stays    | 1000 | SUCCESS
no  | no  | no  | stays    | none | SUCCESS
no  | no  | yes | stays    | none | DEGRADED
"""


@pytest.mark.parametrize("row", TABLE.strip().splitlines())
def test_the_table(row: str) -> None:
    has, hold, degraded, becomes, score, code = (cell.strip() for cell in row.split("|"))
    decision = HoldDecision(hold == "yes", "why", degraded=degraded == "yes")
    assert choose_result(decision, holding=has == "yes") == MonitorResult(
        becomes == "released", None if score == "none" else int(score), ExitCode[code]
    )


# The store's states in monitors a few seconds apart, with the address here | on_dcs_unreachable |
# the answer of the last monitor.
STORY = """
leader                              | release | RUNNING_PROMOTED 1000
leader, follower                    | release | DEGRADED_PROMOTED released
leader, follower                    | keep    | DEGRADED_PROMOTED released
leader, no leader                   | release | DEGRADED_PROMOTED 10
leader, no leader, no leader, no leader, no leader | keep | DEGRADED_PROMOTED released
leader, unknown                     | release | DEGRADED_PROMOTED 10
leader, unknown, unknown, unknown   | release | DEGRADED_PROMOTED 10
leader, unknown, unknown, unknown, unknown | release | DEGRADED_PROMOTED released
leader, unknown, unknown, unknown, unknown | keep | DEGRADED_PROMOTED 10
leader, unknown, leader             | release | RUNNING_PROMOTED 1000
leader, no leader, leader           | release | RUNNING_PROMOTED 1000
leader, no leader, unknown          | release | DEGRADED_PROMOTED released
follower, unknown                   | keep    | DEGRADED_PROMOTED released
"""


@pytest.mark.parametrize("row", STORY.strip().splitlines())
def test_monitors_every_three_seconds(row: str) -> None:
    said, unreachable, expected = (cell.strip() for cell in row.split("|"))
    policy = LeaderPolicy(10.0, Unreachable(unreachable), settle=1.0 + 10.0 / 3)
    standing, now = LeaderHistory(), 1000.0
    for state in said.split(", "):
        now += 3.0
        answer = Answer(Leadership(State(state), f"said {state}"), now, now + 0.1)
        standing = record_answer(standing, answer, policy)
    found = choose_result(
        decide(standing, holding=True, now=now + 0.1, policy=policy), holding=True
    )
    assert expected == f"{found.code.name} {'released' if found.release else found.score}"


def test_the_scores() -> None:
    assert 0 < KEEPING_SCORE < LEADING_SCORE
