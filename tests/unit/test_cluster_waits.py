"""Waits of the tests on clusters: each wait looks at more; a log is read from its last position."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.log_reader import LogReader
from tests.cluster.unexpected_end import why_ended
from tests.support.waiting import NotInTime, wait_until, watching

FATAL = """notice: Starting Pacemaker controller
error: Could not connect to attrd: Connection refused
error: Forcing immediate exit with status 100 (Fatal error occurred, will not respawn)
"""


class Ended(AssertionError):
    """The end, during a wait, of an object that the wait observes."""


def end() -> None:
    raise Ended


def test_a_wait_looks_before_it_is_satisfied() -> None:
    with watching(end), pytest.raises(Ended):
        wait_until(lambda: True, bool, "it is so", 0.0)


def test_a_wait_looks_each_time() -> None:
    looks: list[int] = []
    with watching(lambda: looks.append(1)):
        wait_until(lambda: len(looks), lambda count: count == 3, "third look", 60.0, pause=0.0)
    assert len(looks) == 3


def test_nothing_is_looked_at_afterwards() -> None:
    with pytest.raises(Ended), watching(end):
        wait_until(lambda: True, bool, "it is so", 0.0)
    assert wait_until(lambda: True, bool, "it is so", 0.0)


def test_a_wait_in_vain_reports_the_last_value() -> None:
    with pytest.raises(NotInTime, match="it is so: not within 0 s; last seen: False"):
        wait_until(lambda: False, bool, "it is so", 0.0)


def test_a_daemon_that_gives_up_ends_pacemaker_before_pacemakerd_has_exited() -> None:
    reason = why_ended(None, FATAL)
    assert reason.startswith("Pacemaker has given up (")
    assert "Forcing immediate exit with status 100" in reason


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (None, ""),
        (0, ""),
        (1, "pacemakerd has exited with status 1"),
        (-6, "pacemakerd was killed by SIGABRT"),
    ],
)
def test_an_orderly_stop_is_no_end(status: int | None, reason: str) -> None:
    assert why_ended(status, "notice: Shutdown complete") == reason


def test_lines_are_read_once_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    tail = LogReader(path)
    assert tail.lines() == ""
    path.write_text("one\ntw")
    assert tail.lines() == "one\n"
    with path.open("a") as file:
        file.write("o\nthree\n")
    assert tail.lines() == "two\nthree\n"
    assert tail.lines() == ""


def test_lines_that_are_there_can_be_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\n")
    tail = LogReader(path)
    tail.skip()
    assert tail.lines() == ""


def test_a_new_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("a long line\n")
    tail = LogReader(path)
    tail.skip()
    path.write_text("new\n")
    assert tail.lines() == "new\n"
