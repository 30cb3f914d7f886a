"""Fixtures of the tests with a real PostgreSQL. They fail without one: no test is skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

if "POSTGRES_BIN" not in os.environ:
    raise pytest.UsageError("these tests need a network of their own: tests/postgres/run")

from tests.postgres.tool import Tool, Tools
from tests.postgres.world import World, made
from tests.support.paths import ROOT

PREFIX = Path("/run/opt/lvsdr")


@pytest.fixture(scope="session")
def standing_world() -> Iterator[World]:
    """Yield the servers, made once."""
    with made(Path("/run/servers")) as world:
        yield world


@pytest.fixture
def world(standing_world: World) -> World:
    """Return the servers, with all standbys up to date."""
    try:
        standing_world.settle()
    except AssertionError as error:
        pytest.exit(
            f"the servers are not as they should be, nothing else can be tested: {error}", 1
        )
    return standing_world


@pytest.fixture
def tools() -> Tools:
    """Return the tools of this tree."""
    return Tools(ROOT / "tools")


@pytest.fixture
def get_active_slaves(tools: Tools) -> Tool:
    return tools.get_active_slaves


@pytest.fixture
def check_active_slave(tools: Tools) -> Tool:
    return tools.check_active_slave


@pytest.fixture(scope="session")
def installed() -> Tools:
    """Return the tools as a package would install them."""
    stage = Path("/run/stage")
    subprocess.run(
        ["make", "-C", ROOT, "install", f"DESTDIR={stage}", f"PREFIX={PREFIX}"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    shutil.move(f"{stage}{PREFIX}", PREFIX)
    shutil.rmtree(stage)
    return Tools(PREFIX / "bin")
