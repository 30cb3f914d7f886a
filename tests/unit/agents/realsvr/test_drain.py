"""The wait of stop, and the detection of a leaving node with the real crm_mon."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable

import pytest
from lvsdr.agents.realsvr.drain import drain_connections, is_leaving
from lvsdr.agents.realsvr.saved_start import DrainTimes
from lvsdr.ocf.log import Log
from lvsdr.values.deadline import Deadline

from tests.unit.crm import cib

VIP = "10.9.0.20"


def counts(numbers: Iterable[int], last: int) -> Callable[[str], int]:
    """Return a counter that returns these numbers of connections and then always `last`."""
    left = iter(numbers)

    def count(vip: str) -> int:
        assert vip == VIP
        return next(left, last)

    return count


def run(
    count: Callable[[str], int], timeout: float, seconds: float = 60, delay: float = 0
) -> float:
    """Drain, and return the seconds that it took."""
    begun = time.monotonic()
    times = DrainTimes(delay, timeout)
    drain_connections(VIP, times, Deadline.after(seconds), Log("rs", {}, sys.stdout), count=count)
    return time.monotonic() - begun


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.split(" ", 1)[1] for line in capsys.readouterr().out.splitlines()]


def test_without_connections_there_is_no_wait(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(counts([], 0), 60) < 0.2
    assert said(capsys) == []


def test_without_a_timeout_connections_are_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(counts([], 5), 0) < 0.2
    assert said(capsys) == []


def test_the_wait_ends_with_the_last_connection(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0.4 < run(counts([3, 1], 0), 30) < 5
    assert said(capsys) == [f"INFO: {VIP}: connections to wait for: 3, at most 30 s"]


def test_the_wait_ends_at_the_timeout(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0.3 <= run(counts([3], 2), 0.3) < 5
    assert said(capsys)[1:] == [
        f"WARNING: {VIP}: connections left at the end of drain_timeout: 2",
    ]


def test_the_wait_ends_before_the_deadline(capsys: pytest.CaptureFixture[str]) -> None:
    """A drain ends before the deadline, which leaves time for the following steps."""
    assert 0.7 <= run(counts([], 1), 3600, 1) < 0.95
    assert said(capsys)[1:] == [
        f"WARNING: {VIP}: connections left at the end of the timeout of stop: 1",
    ]


def test_the_delay_passes_without_connections_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0.3 <= run(counts([], 0), 0, delay=0.3) < 5
    assert 0.3 <= run(counts([], 0), 60, delay=0.3) < 5
    assert said(capsys) == []


def test_connections_are_counted_after_the_delay(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0.6 <= run(counts([2], 1), 0.3, delay=0.3) < 5
    assert said(capsys) == [
        f"INFO: {VIP}: connections to wait for: 2, at most 0.3 s",
        f"WARNING: {VIP}: connections left at the end of drain_timeout: 1",
    ]


def test_the_delay_keeps_inside_the_deadline() -> None:
    assert 0.7 <= run(counts([], 0), 0, 1, delay=3600) < 0.95


def leaving(name: str | None) -> bool:
    return is_leaving(name, Deadline.after(20.0))


@pytest.mark.parametrize(
    ("recorded", "name", "expected"),
    [
        ("steady", "node3", False),
        ("node3-standby", "node3", True),
        ("node3-standby", "node2", False),
        ("node3-maintenance", "node3", False),
        ("steady", "none-such", True),
        ("steady", None, True),
    ],
)
def test_a_node_leaves_by_its_state(
    recorded: str, name: str | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIB_file", str(cib(recorded)))
    assert leaving(name) is expected


def test_a_node_counts_as_leaving_without_an_answer_of_the_cluster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CIB_file", "/nowhere")
    assert leaving("node3")
