"""The parsers of values."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lvsdr.ocf.value_parsers import (
    Parser,
    absolute_path,
    boolean,
    command_line,
    duration,
    is_true,
    one_of,
    regular_expression,
    whole_number,
    word_or,
)

PORT = whole_number(1, 65535)
DRAIN = word_or("never", math.inf, duration)


@pytest.mark.parametrize(
    ("parser", "text", "value"),
    [
        (PORT, "1", 1),
        (PORT, "65535", 65535),
        (PORT, "05432", 5432),
        (whole_number(-5, 5), "-5", -5),
        (whole_number(3), "999999", 999999),
        (boolean, "true", True),
        (boolean, "YES", True),
        (boolean, "On", True),
        (boolean, "1", True),
        (boolean, "FALSE", False),
        (boolean, "no", False),
        (boolean, "off", False),
        (boolean, "0", False),
        (duration, "0", 0.0),
        (duration, "10", 10.0),
        (duration, "10s", 10.0),
        (duration, "10 sec", 10.0),
        (duration, "500ms", 0.5),
        (duration, "250msec", 0.25),
        (duration, "2us", 2e-6),
        (duration, "5min", 300.0),
        (duration, "5m", 300.0),
        (duration, "1h", 3600.0),
        (duration, "1HR", 3600.0),
        (DRAIN, "never", math.inf),
        (DRAIN, "3s", 3.0),
        (one_of("gate", "ipip", "masq"), "masq", "masq"),
        (absolute_path, "/run/x", "/run/x"),
        (regular_expression, "HS:(sync|async)", re.compile("HS:(sync|async)")),
        (command_line, "/bin/echo", ("/bin/echo",)),
        (command_line, "prog 'a b' \"c\" d\\ e $HOME;x", ("prog", "a b", "c", "d e", "$HOME;x")),
    ],
)
def test_legal(parser: Parser[Any], text: str, value: object) -> None:
    assert parser(text) == value


@pytest.mark.parametrize(
    ("parser", "texts", "message"),
    [
        (
            PORT,
            ["0", "65536", "-1", "http", "", " 80", "8_0", "80.0", "0x50", "٣", "9" * 5000],
            "must be a whole number from 1 to 65535",
        ),
        (whole_number(3), ["2"], "must be a whole number of 3 or more"),
        (boolean, ["maybe", "", "2"], "must be true or false (or yes, no, on, off, 1, 0)"),
        (
            duration,
            ["-1", "-1s", "s", "", "1.5s", "10d", "1s2", "never", "PT5S"],
            "must be a duration such as 10, 10s, 500ms, 5min or 1h",
        ),
        (
            DRAIN,
            ["Never", "-3"],
            "must be a duration such as 10, 10s, 500ms, 5min or 1h, or never",
        ),
        (one_of("gate", "masq"), ["Gate", "gat", ""], "must be gate or masq"),
        (absolute_path, ["run/x", "", "~/x", "/a\0b"], "must be an absolute path"),
        (
            regular_expression,
            ["("],
            "must be a regular expression: missing ), unterminated subpattern at position 0",
        ),
        (
            command_line,
            ["a 'b"],
            "must be a program and its arguments, quoted as for a shell: No closing quotation",
        ),
        (
            command_line,
            ["", "  ", "''"],
            "must be a program and its arguments, quoted as for a shell: it names no program",
        ),
    ],
)
def test_illegal(parser: Parser[Any], texts: list[str], message: str) -> None:
    for text in texts:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            parser(text)


@pytest.mark.parametrize(
    ("parser", "content", "options"),
    [
        (PORT, "integer", ()),
        (boolean, "boolean", ()),
        (duration, "string", ()),
        (one_of("a", "b"), "select", ("a", "b")),
        (command_line, "string", ()),
    ],
)
def test_describes_itself_for_the_metadata(
    parser: Parser[Any], content: str, options: tuple[str, ...]
) -> None:
    assert (parser.content, parser.options) == (content, options)


@pytest.mark.parametrize("text", ["yes", "true", "1", "YES", "TRUE", "True", "ja", "on", "ON"])
def test_true_for_the_shell_functions_is_true_here(text: str) -> None:
    assert is_true(text)


@given(st.integers(1, 65535))
def test_numbers_round_trip(number: int) -> None:
    assert PORT(str(number)) == number


@pytest.mark.parametrize(
    "parser", [PORT, boolean, DRAIN, absolute_path, regular_expression, command_line]
)
@given(text=st.text())
def test_a_parser_raises_nothing_but_value_error(parser: Parser[Any], text: str) -> None:
    with suppress(ValueError):
        parser(text)
