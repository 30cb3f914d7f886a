"""Pytest plugin: several runs of the same tests share them, each test going to whoever is free.

They agree through directories below LAB_SHARE, one for each test that somebody has taken: mkdir(2)
succeeds only once, in whatever number of guests the directory is mounted. With LAB_SHARE_MODULES
set it is one for each module, whose tests then stay together.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest


def taken(items: Sequence[pytest.Item], shared: Path) -> Iterator[pytest.Item]:
    """Take one part after the other, of those that nobody else has taken yet."""
    ours: dict[str, bool] = {}
    for number, item in enumerate(items):
        part = item.path.stem if "LAB_SHARE_MODULES" in os.environ else f"{number:05}"
        if part not in ours:
            ours[part] = take(shared / part)
        if ours[part]:
            yield item


def take(part: Path) -> bool:
    """Say whether this part was nobody's before."""
    try:
        part.mkdir()
    except FileExistsError:
        return False
    return True


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
