"""The saved state of a watching instance between two runs; a damaged file does no harm."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.agents.vip.gate.saved_gate import Record, recall, store
from lvsdr.errors import LvsdrError
from lvsdr.leader.gate import Answer, Leadership, Standing, State

LATEST = Answer(Leadership(State.FOLLOWER, "/l is node 2 in etcd", "node 2"), 12.5, 12.75)
FULL = Record("etcd '/l' 'node1'", Standing(LATEST, State.FOLLOWER, 11.25, 10.1))
SILENT = Answer(Leadership(State.UNKNOWN, "no answer", None), 1.0, 2.0)


@pytest.mark.parametrize(
    "record",
    [
        FULL,
        Record(""),
        Record("etcd", Standing(SILENT)),
        Record("etcd", Standing(SILENT, State.NO_LEADER, None, 0.1 + 0.2)),
    ],
)
def test_round_trip(record: Record, tmp_path: Path) -> None:
    path = str(tmp_path / "gate")
    store(path, record)
    assert recall(path) == record
    assert (tmp_path / "gate").stat().st_mode & 0o777 == 0o600


def test_not_started_yet(tmp_path: Path) -> None:
    assert recall(str(tmp_path / "gate")) is None


def test_another_boot(tmp_path: Path) -> None:
    """A state of another boot is ignored, because its monotonic clock was another."""
    path = tmp_path / "gate"
    store(str(path), FULL)
    path.write_text(path.read_text().replace("boot ", "boot 0"))
    assert recall(str(path)) is None


def test_what_a_store_says_is_one_line(tmp_path: Path) -> None:
    path = str(tmp_path / "gate")
    said = Leadership(State.FOLLOWER, "x is a\nword LEADER\n", "a\nnamed 1.0")
    store(path, Record("etcd", Standing(LATEST._replace(leadership=said))))
    found = recall(path)
    assert found is not None
    assert (found.standing.word, found.standing.named) == (None, None)


@pytest.mark.parametrize(
    "line", ["nonsense", "latest LEADER", "latest NOBODY 1 2", "word leader", "named soon", "\x00"]
)
def test_a_line_that_makes_no_sense(line: str, tmp_path: Path) -> None:
    path = tmp_path / "gate"
    store(str(path), FULL)
    path.write_text(f"{path.read_text()}{line}\n")
    assert recall(str(path)) is None


def test_it_cannot_be_written() -> None:
    with pytest.raises(LvsdrError, match=r"^cannot write /nowhere/gate: No such file"):
        store("/nowhere/gate", FULL)
