"""The results of the checks of one host, counted.  Pure.

Failures and successes count while they follow each other.  A host is down from the ``fall``-th
failure, or from an answer that it is not wanted, until ``rise`` successes.  ``check_verdict`` draws
the conclusions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from math import isfinite

from ..values.light_typing import NamedTuple
from ..values.parsing import is_decimal


class Reply(Enum):
    """The kind of a check's result."""

    FIT = "fit"
    """The host serves."""
    BUSY = "busy"
    """The host answers, but refuses the login: no slot is free, or the password is wrong."""
    UNWANTED = "unwanted"
    """The host answers that it is no real server: ``f``, not in recovery, too far behind."""
    REFUSED = "refused"
    """The connection is refused, there is no route, or the server is starting up."""
    SILENT = "silent"
    """No answer came in time."""
    NONE = "none"
    """The check could not be made, for a reason on this node.  It does not count."""


class CheckResult(NamedTuple):
    """The result of one check; times are in seconds on the monotonic clock of this boot."""

    reply: Reply
    reason: str
    began: float
    ended: float


class CheckState(NamedTuple):
    """The counts of one host."""

    last: CheckResult
    """The last result that counts.  Before the first one: NONE, at the begin of the checks."""
    failures: int = 0
    """Consecutive failures of both kinds."""
    refusals: int = 0
    """Consecutive failures since the last one that was SILENT."""
    failed_at: float = 0.0
    """The end of the first of the consecutive failures."""
    successes: int = 0
    """Consecutive successes."""
    down: bool = False
    unwanted: bool = False
    """True for a host that is down because of its own answer."""
    proven: bool = False
    """True for a host that was fit since the checks began."""
    problem: str = ""
    """The reason why the last check could not be made; empty if it was made."""
    answers_since: float = 0.0
    """The begin of the first of the consecutive checks that had an answer of any kind."""


Board = Mapping[str, CheckState]
"""The counts of all hosts that are checked, by host."""


class Counting(NamedTuple):
    """The rules of counting, from the parameters."""

    fall: int
    rise: int
    max_age: float
    """Seconds after which a result does not count any more."""
    admits: bool = False
    """True for a check script.

    A candidate needs its success to be added.  Without it, the cluster's state suffices.
    """


_INTERVALS_OF_A_RESULT = 3  # after so many intervals a result does not count any more
_LEAST_INTERVAL = 1.0  # seconds; a cycle may begin and read the results this much later


def compute_max_age(interval: float, timeout: float) -> float:
    """Return the seconds for which a result counts; a check may take as long as its time limit.

    >>> compute_max_age(2.0, 1.0), compute_max_age(0.1, 0.1)
    (6.0, 3.0)
    """
    return _INTERVALS_OF_A_RESULT * max(interval, timeout, _LEAST_INTERVAL)


def name_check(kind: str, port: int) -> str:
    """Return the name under which counts are stored; those of another check do not count."""
    return f"{kind} {port}"


def begin_state(now: float) -> CheckState:
    """Return the state of a host whose checks begin now."""
    return CheckState(CheckResult(Reply.NONE, "no result yet", now, now))


def record(state: CheckState, result: CheckResult, counting: Counting) -> CheckState:
    """Return the state after one more result."""
    if result.reply is Reply.NONE:
        return state._replace(problem=result.reason)
    answered = state.last.reply is not Reply.NONE and not state.failures
    since = state.answers_since if answered else result.began
    state = state._replace(last=result, problem="", answers_since=since)
    if result.reply is Reply.UNWANTED:
        return state._replace(failures=0, refusals=0, successes=0, down=True, unwanted=True)
    if result.reply in (Reply.REFUSED, Reply.SILENT):
        return _record_failure(state, result, counting.fall)
    state = state._replace(failures=0, refusals=0)
    if result.reply is Reply.BUSY and state.unwanted:
        return state  # without a login it is not known whether the host is wanted again
    state = state._replace(successes=state.successes + 1, proven=True)
    risen = state.successes >= counting.rise
    return state._replace(down=False, unwanted=False) if risen else state


def _record_failure(state: CheckState, result: CheckResult, fall: int) -> CheckState:
    failures = state.failures + 1
    return state._replace(
        failures=failures,
        refusals=state.refusals + 1 if result.reply is Reply.REFUSED else 0,
        failed_at=state.failed_at if state.failures else result.ended,
        successes=0,
        down=state.down or failures >= fall,
    )


def render_board(board: Board, check: str) -> list[tuple[str, str]]:
    """Return names and values for a state file; ``check`` names the check and its settings.

    >>> render_board({"node1": begin_state(5.0)}, "tcp 5432")
    [('check', 'tcp 5432'), ('host', 'node1 0 0 0.0 0 0.0 - none 5.0 5.0 no result yet')]
    """
    hosts = [("host", _render(host, state)) for host, state in board.items()]
    problems = [
        ("problem", f"{host} {' '.join(state.problem.split())}")
        for host, state in board.items()
        if state.problem
    ]
    return [("check", check), *hosts, *problems]


def _render(host: str, state: CheckState) -> str:
    flags = [name for name in _FLAGS if getattr(state, name)]
    last = state.last
    fields = (
        *(host, state.failures, state.refusals, state.failed_at, state.successes),
        state.answers_since,
        *("+".join(flags) or "-", last.reply.value, last.began, last.ended),
        " ".join(last.reason.split()),
    )
    return " ".join(map(str, fields))


_FLAGS = ("down", "unwanted", "proven")


def parse_board(values: Mapping[str, Iterable[str]], check: str) -> dict[str, CheckState]:
    """Return the counts in a state file of this check; a malformed line is left out.

    Counts of another check, or of other settings, begin anew.

    >>> facts = {"check": ["tcp 80"], "host": ["node1 0 0 0.0 1 5.0 proven fit 5.0 5.5 ok"]}
    >>> list(parse_board(facts, "tcp 80")), list(parse_board(facts, "tcp 81"))
    (['node1'], [])
    """
    board: dict[str, CheckState] = {}
    if list(values.get("check", ())) != [check]:
        return board
    for line in values.get("host", ()):
        try:
            host, state = _parse(line)
        except ValueError:
            continue
        board[host] = state
    for line in values.get("problem", ()):
        host, _, problem = line.partition(" ")
        if host in board:
            board[host] = board[host]._replace(problem=problem)
    return board


def _parse(line: str) -> tuple[str, CheckState]:
    """Return host and state; raise ValueError for any line that ``_render`` does not write."""
    host, *counts, since, flags, reply, began, ended, reason = line.split(" ", 10)
    failures, refusals, failed_at, successes = counts
    names = [] if flags == "-" else flags.split("+")
    if not set(names) <= set(_FLAGS):
        raise ValueError
    return host, CheckState(
        last=CheckResult(Reply(reply), reason, _time(began), _time(ended)),
        failures=_count(failures),
        refusals=_count(refusals),
        failed_at=_time(failed_at),
        successes=_count(successes),
        down="down" in names,
        unwanted="unwanted" in names,
        proven="proven" in names,
        answers_since=_time(since),
    )


def _count(text: str) -> int:
    if not is_decimal(text):
        raise ValueError
    return int(text)


def _time(text: str) -> float:
    if not isfinite(float(text)):
        raise ValueError
    return float(text)
