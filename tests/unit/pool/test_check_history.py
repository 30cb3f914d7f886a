"""The counted results of checks, and their lines in a state file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lvsdr.pool.check_history import (
    CheckResult,
    CheckState,
    Counting,
    Reply,
    begin_state,
    parse_board,
    record,
    render_board,
)

COUNTING = Counting(fall=3, rise=2, max_age=3.0)
CHECK = "postgres 5432"

TIMES = st.floats(min_value=0, max_value=1e9, allow_nan=False)
RESULTS = st.builds(
    CheckResult,
    st.sampled_from(Reply),
    st.sampled_from(["refused", "two\nlines", "", "a  b", "it's ☂"]),
    TIMES,
    TIMES,
)


def stored(board: dict[str, CheckState], check: str = CHECK) -> dict[str, list[str]]:
    """Return the facts as a reader of the state file gets them."""
    facts: dict[str, list[str]] = {}
    for line in "".join(f"{n} {v}\n" for n, v in render_board(board, check)).split("\n")[:-1]:
        name, _, value = line.partition(" ")
        facts.setdefault(name, []).append(value)
    return facts


@given(st.dictionaries(st.sampled_from(["node1", "10.77.0.12", "fd77::3"]), st.lists(RESULTS)))
def test_counts_survive_a_restart(results: dict[str, list[CheckResult]]) -> None:
    board = {}
    for host, given_results in results.items():
        state = begin_state(5.0)
        for result in given_results:
            state = record(state, result, COUNTING)
        board[host] = state
    expected = {
        host: state._replace(
            problem=" ".join(state.problem.split()),
            last=state.last._replace(reason=" ".join(state.last.reason.split())),
        )
        for host, state in board.items()
    }
    assert parse_board(stored(board), CHECK) == expected


def test_the_counts_of_another_check_begin_anew() -> None:
    facts = stored({"node1": begin_state(5.0)})
    assert parse_board(facts, "tcp 5432") == {}
    assert parse_board({"host": facts["host"]}, CHECK) == {}
    assert parse_board({}, CHECK) == {}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "node1",
        "node1 0 0 0.0 0 - none 5.0 5.0",
        "node1 -1 0 0.0 0 - none 5.0 5.0 no result",
        "node1 0 x 0.0 0 - none 5.0 5.0 no result",
        "node1 0 0 nan 0 - none 5.0 5.0 no result",
        "node1 0 0 0.0 0 - none 5.0 inf no result",
        "node1 0 0 0.0 0 up none 5.0 5.0 no result",
        "node1 0 0 0.0 0 - perhaps 5.0 5.0 no result",
    ],
)
def test_a_malformed_line_is_left_out(line: str) -> None:
    facts = stored({"node2": begin_state(5.0)})
    facts["host"].insert(0, line)
    facts["problem"] = ["node1 too many open files", ""]
    assert set(parse_board(facts, CHECK)) == {"node2"}


def test_counts_of_a_row_of_results() -> None:
    state = begin_state(0.0)
    rows = []
    for number, reply in enumerate(
        [Reply.REFUSED, Reply.REFUSED, Reply.SILENT, Reply.NONE, Reply.REFUSED, Reply.FIT]
    ):
        result = CheckResult(reply, "so", number, number + 0.5)
        state = record(state, result, COUNTING)
        rows.append((state.failures, state.refusals, state.failed_at, state.successes, state.down))
    assert rows == [
        (1, 1, 0.5, 0, False),
        (2, 2, 0.5, 0, False),
        (3, 0, 0.5, 0, True),
        (3, 0, 0.5, 0, True),
        (4, 1, 0.5, 0, True),
        (0, 0, 0.5, 1, True),
    ]
    assert record(state, CheckResult(Reply.SILENT, "so", 6.0, 7.0), COUNTING).failed_at == 7.0
