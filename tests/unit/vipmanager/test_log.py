"""Lines of the log: which are written, and how."""

from __future__ import annotations

import io
import json
import re

import pytest
from lvsdr.vipmanager.log import Log, line


def test_only_what_was_asked_for() -> None:
    stream = io.StringIO()
    log = Log("WARNING", "text", stream)
    log.debug("a")
    log.info("b")
    log.warning("c", address="10.9.0.20/24", nothing="")
    log.adjust("INFO", "json")
    log.info("d", reason="two\nlines")
    first, second = stream.getvalue().splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[0-9:.]{12}Z WARNING c address=10.9.0.20/24", first)
    said = json.loads(second)
    assert said.pop("time")
    assert said == {"level": "INFO", "event": "d", "reason": "two lines"}


def test_a_stream_that_is_gone_stops_nobody() -> None:
    stream = io.StringIO()
    log = Log("INFO", "text", stream)
    stream.close()
    log.error("failed", reason="x")


@pytest.mark.parametrize(
    ("fact", "written"),
    [
        ("plain", "f=plain"),
        ("a b", 'f="a b"'),
        ('a"b', r'f="a\"b"'),
        ("a=b", 'f="a=b"'),
        ("", 'f=""'),
    ],
)
def test_facts_are_quoted_where_that_is_needed(fact: str, written: str) -> None:
    assert line("text", "INFO", "e", {"f": fact}) == f"INFO e {written}"
