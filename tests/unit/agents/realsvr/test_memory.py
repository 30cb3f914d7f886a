"""The saved state of a start."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.agents.realsvr.drain import Patience
from lvsdr.agents.realsvr.memory import Memory, recall, rendered

MEMORY = Memory("fd77::100", Patience(7.0, 2.5))


def test_what_was_stored_is_recalled(tmp_path: Path) -> None:
    path = tmp_path / "state"
    assert recall(str(path)) is None
    path.write_text(rendered(MEMORY))
    assert recall(str(path)) == MEMORY


@pytest.mark.parametrize(
    "broken",
    [
        lambda _: "",
        lambda text: text.replace("boot ", "boot x"),
        lambda text: text.replace("2.5", "soon"),
        lambda text: text.replace("7.0\n", ""),
        lambda text: text + "more\n",
        lambda text: text.partition("\n")[0],
        lambda text: text.replace("realsvr", "something"),
    ],
)
def test_what_makes_no_sense_is_as_nothing(tmp_path: Path, broken: object) -> None:
    assert callable(broken)
    path = tmp_path / "state"
    path.write_text(rendered(MEMORY))
    path.write_text(broken(path.read_text()))
    assert recall(str(path)) is None
