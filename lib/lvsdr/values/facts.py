"""The text of a state file: a header, and facts.

The header has the kind of the file and the boot, because the times in it are of one boot.  Each
other line is a fact: a name, a blank and a value.  A name may repeat.  A name never changes its
meaning, so that a reader can ignore the names of a newer release.  A file whose known facts change
their meaning gets another kind.

The module imports nothing: every monitor needs it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Callable, TypeVar

    T = TypeVar("T")
    Facts = Mapping[str, Sequence[str]]


def format_facts(kind: str, boot: str, facts: Iterable[tuple[str, object]]) -> str:
    r"""Return the text of a file.

    A value is a text, a number or a tuple.  A fact is left out if its value is None.  A value with
    several lines becomes one line.

    >>> format_facts("pool", "7", [("drain", ("10.9.0.11", 80, 2.5)), ("x", None), ("y", "a\nb")])
    'pool of boot 7\ndrain 10.9.0.11 80 2.5\ny a b\n'
    """
    lines = (f"{name} {_format_value(value)}" for name, value in facts if value is not None)
    return "\n".join((f"{kind} of boot {boot}", *lines, ""))


def _format_value(value: object) -> str:
    text = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return " ".join(text.splitlines())


def split_lines(text: str, kind: str, boot: str) -> list[str] | None:
    r"""Return the lines below the header; None for a torn file, another kind or another boot.

    >>> split_lines("pool of boot 7\naddress 10.9.0.11 node1\n", "pool", "7")
    ['address 10.9.0.11 node1']
    >>> split_lines("pool of boot 7\naddress 10.9.0.11 no", "pool", "7")
    """
    header, *lines = text.splitlines() or [""]
    # Earlier versions wrote most files with a header that named only the boot.
    known = header in (f"{kind} of boot {boot}", f"boot {boot}")
    return lines if known and text.endswith("\n") else None


def parse_facts(lines: Iterable[str]) -> Facts:
    """Return the values of each name; raise ValueError for a line that is no fact.

    >>> parse_facts(["address 10.9.0.11 node1", "address 10.9.0.12 node2", "service tcp"])
    {'address': ['10.9.0.11 node1', '10.9.0.12 node2'], 'service': ['tcp']}
    """
    facts: dict[str, list[str]] = {}
    for line in lines:
        name, value = line.split(" ", 1)
        facts.setdefault(name, []).append(value)
    return facts


def find_value(facts: Facts, name: str, parse: Callable[..., T]) -> T | None:
    """Return the value that ``parse`` makes of the words of a fact, or None without the fact.

    Raise TypeError for too few or too many words, and ValueError if the fact is repeated.
    """
    return parse(*get_value(facts, name).split(" ")) if name in facts else None


def get_value(facts: Facts, name: str) -> str:
    """Return the value of a fact; raise ValueError unless there is exactly one."""
    (value,) = facts.get(name, ())
    return value
