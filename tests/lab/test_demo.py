"""Tests that the demonstration shows every result that it promises."""

from __future__ import annotations

import io
import subprocess

from tests.lab.demonstration import demonstrate
from tests.lab.show.screen import Screen
from tests.lab.world import World


def test_the_demonstration_shows_all_steps(world: World) -> None:
    out = io.StringIO()
    demonstrate(world, Screen(out, 80, colour=False, unicode=True))
    assert [f"{step}/9  " in out.getvalue() for step in range(1, 10)] == [True] * 9


def test_its_setup_needs_no_network_once_everything_is_there() -> None:
    """`tests/setup demo` does not use the network, which the lab does not have."""
    setup = subprocess.run(["tests/setup", "demo"], capture_output=True, text=True, check=True)
    assert setup.stdout.startswith("setup: ready in ")
    assert setup.stderr == ""
