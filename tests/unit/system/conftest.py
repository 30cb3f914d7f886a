"""Fixtures of the tests of effects."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.unit.descriptors import open_descriptors, require_none_left


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Check that the test leaves no open descriptors and no unreaped children."""
    before = open_descriptors()
    yield
    require_none_left(before)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
