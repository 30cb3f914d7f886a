"""Text for operators."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lvsdr.values.safe_text import format_one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("plain", "plain"),
        ("two\nlines", "two lines"),
        ("\r\n  indented\r\n\n  twice \n", "indented twice"),
        ("double  blanks stay", "double  blanks stay"),
        ("nul\0 tab\t escape\x1b", r"nul\x00 tab\t escape\x1b"),
        ("Zürich", "Zürich"),
        (b"\xff".decode("utf-8", "surrogateescape"), r"\udcff"),
        ("line\u2028separator", "line separator"),
    ],
)
def test_becomes_one_line(text: str, line: str) -> None:
    assert format_one_line(text) == line


@given(st.text(), st.integers(3, 50))
def test_is_always_a_short_printable_line(text: str, limit: int) -> None:
    line = format_one_line(text, limit)
    assert line.isprintable()
    assert len(line) <= limit
    assert line.encode() is not None
