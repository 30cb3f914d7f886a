"""Fixtures of the lab. They fail without a kernel with IPVS: no test here is ever skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.director import PRIMARY, STANDBY2, STANDBY3, Director
from tests.lab.world import World


@pytest.fixture(scope="session")
def standing_world() -> Iterator[World]:
    """Yield the hosts, made once."""
    with World.create() as world:
        yield world


@pytest.fixture
def world(standing_world: World) -> World:
    """Return the hosts in their initial state: see `World.reset`."""
    standing_world.reset()
    return standing_world


@pytest.fixture
def director(world: World, tmp_path: Path) -> Director:
    """Return a director in a cluster of a primary and two standbys, not yet started."""
    director = Director(world, tmp_path)
    director.cluster(PRIMARY, STANDBY2, STANDBY3)
    return director
