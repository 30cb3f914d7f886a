"""The history of the store's answers that an instance leaves to its next run, as a text file.

The existence of a file of this boot means that the instance was started.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....errors import LvsdrError
from ....leader.gate import Answer, LeaderHistory, Leadership, State
from ....ocf.safe_text import format_one_line
from ....system import state
from ....values.light_typing import NamedTuple

_UNKNOWN_LEADER = "-"


class SavedGate(NamedTuple):
    """The history of the answers, and ``question``, the query that they belong to."""

    question: str
    history: LeaderHistory = LeaderHistory()


def recall(path: str) -> SavedGate | None:
    """Return the state stored during this boot; None if it is missing or malformed."""
    header, _, text = state.read_text(path).partition("\n")
    if header != _format_header():
        return None
    try:
        return _parse(text)
    except (ValueError, KeyError):
        return None


def store(path: str, gate: SavedGate) -> None:
    """Write the state for the next run; raise LvsdrError."""
    try:
        state.replace(path, "\n".join((_format_header(), *_format(gate), "")), 0o600)
    except OSError as error:
        raise LvsdrError(f"cannot write {path}: {error.strerror}") from None


def _format_header() -> str:
    return f"boot {state.boot_id()}"


def _format(gate: SavedGate) -> Iterator[str]:
    latest, last_state, leading_since, confirmed_at = gate.history
    yield f"question {format_one_line(gate.question)}"
    if latest is not None:
        (known, reason, leader), queried_at, answered_at = latest
        yield f"latest {known.name} {queried_at!r} {answered_at!r}"
        yield f"leader {_UNKNOWN_LEADER if leader is None else format_one_line(leader)}"
        yield f"reason {format_one_line(reason)}"
    if last_state is not None:
        yield f"word {last_state.name}"
    if leading_since is not None:
        yield f"named {leading_since!r}"
    if confirmed_at is not None:
        yield f"confirmed {confirmed_at!r}"


def _parse(text: str) -> SavedGate:
    facts = dict(line.split(" ", 1) for line in text.splitlines())
    history = LeaderHistory(
        latest=_parse_answer(facts) if "latest" in facts else None,
        last_state=State[facts["word"]] if "word" in facts else None,
        leading_since=_parse_time(facts, "named"),
        confirmed_at=_parse_time(facts, "confirmed"),
    )
    return SavedGate(facts["question"], history)


def _parse_answer(facts: dict[str, str]) -> Answer:
    known, queried_at, answered_at = facts["latest"].split(" ")
    leader = None if facts["leader"] == _UNKNOWN_LEADER else facts["leader"]
    leadership = Leadership(State[known], facts["reason"], leader)
    return Answer(leadership, float(queried_at), float(answered_at))


def _parse_time(facts: dict[str, str], name: str) -> float | None:
    return float(facts[name]) if name in facts else None
