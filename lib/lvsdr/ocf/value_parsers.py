"""Parsers for the values of parameters: from the text that Pacemaker passes to a typed value.

A parser describes its legal values, so that errors, metadata and manual agree.  Any other function
from ``str`` serves as well, if it raises ValueError with the legal values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from re import Pattern

from ..values.light_typing import Generic, TypeVar
from ..values.parsing import is_decimal, parse_seconds

T = TypeVar("T")

_TRUTH = {
    **dict.fromkeys(("true", "yes", "on", "1", "ja"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}

OPPOSITE = {text: "false" if truth else "true" for text, truth in _TRUTH.items()}
"""The opposite of each text that means true or false."""


class Parser(Generic[T]):
    """A conversion from text, with the description of its legal values.

    ``legal`` completes the sentence "must be ...".  ``content`` and ``options`` are the type and
    the choices in the metadata (OCF 1.1: string, integer, boolean, or select with options).
    ``discreet`` keeps the text, which may contain a secret, out of error messages.
    """

    __slots__ = ("_convert", "content", "discreet", "legal", "options")

    def __init__(
        self,
        convert: Callable[[str], T],
        legal: str,
        *,
        content: str = "string",
        options: tuple[str, ...] = (),
        discreet: bool = False,
    ) -> None:
        self._convert = convert
        self.legal = legal
        self.content = content
        self.options = options
        self.discreet = discreet

    def __call__(self, text: str) -> T:
        """Return the value of ``text``; raise ValueError with the legal values.

        A ValueError of the conversion contributes its message, which may be empty.
        """
        try:
            return self._convert(text)
        except ValueError as error:
            detail = f": {error}" if str(error) else ""
            raise ValueError(f"must be {self.legal}{detail}") from None


def whole_number(low: int = 0, high: int | None = None) -> Parser[int]:
    """Return a parser of whole numbers from ``low`` to ``high``, both included.

    >>> whole_number(1, 65535)("5432")
    5432
    >>> whole_number(1, 65535)("http")
    Traceback (most recent call last):
    ValueError: must be a whole number from 1 to 65535
    """

    def convert(text: str) -> int:
        if not is_decimal(text.removeprefix("-")):
            raise ValueError
        number = int(text)
        if number < low or (high is not None and number > high):
            raise ValueError
        return number

    bounds = f"of {low} or more" if high is None else f"from {low} to {high}"
    return Parser(convert, f"a whole number {bounds}", content="integer")


def _parse_truth(text: str) -> bool:
    try:
        return _TRUTH[text.lower()]
    except KeyError:
        raise ValueError from None


def is_true(text: str) -> bool:
    """Test whether ``text`` means yes, like ocf_is_true of the shell functions.

    >>> is_true("True"), is_true("0"), is_true("perhaps")
    (True, False, False)
    """
    return _TRUTH.get(text.lower(), False)


def one_of(*names: str) -> Parser[str]:
    """Return a parser that accepts exactly one of ``names``.

    >>> one_of("tcp", "udp")("TCP")
    Traceback (most recent call last):
    ValueError: must be tcp or udp
    """

    def convert(text: str) -> str:
        if text not in names:
            raise ValueError
        return text

    return Parser(convert, " or ".join(names), content="select", options=names)


def word_or(word: str, meaning: T, otherwise: Parser[T]) -> Parser[T]:
    """Return a parser of ``word``, which stands for ``meaning``, and of ``otherwise``'s values.

    >>> word_or("never", float("inf"), duration)("never")
    inf
    """

    def convert(text: str) -> T:
        if text == word:
            return meaning
        try:
            return otherwise(text)
        except ValueError:
            raise ValueError from None  # the message below has the legal values of both

    return Parser(convert, f"{otherwise.legal}, or {word}")


def _require_absolute(text: str) -> str:
    if not text.startswith("/") or "\0" in text:
        raise ValueError
    return text


def _compile(text: str) -> Pattern[str]:
    from ..values.patterns import translate_pattern  # late: few agents have such a parameter

    try:
        return re.compile(translate_pattern(text))
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _split_words(text: str) -> tuple[str, ...]:
    import shlex  # late: only agents with a script need it

    words = tuple(shlex.split(text))
    if not words or not words[0]:
        raise ValueError("it names no program")
    return words


boolean = Parser(_parse_truth, "true or false (or yes, no, on, off, 1, 0)", content="boolean")

# Seconds, as a float.
duration = Parser(parse_seconds, "a duration such as 10, 10s, 500ms, 5min or 1h")

absolute_path = Parser(_require_absolute, "an absolute path")

# Compiled, with the classes of grep -E; the caller decides whether it must match the whole.
regular_expression = Parser(_compile, "a regular expression")

# The argument vector: no expansion, no shell.
command_line = Parser(
    _split_words, "a program and its arguments, quoted as for a shell", discreet=True
)
