"""The saved state of the agent vip between two runs; a damaged file does no harm."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.agents.vip.saved_place import SavedPlace, recall, store
from lvsdr.agents.vip.settings import Place
from lvsdr.errors import LvsdrError
from lvsdr.system import small_files
from lvsdr.system.net.announcer import Process

FULL = SavedPlace(Place("fd77::20", 64, "bond0.10"), Process(1234, 567890))


@pytest.mark.parametrize("memory", [SavedPlace(), FULL, FULL._replace(announcer=None)])
def test_round_trip(memory: SavedPlace, tmp_path: Path) -> None:
    path = str(tmp_path / "state")
    store(path, memory)
    assert recall(path) == memory
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600


def test_the_format_of_earlier_releases_is_read(tmp_path: Path) -> None:
    boot = f"boot {small_files.read_boot_id()}"
    lines = [boot, "place fd77::20 64 bond0.10", "announcer 1234 567890", ""]
    (tmp_path / "state").write_text("\n".join(lines))
    assert recall(str(tmp_path / "state")) == FULL


def test_a_missing_file_is_an_empty_state(tmp_path: Path) -> None:
    assert recall(str(tmp_path / "state")) == SavedPlace()


def test_the_state_of_another_boot_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "state"
    store(str(path), FULL)
    path.write_text(path.read_text().replace("boot ", "boot 0"))
    assert recall(str(path)) == SavedPlace()


@pytest.mark.parametrize(
    "line",
    [
        *("nonsense", "place", "place 10.9.0.20 24", "place 10.9.0.20 x eth0", "\x00", ""),
        *("announcer 1", "announcer x 1", "announcer 1 2 3"),
    ],
)
def test_a_malformed_file_is_ignored(line: str, tmp_path: Path) -> None:
    path = tmp_path / "state"
    store(str(path), FULL)
    path.write_text(f"{path.read_text()}{line}\n")
    assert recall(str(path)) == SavedPlace()


def test_a_failed_write_is_reported() -> None:
    with pytest.raises(LvsdrError, match=r"^cannot write /nowhere/state: No such file"):
        store("/nowhere/state", FULL)
