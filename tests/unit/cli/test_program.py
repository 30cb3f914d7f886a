"""The result of a tool's work: an exit status, and one line on standard error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
import pytest
from lvsdr.cli import print_error
from lvsdr.cli.program import OutputFailed, build_command, print_result, run
from lvsdr.errors import (
    DeadlineExceeded,
    InvalidParameters,
    NotAsked,
    NotInstalled,
    SourceUnavailable,
)

COMMAND = build_command(click.Command, "tool", "A tool.", [click.Option(["--number"], type=int)])


def test_the_work_gets_the_values_of_the_parameters() -> None:
    received: list[Mapping[str, Any]] = []
    assert run(COMMAND, received.append, ["--number", "5"]) == 0
    assert received == [{"number": 5}]


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (SourceUnavailable("no\n  answer"), 1, "no answer"),
        (DeadlineExceeded("too late"), 1, "too late"),
        (InvalidParameters(["this", "that"]), 2, "this; that"),
        (click.UsageError("not so"), 2, "not so"),
        (NotInstalled("psycopg is missing"), 126, "psycopg is missing"),
        (NotAsked("no address"), 126, "no address"),
        (OutputFailed("closed"), 126, "closed"),
        (OSError(28, "No space left on device"), 1, "[Errno 28] No space left on device"),
        (KeyboardInterrupt(), 1, "interrupted"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_error_has_its_exit_status_and_one_line(
    error: BaseException, status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_values: Mapping[str, Any]) -> None:
        raise error

    assert run(COMMAND, fail, []) == status
    assert capsys.readouterr() == ("", f"tool: {message}\n")


def test_the_text_of_an_unexpected_error_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_values: Mapping[str, Any]) -> None:
        raise ValueError("password=secret")

    assert run(COMMAND, fail, []) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tool: internal error: ValueError, ")
    assert "test_program.py:" in err
    assert "secret" not in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nonsense=secret"], "No such option: --nonsense"),
        (["--number", "five"], "Invalid value for '--number': 'five' is not a valid integer."),
        (["--number"], "Option '--number' requires an argument."),
    ],
)
def test_wrong_usage_gives_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(COMMAND, print, arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"tool: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("one\n\ttwo \n", "one two"),
        ("a\x1b[2Jb\x07", r"a\x1b[2Jb\x07"),
        ("a\u202eb\u2028c\x85d", r"a\u202eb c d"),
        ("gr\u00fcn", "gr\u00fcn"),
    ],
)
def test_an_error_is_printed_as_one_line(
    message: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error is one line, without characters that control a terminal."""
    print_error("tool", message)
    assert capsys.readouterr() == ("", f"tool: {line}\n")


def test_a_result_without_standard_output_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tool without standard output reports nothing of any host."""
    monkeypatch.setattr("sys.stdout", None)
    assert run(COMMAND, lambda _values: print_result("t"), []) == 126
    assert capsys.readouterr().err == "tool: standard output is closed\n"
