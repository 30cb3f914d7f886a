"""A client of the database behind an address, which continuously queries whether it may write."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg

from tests.leader.network import Host
from tests.leader.worker import Worker
from tests.support.waiting import PATIENCE

BEAT = 0.2  # seconds between two queries
_MOST = 20  # concurrent queries
_QUESTION = "select pg_is_in_recovery()"


class Said(NamedTuple):
    """Result of a query: `standby` is None without an answer."""

    asked: float
    standby: bool | None


class Queries:
    """Continuous queries, each on its own connection, so none waits for another."""

    def __init__(self, client: Host, address: str, password: str) -> None:
        self.said: list[Said] = []
        self._client = client
        self._how = f"host={address} user=postgres password={password} dbname=postgres"
        self._how += " connect_timeout=3 tcp_user_timeout=3000"
        self._room = threading.Semaphore(_MOST)
        self._worker = Worker(self._run)

    def stop(self) -> None:
        """Stop, and wait until all queries have ended."""
        self._worker.stop()
        for _ in range(_MOST):
            assert self._room.acquire(timeout=PATIENCE)
        for _ in range(_MOST):
            self._room.release()

    @property
    def answered(self) -> list[Said]:
        return sorted(said for said in self.said if said.standby is not None)

    @property
    def standbys(self) -> int:
        """Return the number of answers by a read-only database."""
        return sum(said.standby is True for said in self.said)

    @property
    def longest(self) -> float:
        """Return the longest time between two answered queries, in seconds."""
        times = [said.asked for said in self.answered]
        return max((end - begin for begin, end in zip(times, times[1:])), default=0.0)

    def _run(self, over: threading.Event) -> None:
        while not over.wait(BEAT):
            if self._room.acquire(timeout=PATIENCE):
                threading.Thread(target=self._ask, daemon=True).start()

    def _ask(self) -> None:
        asked = time.monotonic()
        try:
            with self._client.entered(), psycopg.connect(self._how) as connection:
                row = connection.execute(_QUESTION).fetchone()
            self.said.append(Said(asked, bool(row and row[0])))
        except psycopg.Error:
            self.said.append(Said(asked, None))
        finally:
            self._room.release()


@contextmanager
def querying(client: Host, address: str, password: str = "postgres") -> Iterator[Queries]:
    """Query until the end of the block."""
    made = Queries(client, address, password)
    try:
        yield made
    finally:
        made.stop()
