"""Pytest plugin: parallel runs share one set of tests, each part going to the first free run.

The runs agree through directories below LAB_SHARE, one for each part that is taken. mkdir(2)
succeeds only once, in any number of guests that mount the directory. A part is one test by default.
LAB_SHARE_MODULES makes it one module, and its tests stay together. The value `groups` makes it all
modules with the same TOGETHER, which use the same preparations. The longest parts, by the MINUTES
of their modules, are taken first, because the last run determines the end.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest


def part_of(item: pytest.Item, number: int) -> str:
    """Return the name of a test's part; `number` is its place in the collection."""
    how = os.environ.get("LAB_SHARE_MODULES")
    if how is None:
        return f"{number:05}"
    together = getattr(_module(item), "TOGETHER", None) if how == "groups" else None
    return together or item.path.stem


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests, those of the longest part first, each part's tests in their order."""
    parts = [part_of(item, number) for number, item in enumerate(items)]
    modules = {item.path: (part, _minutes(item)) for part, item in zip(parts, items)}
    return [items[number] for number in order(parts, modules.values())]


def order(parts: Sequence[str], modules: Iterable[tuple[str, int]]) -> list[int]:
    """Return the places of tests in the order in which they are taken.

    `parts` contains the part of each test; `modules` contains the part of each module, and its
    minutes.
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
    """Take the free parts one after the other, and yield their tests."""
    ours: dict[str, bool] = {}
    for number, item in enumerate(items):
        part = part_of(item, number)
        if part not in ours:
            ours[part] = take(shared / part)
        if ours[part]:
            yield item


def take(part: Path) -> bool:
    """Take a part. Return whether it was free."""
    try:
        part.mkdir()
    except FileExistsError:
        return False
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run this run's share of the tests, longest parts first."""
    shared = os.environ.get("LAB_SHARE")
    if shared is None or session.testsfailed or session.config.option.collectonly:
        return None
    # The next test is taken before this one runs: pytest keeps fixtures that both need.
    mine = taken(longest_first(session.items), Path(shared))
    item = next(mine, None)
    while item is not None:
        following = next(mine, None)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail or session.shouldstop:
            raise session.Failed(session.shouldfail or session.shouldstop)
        item = following
    return True
