"""Lines of the log: their selection, and their format."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from lvsdr.vipmanager.log import DaemonLog, format_line

TIMEOUT = 20.0


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Yield both ends of a pipe."""
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        with suppress(OSError):
            os.close(end)


def test_lines_below_the_level_are_not_written(pipe: tuple[int, int]) -> None:
    log = DaemonLog("WARNING", "text", pipe[1])
    log.debug("a")
    log.info("b")
    log.warning("c", address="10.9.0.20/24", nothing="")
    log.adjust("INFO", "json")
    log.info("d", reason="two\nlines")
    assert log.flush(TIMEOUT)
    first, second = os.read(pipe[0], 4096).decode().splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[0-9:.]{12}Z WARNING c address=10.9.0.20/24", first)
    document = json.loads(second)
    assert document.pop("time")
    assert document == {"level": "INFO", "event": "d", "reason": "two lines"}


def test_a_closed_descriptor_blocks_nothing(pipe: tuple[int, int]) -> None:
    log = DaemonLog("INFO", "text", pipe[1])
    os.close(pipe[1])
    log.error("failed", reason="x")
    assert log.flush(TIMEOUT)


def test_a_pipe_without_a_reader_blocks_nothing_and_losses_are_counted(
    pipe: tuple[int, int],
) -> None:
    reader, writer = pipe
    log = DaemonLog("INFO", "text", writer)
    for number in range(3000):
        log.info("line", number=number, padding="x" * 100)
    assert not log.flush(0.0)
    text, numbers, lost = b"", list[int](), list[int]()
    while len(numbers) + sum(lost) < 3000:
        text += os.read(reader, 65536)
        numbers = [int(number) for number in re.findall(rb" line number=(\d+) .*x\n", text)]
        lost = [int(number) for number in re.findall(rb"WARNING log lost=(\d+) reason=.*\n", text)]
    assert numbers == sorted(set(numbers))
    assert lost
    log.info("again")
    assert log.flush(TIMEOUT)
    assert b"INFO again" in text + os.read(reader, 65536)


def test_a_non_blocking_pipe_gets_every_line(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.set_blocking(writer, False)
    log = DaemonLog("INFO", "text", writer)
    for number in range(900):
        log.info("line", number=number, padding="x" * 200)
    text = b""
    while text.count(b"\n") < 900:
        text += os.read(reader, 65536)
    assert b"lost=" not in text


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
def test_facts_with_special_characters_are_quoted(fact: str, written: str) -> None:
    assert format_line("text", "INFO", "e", {"f": fact}) == f"INFO e {written}"
