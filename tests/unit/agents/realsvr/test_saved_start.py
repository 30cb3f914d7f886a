"""The saved state of a start."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.agents.realsvr.saved_start import (
    DrainTimes,
    SavedStart,
    load_saved_start,
    render_saved_start,
)
from lvsdr.system.small_files import read_boot_id

SAVED = SavedStart("fd77::100", DrainTimes(7.0, 2.5))


def test_a_saved_start_is_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "state"
    assert load_saved_start(str(path)) is None
    path.write_text(render_saved_start(SAVED))
    assert load_saved_start(str(path)) == SAVED


def test_the_format_of_earlier_versions_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state"
    former = f"realsvr of boot {read_boot_id()}\nfd77::100\n7.0\n2.5\n"
    path.write_text(former)
    assert load_saved_start(str(path)) == SAVED
    for text in (former + "more\n", former[:-3], former.replace("7.0\n", ""), former[:-1]):
        path.write_text(text)
        assert load_saved_start(str(path)) is None


@pytest.mark.parametrize(
    "broken",
    [
        lambda _: "",
        lambda text: text.replace("boot ", "boot x"),
        lambda text: text.replace("2.5", "soon"),
        lambda text: text.replace(" 7.0", ""),
        lambda text: text + "more\n",
        lambda text: text.partition("\n")[0],
        lambda text: text.replace("realsvr", "something"),
    ],
)
def test_a_malformed_file_is_ignored(tmp_path: Path, broken: object) -> None:
    assert callable(broken)
    path = tmp_path / "state"
    path.write_text(render_saved_start(SAVED))
    path.write_text(broken(path.read_text()))
    assert load_saved_start(str(path)) is None
