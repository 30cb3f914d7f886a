"""Text from outside (parameters, errors of programs) in a form that is safe for operators."""

from __future__ import annotations


def one_line(text: str, limit: int = 2000) -> str:
    r"""Return ``text`` as a single printable line of at most ``limit`` characters.

    Pacemaker cuts an exit reason at the first newline.  A control character in a log is an attack.

    >>> one_line("refused:\n  no such\x1b[1m host\n")
    'refused: no such\\x1b[1m host'
    >>> one_line("a" * 30, limit=10)
    'aaaaaaa...'
    """
    line = " ".join(filter(None, (part.strip() for part in text.splitlines())))
    if not line.isprintable():
        line = "".join(_escaped(character) for character in line)
    return line if len(line) <= limit else line[: limit - 3] + "..."


def _escaped(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]
