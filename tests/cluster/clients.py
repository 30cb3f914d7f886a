"""Clients of the read service: sessions that last, and new connections all the time.

Real libpq connections, from one host, in threads: a process for each would be too much for a guest
with one processor.
"""

from __future__ import annotations

import contextlib
import selectors
import threading
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple

import psycopg

from tests.cluster.places import READ_VIP
from tests.cluster.postgres import MONITOR, PORT
from tests.lab.host import Host
from tests.lab.namespace import entered

TIMEOUT = 4  # seconds for a connection, or for an answer
PAUSE = 1.0  # seconds between two new connections
WHO = "select current_setting('cluster_name')"


class Visit(NamedTuple):
    """A new connection: when it began and ended, in monotonic seconds, and who answered.

    If nobody did `server` is empty and `error` says why.
    """

    began: float
    ended: float
    server: str
    error: str


class Session:
    """An established connection. `server` is the name of the machine that it landed on."""

    def __init__(self, connection: psycopg.Connection[tuple[str]], server: str) -> None:
        self._connection = connection
        self.server = server
        self.error = ""

    @property
    def alive(self) -> bool:
        """Find out whether it still works, by a query that is to be answered in time."""
        if not self.error:
            try:
                self._query()
            except (psycopg.Error, TimeoutError) as error:
                self.error = str(error).strip() or type(error).__name__
        return not self.error

    def _query(self) -> None:
        # As psycopg does it, but for the deadline: it waits as long as that takes.
        pgconn = self._connection.pgconn
        pgconn.send_query(b"select 1")
        deadline = time.monotonic() + TIMEOUT
        with selectors.DefaultSelector() as selector:
            selector.register(pgconn.socket, selectors.EVENT_READ)
            while pgconn.is_busy():
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError(f"no answer within {TIMEOUT} s")
                pgconn.consume_input()
        while pgconn.get_result():
            pass

    def close(self) -> None:
        with contextlib.suppress(psycopg.Error):
            self._connection.close()


def connect(host: Host, address: str = READ_VIP) -> Session:
    """Open a session from a host. Raises psycopg.OperationalError."""
    with entered(host.name):
        connection = psycopg.connect(
            host=address,
            port=PORT,
            user=MONITOR,
            dbname="postgres",
            connect_timeout=TIMEOUT,
            autocommit=True,
        )
        try:
            (server,) = connection.execute(WHO).fetchone() or ("",)
        except BaseException:
            connection.close()
            raise
    return Session(connection, server)


def visit(host: Host, address: str = READ_VIP) -> Visit:
    """Connect, ask who is there, and leave."""
    began = time.monotonic()
    try:
        session = connect(host, address)
    except psycopg.Error as error:
        return Visit(began, time.monotonic(), "", str(error).strip() or type(error).__name__)
    session.close()
    return Visit(began, time.monotonic(), session.server, "")


def spread(host: Host, connections: int, address: str = READ_VIP) -> Counter[str]:
    """Count on which servers fresh connections land; an error counts by its message."""
    visits = (visit(host, address) for _ in range(connections))
    return Counter(each.server or each.error for each in visits)


class Clients:
    """Several sessions, and new connections one after the other, for as long as a `with` lasts."""

    def __init__(self, host: Host, sessions: int = 6, address: str = READ_VIP) -> None:
        self._host, self._address = host, address
        self.sessions: Sequence[Session] = [connect(host, address) for _ in range(sessions)]
        self.visits: list[Visit] = []
        self._done = threading.Event()
        self._visitor = threading.Thread(target=self._visit, name="visitor")

    def _visit(self) -> None:
        while not self._done.wait(PAUSE):
            self.visits.append(visit(self._host, self._address))

    def __enter__(self) -> Clients:
        self._visitor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._visitor.join()
        for session in self.sessions:
            session.close()

    # --- what they have seen

    @property
    def failures(self) -> list[Visit]:
        """The new connections that nobody answered."""
        return [each for each in list(self.visits) if each.error]

    @property
    def longest_gap(self) -> float:
        """The most seconds in a row in which no new connection succeeded."""
        seen = list(self.visits)
        if not seen:
            return 0.0
        served = [each.ended for each in seen if not each.error]
        moments = [seen[0].began, *served, seen[-1].ended]
        return max(later - earlier for earlier, later in zip(moments, moments[1:]))

    def servers_since(self, moment: float) -> Counter[str]:
        """Count who answered the new connections that began at `moment` or later."""
        return Counter(each.server for each in list(self.visits) if each.began >= moment)

    def broken(self) -> Counter[str]:
        """Count the sessions that no longer work, by the server they had landed on."""
        return Counter(session.server for session in self.sessions if not session.alive)

    def __str__(self) -> str:
        gap = f"{self.longest_gap:.1f} s without a new one at most"
        failed = Counter(each.error.splitlines()[0] for each in self.failures)
        return f"{len(self.visits)} new connections, {failed or 'no failures'}, {gap}"
