"""State files with facts, which one run leaves to the next.

A file that is absent, unreadable, torn, malformed, of another kind or of another boot means the
same to its reader: no state is saved.  Facts with names that the reader does not know are ignored.
"""

from __future__ import annotations

from ..values.facts import format_facts, parse_facts, split_lines
from .small_files import read_boot_id, read_text, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Callable, TypeVar

    from ..values.facts import Facts

    T = TypeVar("T")


def read_lines(path: str, kind: str) -> list[str] | None:
    """Return the lines of a whole file of this kind and boot; None for any other file."""
    return split_lines(read_text(path), kind, read_boot_id())


def load_facts(path: str, kind: str, parse: Callable[[Facts], T]) -> T | None:
    """Return the state that ``parse`` makes of the facts saved during this boot; None without any.

    ``parse`` raises LookupError, TypeError or ValueError for malformed facts.
    """
    lines = read_lines(path, kind)
    try:
        return None if lines is None else parse(parse_facts(lines))
    except (LookupError, TypeError, ValueError):
        return None


def render_facts(kind: str, facts: Iterable[tuple[str, object]]) -> str:
    """Return the text of a file of this boot."""
    return format_facts(kind, read_boot_id(), facts)


def store_facts(path: str, kind: str, facts: Iterable[tuple[str, object]]) -> None:
    """Replace a file atomically; raise LvsdrError."""
    try:
        replace(path, render_facts(kind, facts), 0o600)
    except OSError as error:  # the error of a full disk does not name the file
        from ..errors import LvsdrError  # a reader does not need it

        raise LvsdrError(f"cannot write {path}: {error.strerror}") from None
