"""Processes of the tests: results, failures, and variables."""

from __future__ import annotations

import pytest

from tests.support.processes import CommandFailed, Completed, Running, run, with_variables


def test_a_result_has_both_streams() -> None:
    assert run(["sh", "-c", "cat; echo problem >&2"], stdin="input") == Completed(
        0, "input", "problem\n"
    )


def test_a_failure_is_an_error() -> None:
    with pytest.raises(CommandFailed, match="returncode=3"):
        run(["sh", "-c", "exit 3"])


def test_a_failure_that_is_expected_is_a_result() -> None:
    assert run(["sh", "-c", "exit 3"], check=False).returncode == 3


def test_a_process_that_hangs_is_killed() -> None:
    running = Running(["sleep", "600"])
    with pytest.raises(CommandFailed, match=r"still ran after 0\.0 s"):
        running.wait(0.0)
    assert not running.alive


def test_close_kills_the_whole_group() -> None:
    running = Running(["sh", "-c", "sleep 600 & wait"])
    assert running.close().returncode == -9


def test_variables_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "kept")
    assert with_variables({"THEIRS": "new"}).items() >= {("OURS", "kept"), ("THEIRS", "new")}
