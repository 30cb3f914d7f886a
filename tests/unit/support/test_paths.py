"""Directories of the tree that the tests use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import paths


@pytest.mark.parametrize("path", [paths.ROOT, paths.TESTS, paths.DATA, paths.AGENTS, paths.TOOLS])
def test_a_directory_exists(path: Path) -> None:
    assert path.is_dir()


def test_the_root_is_that_of_the_tree() -> None:
    assert (paths.ROOT / "setup.cfg").is_file()
