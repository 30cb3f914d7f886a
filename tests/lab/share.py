"""Pytest plugin: several runs of the same tests share them, each test going to whoever is free.

They agree through directories below LAB_SHARE, one for each test that somebody has taken: mkdir(2)
succeeds only once, in whatever number of guests the directory is mounted. With LAB_SHARE_MODULES
set it is one for each module, whose tests then stay together; if that is `groups`, one for all
modules with the same TOGETHER, which use the same preparations. What takes longest, according to
the MINUTES of the modules, is taken first: the end is when the last run has ended.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest


def part_of(item: pytest.Item, number: int) -> str:
    """Return the name of what a test is taken with; `number` is its place in the collection."""
    how = os.environ.get("LAB_SHARE_MODULES")
    if how is None:
        return f"{number:05}"
    together = getattr(_module(item), "TOGETHER", None) if how == "groups" else None
    return together or item.path.stem


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests, those of the part that takes longest first, each part's in their order."""
    parts = [part_of(item, number) for number, item in enumerate(items)]
    modules = {item.path: (part, _minutes(item)) for part, item in zip(parts, items)}
    return [items[number] for number in order(parts, modules.values())]


def order(parts: Sequence[str], modules: Iterable[tuple[str, int]]) -> list[int]:
    """Return the places of tests in the order in which they are taken.

    `parts` is the part of each test, `modules` the part of each module, and its minutes.
    """
    minutes: Counter[str] = Counter()
    for part, each in modules:
        minutes[part] += each
    return sorted(range(len(parts)), key=lambda place: (-minutes[parts[place]], parts[place]))


def _minutes(item: pytest.Item) -> int:
    return int(getattr(_module(item), "MINUTES", 0))


def _module(item: pytest.Item) -> object:
    return getattr(item, "module", None)


def taken(items: Sequence[pytest.Item], shared: Path) -> Iterator[pytest.Item]:
    """Take one part after the other, of those that nobody else has taken yet."""
    ours: dict[str, bool] = {}
    for number, item in enumerate(items):
        part = part_of(item, number)
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
    mine = taken(longest_first(session.items), Path(shared))
    item = next(mine, None)
    while item is not None:
        following = next(mine, None)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail or session.shouldstop:
            raise session.Failed(session.shouldfail or session.shouldstop)
        item = following
    return True
