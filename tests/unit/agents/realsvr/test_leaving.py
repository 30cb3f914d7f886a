"""Detection of a leaving node with the real crm_mon."""

from __future__ import annotations

import pytest
from lvsdr.agents.realsvr.leaving import is_leaving
from lvsdr.values.deadline import Deadline

from tests.unit.crm import cib


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
def test_by_the_state_of_the_node(
    recorded: str, name: str | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIB_file", str(cib(recorded)))
    assert leaving(name) is expected


def test_when_nobody_can_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIB_file", "/nowhere")
    assert leaving("node3")
