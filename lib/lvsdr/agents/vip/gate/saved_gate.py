"""The history of the store's answers that an instance leaves to its next run, as a text file.

The existence of a file of this boot means that the instance was started.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....errors import LvsdrError
from ....leader.gate import Answer, Leadership, Standing, State
from ....ocf.safe_text import one_line
from ....system import state
from ....values.light_typing import NamedTuple

_NOBODY = "-"


class Record(NamedTuple):
    """The history, and ``question``, the query that the answers belong to."""

    question: str
    standing: Standing = Standing()


def recall(path: str) -> Record | None:
    """Return the record stored during this boot; None if it is missing or malformed."""
    header, _, text = state.read_text(path).partition("\n")
    if header != _header():
        return None
    try:
        return _parsed(text)
    except (ValueError, KeyError):
        return None


def store(path: str, record: Record) -> None:
    """Write the record for the next run; raise LvsdrError."""
    try:
        state.replace(path, "\n".join((_header(), *_lines(record), "")), 0o600)
    except OSError as error:
        raise LvsdrError(f"cannot write {path}: {error.strerror}") from None


def _header() -> str:
    return f"boot {state.boot_id()}"


def _lines(record: Record) -> Iterator[str]:
    latest, word, named, confirmed = record.standing
    yield f"question {one_line(record.question)}"
    if latest is not None:
        (found, reason, leader), asked, heard = latest
        who = _NOBODY if leader is None else one_line(leader)
        yield f"latest {found.name} {asked!r} {heard!r}"
        yield f"leader {who}"
        yield f"reason {one_line(reason)}"
    if word is not None:
        yield f"word {word.name}"
    if named is not None:
        yield f"named {named!r}"
    if confirmed is not None:
        yield f"confirmed {confirmed!r}"


def _parsed(text: str) -> Record:
    facts = dict(line.split(" ", 1) for line in text.splitlines())
    latest = None
    if "latest" in facts:
        found, asked, heard = facts["latest"].split(" ")
        said = Leadership(State[found], facts["reason"], _leader(facts["leader"]))
        latest = Answer(said, float(asked), float(heard))
    word = State[facts["word"]] if "word" in facts else None
    standing = Standing(latest, word, _moment(facts, "named"), _moment(facts, "confirmed"))
    return Record(facts["question"], standing)


def _leader(text: str) -> str | None:
    return None if text == _NOBODY else text


def _moment(facts: dict[str, str], name: str) -> float | None:
    return float(facts[name]) if name in facts else None
