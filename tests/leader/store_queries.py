"""Queries of a store from a host: once, in the background, or continuously."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lvsdr import leader
from lvsdr.errors import SourceUnavailable
from lvsdr.leader.following import follow
from lvsdr.leader.gate import Answer, LeaderPolicy, State
from lvsdr.leader.settings import GivenSettings
from lvsdr.system.net.first_answer import Bell
from lvsdr.values.deadline import Deadline

from tests.leader.network import Host
from tests.support.waiting import PATIENCE

NEVER = 600.0  # seconds; no test takes so long
QUICK = LeaderPolicy(grace=4.0)


def open_store(kind: str, given: GivenSettings, node: str = "node1") -> leader.Store:
    return leader.open_store(kind, leader.build_settings(kind, node, given))


def query_store(host: Host, store: leader.Store, seconds: float = PATIENCE) -> Answer:
    """Return the store's answer to this host."""
    with host.entered():
        return leader.query_store(store, Deadline.after(seconds))


class StoreWait:
    """A wait of a store that runs in a thread on a host."""

    def __init__(self, host: Host, store: leader.Store, bell: Bell | None = None) -> None:
        self.problem = ""
        self._host, self._store, self._bell = host, store, bell or Bell()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._host.entered():
            try:
                self._store.wait(Deadline.after(NEVER), self._bell)
            except SourceUnavailable as error:
                self.problem = str(error)

    def over(self) -> bool:
        """Return whether the wait ends by itself."""
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()


class StoreFollower:
    """A thread that follows a store, as a daemon's does, and its answers."""

    def __init__(self, host: Host, store: leader.Store, policy: LeaderPolicy) -> None:
        self.answers: list[Answer] = []
        self.bell = Bell()
        self._host, self._store, self._policy = host, store, policy
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._host.entered():
            for answer in follow(self._store, self._policy, self.bell):
                self.answers.append(answer)

    def says(self, wanted: State) -> bool:
        """Return whether this is the latest answer."""
        return bool(self.answers) and self.answers[-1].leadership.state is wanted

    def stop(self) -> None:
        self.bell.stop()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


@contextmanager
def following(
    host: Host, store: leader.Store, policy: LeaderPolicy = QUICK
) -> Iterator[StoreFollower]:
    """Follow the store until the end of the block."""
    made = StoreFollower(host, store, policy)
    try:
        yield made
    finally:
        made.stop()
