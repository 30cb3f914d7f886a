"""Fixtures of the lab. Without a kernel with IPVS they fail: nothing here is ever skipped."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.world import World


@pytest.fixture(scope="session")
def standing_world() -> Iterator[World]:
    """The hosts, made once."""
    with World.create() as world:
        yield world


@pytest.fixture
def world(standing_world: World) -> World:
    """The hosts as they were when made: see `World.reset`."""
    standing_world.reset()
    return standing_world
