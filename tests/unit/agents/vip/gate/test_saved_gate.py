"""The saved state of a watching instance between two runs; a damaged file does no harm."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.agents.vip.gate.saved_gate import SavedGate, recall, store
from lvsdr.errors import LvsdrError
from lvsdr.leader.gate import Answer, LeaderHistory, Leadership, State
from lvsdr.system.small_files import read_boot_id

LATEST = Answer(Leadership(State.FOLLOWER, "/l is node 2 in etcd", "node 2"), 12.5, 12.75)
FULL = SavedGate("etcd '/l' 'node1'", LeaderHistory(LATEST, State.FOLLOWER, 11.25, 10.1))
SILENT = Answer(Leadership(State.UNKNOWN, "no answer", None), 1.0, 2.0)


@pytest.mark.parametrize(
    "saved",
    [
        FULL,
        SavedGate(""),
        SavedGate("etcd", LeaderHistory(SILENT)),
        SavedGate("etcd", LeaderHistory(SILENT, State.NO_LEADER, None, 0.1 + 0.2)),
    ],
)
def test_round_trip(saved: SavedGate, tmp_path: Path) -> None:
    path = str(tmp_path / "gate")
    store(path, saved)
    assert recall(path) == saved
    assert (tmp_path / "gate").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("lines", "saved"),
    [
        (
            (
                *("question etcd '/l' 'node1'", "latest FOLLOWER 12.5 12.75", "leader node 2"),
                *("reason /l is node 2 in etcd", "word FOLLOWER", "named 11.25", "confirmed 10.1"),
            ),
            FULL,
        ),
        (
            ("question etcd", "latest UNKNOWN 1.0 2.0", "leader -", "reason no answer"),
            SavedGate("etcd", LeaderHistory(SILENT)),
        ),
        (("question ",), SavedGate("")),
    ],
)
def test_the_format_of_earlier_versions_is_read(
    lines: tuple[str, ...], saved: SavedGate, tmp_path: Path
) -> None:
    (tmp_path / "gate").write_text("\n".join((f"boot {read_boot_id()}", *lines, "")))
    assert recall(str(tmp_path / "gate")) == saved


def test_a_missing_file_means_not_started(tmp_path: Path) -> None:
    assert recall(str(tmp_path / "gate")) is None


def test_the_state_of_another_boot_is_ignored(tmp_path: Path) -> None:
    """A state of another boot is ignored, because its monotonic clock was another."""
    path = tmp_path / "gate"
    store(str(path), FULL)
    path.write_text(path.read_text().replace("boot ", "boot 0"))
    assert recall(str(path)) is None


def test_a_reason_of_several_lines_becomes_one_line(tmp_path: Path) -> None:
    path = str(tmp_path / "gate")
    said = Leadership(State.FOLLOWER, "x is a\nword LEADER\n", "a\nnamed 1.0")
    store(path, SavedGate("etcd", LeaderHistory(LATEST._replace(leadership=said))))
    found = recall(path)
    assert found is not None
    assert (found.history.last_state, found.history.leading_since) == (None, None)


@pytest.mark.parametrize(
    "line", ["nonsense", "latest LEADER", "latest NOBODY 1 2", "word leader", "named soon", "\x00"]
)
def test_a_malformed_file_is_ignored(line: str, tmp_path: Path) -> None:
    path = tmp_path / "gate"
    store(str(path), FULL)
    path.write_text(f"{path.read_text()}{line}\n")
    assert recall(str(path)) is None


def test_a_failed_write_is_reported() -> None:
    with pytest.raises(LvsdrError, match=r"^cannot write /nowhere/gate: No such file"):
        store("/nowhere/gate", FULL)
