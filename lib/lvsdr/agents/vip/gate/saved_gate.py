"""The history of the store's answers that an instance leaves to its next run.

The existence of a file of this boot means that the instance was started.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....leader.gate import Answer, LeaderHistory, Leadership, State
from ....system.saved_facts import load_facts, store_facts
from ....values.facts import find_value, get_value
from ....values.light_typing import NamedTuple
from ....values.safe_text import format_one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....values.facts import Facts

_KIND = "gate"
_UNKNOWN_LEADER = "-"


class SavedGate(NamedTuple):
    """The history of the answers, and ``question``, the query that they belong to."""

    question: str
    history: LeaderHistory = LeaderHistory()


def recall(path: str) -> SavedGate | None:
    """Return the state stored during this boot; None if it is missing or malformed."""
    return load_facts(path, _KIND, _parse)


def store(path: str, gate: SavedGate) -> None:
    """Write the state for the next run; raise LvsdrError."""
    store_facts(path, _KIND, _list_facts(gate))


def _list_facts(gate: SavedGate) -> Iterator[tuple[str, object]]:
    latest, last_state, leading_since, confirmed_at = gate.history
    yield "question", format_one_line(gate.question)
    if latest is not None:
        (known, reason, leader), queried_at, answered_at = latest
        yield "latest", (known.name, queried_at, answered_at)
        yield "leader", _UNKNOWN_LEADER if leader is None else format_one_line(leader)
        yield "reason", format_one_line(reason)
    yield "word", last_state and last_state.name
    yield "named", leading_since
    yield "confirmed", confirmed_at


def _parse(facts: Facts) -> SavedGate:
    history = LeaderHistory(
        latest=_parse_answer(facts) if "latest" in facts else None,
        last_state=find_value(facts, "word", lambda name: State[name]),
        leading_since=find_value(facts, "named", float),
        confirmed_at=find_value(facts, "confirmed", float),
    )
    return SavedGate(get_value(facts, "question"), history)


def _parse_answer(facts: Facts) -> Answer:
    known, queried_at, answered_at = get_value(facts, "latest").split(" ")
    leader = get_value(facts, "leader")
    leadership = Leadership(
        State[known], get_value(facts, "reason"), None if leader == _UNKNOWN_LEADER else leader
    )
    return Answer(leadership, float(queried_at), float(answered_at))
