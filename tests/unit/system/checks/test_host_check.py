"""The checks of one host: their times, their limits, and their end."""

from __future__ import annotations

import os
import select

import pytest
from lvsdr.pool.check_history import CheckResult, Reply
from lvsdr.system.checks.host_check import Attempt, CheckFinding, HostCheck, Wait


class PipeChecker:
    """A check that reads letters from a pipe: ``f`` is fit, ``e`` and ``o`` are errors."""

    label = "pipe check"

    def __init__(self) -> None:
        self.stage = "reading"
        self.reader, self.writer = os.pipe()
        self.running = 0
        self.closed = False

    def attempt(self) -> Attempt:
        """Read until a letter has a meaning."""
        self.running += 1
        try:
            while True:
                yield Wait(self.reader, select.POLLIN)
                letter = os.read(self.reader, 1)
                if letter == b"f":
                    return CheckFinding(Reply.FIT, "pipe check: fit")
                if letter == b"e":
                    raise KeyError("secret")
                if letter == b"o":
                    raise OSError(24, "Too many open files")
        finally:
            self.running -= 1

    def close(self) -> None:
        """Close the pipe."""
        self.closed = True
        for descriptor in (self.reader, self.writer):
            os.close(descriptor)


@pytest.fixture
def checker() -> PipeChecker:
    return PipeChecker()


def begun(checker: PipeChecker) -> HostCheck:
    """Return a check that began at 100.0, with an interval of 2 s and a limit of 1 s."""
    check = HostCheck(checker, 2.0, 1.0, 100.0)
    assert check.due == 100.0
    assert check.fileno() == -1
    assert check.advance(100.0, ready=False) is None
    return check


def result(check: HostCheck, now: float, ready: bool) -> CheckResult | None:
    found = check.advance(now, ready)
    return None if found is None else found[0]


def test_an_answer_is_a_result_with_its_times(checker: PipeChecker) -> None:
    check = begun(checker)
    assert (check.fileno(), check.events) == (checker.reader, select.POLLIN)
    assert check.due == 101.0
    os.write(checker.writer, b"xf")
    assert result(check, 100.1, ready=False) is None
    assert result(check, 100.2, ready=True) is None
    assert result(check, 100.3, ready=True) == CheckResult(
        Reply.FIT, "pipe check: fit", 100.0, 100.3
    )
    assert (check.fileno(), check.events) == (-1, 0)
    assert check.due == 102.0


def test_the_next_check_begins_after_the_interval(checker: PipeChecker) -> None:
    check = begun(checker)
    os.write(checker.writer, b"ff")
    assert result(check, 100.3, ready=True) is not None
    assert result(check, 101.9, ready=False) is None
    assert checker.running == 0
    assert result(check, 102.0, ready=False) is None
    assert checker.running == 1
    assert result(check, 102.1, ready=True) == CheckResult(
        Reply.FIT, "pipe check: fit", 102.0, 102.1
    )


def test_silence_ends_at_the_limit_and_no_two_checks_run_at_a_time(checker: PipeChecker) -> None:
    check = begun(checker)
    assert result(check, 100.9, ready=False) is None
    silent = CheckResult(
        Reply.SILENT, "pipe check: no answer within 1 s while reading", 100.0, 101.0
    )
    assert result(check, 101.0, ready=False) == silent
    assert checker.running == 0
    assert check.due == 102.0


def test_a_late_check_is_followed_by_the_next_one_at_once(checker: PipeChecker) -> None:
    check = begun(checker)
    assert result(check, 102.5 - 1.0, ready=False) is not None
    assert check.due == 102.0
    slow = HostCheck(checker, 1.0, 1.0, 100.0)
    slow.advance(100.0, ready=False)
    assert result(slow, 101.3, ready=False) is not None
    assert slow.due == 101.3


def test_an_answer_counts_however_late_it_is_read(checker: PipeChecker) -> None:
    check = begun(checker)
    os.write(checker.writer, b"f")
    found = result(check, 150.0, ready=True)
    assert found is not None
    assert found.reply is Reply.FIT


def test_a_process_that_stood_still_blames_no_host(checker: PipeChecker) -> None:
    check = begun(checker)
    assert result(check, 108.0, ready=False) == CheckResult(
        Reply.NONE,
        "pipe check: interrupted: this node or the watcher stood still for 7 s",
        100.0,
        108.0,
    )


@pytest.mark.parametrize(
    ("letter", "reason"),
    [(b"e", "pipe check: KeyError"), (b"o", "pipe check: Too many open files")],
)
def test_an_error_in_a_check_does_not_count(
    letter: bytes, reason: str, checker: PipeChecker
) -> None:
    check = begun(checker)
    os.write(checker.writer, letter)
    assert result(check, 100.5, ready=True) == CheckResult(Reply.NONE, reason, 100.0, 100.5)
    assert result(check, 102.0, ready=False) is None
    assert checker.running == 1


def test_a_check_that_is_closed_ends(checker: PipeChecker) -> None:
    check = begun(checker)
    check.close()
    assert (checker.running, checker.closed) == (0, True)
