"""Pytest plugin: several runs of the same tests share them, each test going to whoever is free.

They agree through directories below LAB_SHARE, one for each test that somebody has taken: mkdir(2)
succeeds only once, in whatever number of guests the directory is mounted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest


def taken(items: Sequence[pytest.Item], shared: Path) -> Iterator[pytest.Item]:
    """Take one test after the other, of those that nobody else has taken yet."""
    for number, item in enumerate(items):
        try:
            (shared / f"{number:05}").mkdir()
        except FileExistsError:
            continue
        yield item


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run what this run gets of the tests, in the order of their collection."""
    shared = os.environ.get("LAB_SHARE")
    if shared is None or session.testsfailed or session.config.option.collectonly:
        return None
    # Taking the next before running this one: pytest keeps up what both of them need.
    mine = taken(session.items, Path(shared))
    item = next(mine, None)
    while item is not None:
        following = next(mine, None)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail or session.shouldstop:
            raise session.Failed(session.shouldfail or session.shouldstop)
        item = following
    return True
