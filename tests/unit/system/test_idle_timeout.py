"""Wishes for the timeout of idle sessions, over the timeouts of a fake kernel."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.system import locking
from lvsdr.system.idle_timeout import IdleTimeout
from lvsdr.values.deadline import Deadline

from tests.cases.timeout_cases import CASES
from tests.fakes.timeouts import FakeTimeouts

NAME = "the kernel's timeout of idle TCP sessions"


class Node:
    """A node's timeouts, and the directory that its resources share."""

    def __init__(self, directory: Path) -> None:
        self.run = directory
        self.kernel = FakeTimeouts()
        self.file = directory / "lvsdr-idle-timeout"
        self.trouble: list[str] = []

    def _owner(self, name: str, seconds: float = 5.0) -> IdleTimeout:
        return IdleTimeout(str(self.run), name, Deadline.after(seconds), runner=self.kernel)

    def claim(self, name: str, seconds: int, patience: float = 5.0) -> list[str]:
        owner = self._owner(name, patience)
        said = owner.claim(seconds)
        self.trouble = owner.trouble
        return said

    def release(self, name: str, patience: float = 5.0) -> list[str]:
        owner = self._owner(name, patience)
        said = owner.release()
        self.trouble = owner.trouble
        return said

    @property
    def idle(self) -> int:
        assert self.kernel.values[1:] == [120, 300], "the others are none of our business"
        return self.kernel.values[0]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


@pytest.mark.parametrize(("options", "after"), CASES)
def test_the_fake_does_so(options: str, after: str, node: Node) -> None:
    node.kernel(["ipvsadm", "--set", *options.split()], Deadline.after(1))
    assert node.kernel.shown == after


def test_a_wish_is_fulfilled_and_the_last_release_restores(node: Node) -> None:
    assert node.claim("a", 3600) == [f"{NAME} set to 3600 s (was 900 s)"]
    assert node.idle == 3600
    assert node.release("a") == [f"{NAME} put back to 900 s (was 3600 s)"]
    assert node.idle == 900
    assert not node.file.exists()


def test_a_fulfilled_wish_changes_nothing(node: Node) -> None:
    node.claim("a", 3600)
    node.kernel.calls.clear()
    assert node.claim("a", 3600) == []
    assert node.kernel.calls == [("-L", "--timeout")]


def test_the_longest_wish_counts(node: Node) -> None:
    assert [node.claim("a", 3600), node.claim("b", 1800)][1] == []
    assert node.idle == 3600
    assert node.claim("c", 7200) == [f"{NAME} set to 7200 s (was 3600 s)"]
    node.release("c")
    assert node.idle == 3600
    node.release("a")
    assert node.idle == 1800
    node.release("b")
    assert node.idle == 900


def test_the_restart_of_one_does_not_disturb_the_other(node: Node) -> None:
    node.claim("a", 3600)
    node.claim("b", 1800)
    node.release("b")
    assert node.idle == 3600
    node.claim("b", 1800)
    assert node.idle == 3600
    node.release("a")
    assert node.idle >= 1800
    node.claim("a", 3600)
    node.release("a")
    node.release("b")
    assert node.idle == 900


def test_a_changed_wish_counts(node: Node) -> None:
    node.claim("a", 3600)
    assert node.claim("a", 60) == [f"{NAME} set to 60 s (was 3600 s)"]
    node.release("a")
    assert node.idle == 900


def test_a_change_by_hand_is_undone_while_a_wish_lasts(node: Node) -> None:
    node.claim("a", 3600)
    node.kernel.values[0] = 100
    assert node.claim("a", 3600) == [f"{NAME} set to 3600 s (was 100 s)"]


def test_a_change_by_hand_stays_at_the_last_release(node: Node) -> None:
    node.claim("a", 3600)
    node.kernel.values[0] = 100
    left = f"{NAME} left at 100 s, changed since by another program (was 900 s before)"
    assert node.release("a") == [left]
    assert node.idle == 100
    assert not node.file.exists()


def test_a_release_without_a_wish_runs_no_program(node: Node) -> None:
    assert node.release("a") == []
    node.claim("a", 3600)
    node.kernel.calls.clear()
    assert node.release("b") == []
    assert node.kernel.calls == []
    assert node.idle == 3600


def test_an_ipvsadm_that_fails_is_trouble(node: Node) -> None:
    node.claim("a", 3600)
    node.kernel.broken = True
    assert node.claim("a", 7200) == []
    assert "ipvsadm -L --timeout" in node.trouble[0]
    assert node.release("a") == []
    assert "ipvsadm -L --timeout" in node.trouble[0]
    assert not node.file.exists(), "stop ends the wish all the same"


def test_a_change_without_effect_is_trouble(node: Node) -> None:
    node.kernel.deaf = True
    assert node.claim("a", 7200) == []
    (problem,) = node.trouble
    assert problem == (
        f"idle_timeout: {NAME} stays 900 s instead of 7200 s: ipvsadm --set had no effect"
    )


def test_a_file_that_cannot_be_written_does_not_prevent_the_change(node: Node) -> None:
    node.file.mkdir()
    assert node.claim("a", 3600) == [f"{NAME} set to 3600 s (was 900 s)"]
    assert "cannot write" in node.trouble[0]


@pytest.mark.parametrize("text", ["", "nonsense", "idle-timeout of boot 0\noriginal 5\nours 6\n"])
def test_a_damaged_file_means_that_nothing_is_saved(text: str, node: Node) -> None:
    node.file.write_text(text)
    node.claim("a", 3600)
    node.release("a")
    assert node.idle == 900


def test_a_held_lock(node: Node) -> None:
    """A claim gives up, with a reason; a release goes on, because stop must not fail."""
    node.claim("a", 3600)
    with locking.locked(f"{node.file}.lock", Deadline.after(1)):
        assert node.claim("b", 7200, 0.2) == []
        assert "still running" in node.trouble[0]
        assert node.idle == 3600
        node.release("a", 1.0)
    assert node.idle == 900
