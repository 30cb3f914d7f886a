"""Fixtures of the framework's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_terminal() -> Iterator[None]:
    """Make standard input no terminal, as under Pacemaker, even for ``pytest -s``."""
    saved, null = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    yield
    os.dup2(saved, 0)
    os.close(saved)
    os.close(null)
