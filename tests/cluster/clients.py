"""Clients of the read service, with lasting sessions and continuous new connections.

The connections are real libpq connections from one host. They run in threads: a process for each
would be too much for a guest with one processor.
"""

from __future__ import annotations

import contextlib
import selectors
import threading
import time
from collections import Counter
from typing import NamedTuple

import psycopg
from psycopg.pq import ExecStatus

from tests.cluster.addresses import READ_VIP
from tests.cluster.postgres import MONITOR, PORT
from tests.lab.host import Host
from tests.support.namespaces import entered

TIMEOUT = 8  # seconds for a connection, or for an answer
PAUSE = 1.0  # seconds between two new connections
WHO = "select current_setting('cluster_name')"


class Visit(NamedTuple):
    """A new connection: its begin and end in monotonic seconds, and the server that answered.

    If no server answered, `server` is empty and `error` contains the reason.
    """

    began: float
    ended: float
    server: str
    error: str


class Session:
    """An established connection. `server` is the name of the machine that it landed on."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._connection = connection
        self.server = ""
        self.error = ""

    @property
    def alive(self) -> bool:
        """Return whether a query on the session is answered in time."""
        if not self.error:
            try:
                self.ask("select 1")
            except (psycopg.Error, TimeoutError) as error:
                self.error = _said(error)
        return not self.error

    def ask(self, query: str, seconds: float = TIMEOUT) -> str:
        """Return the first value of a query's result. Raises the same errors as `answer`."""
        self.send(query)
        return self.answer(seconds)

    def send(self, query: str) -> None:
        """Begin a query. Raises psycopg.OperationalError."""
        self._connection.pgconn.send_query(query.encode())

    @property
    def waits(self) -> bool:
        """Return whether the query that was begun is still unanswered."""
        self._connection.pgconn.consume_input()
        return bool(self._connection.pgconn.is_busy())

    def answer(self, seconds: float = TIMEOUT) -> str:
        """Wait for the end of a query. Raises psycopg.OperationalError or TimeoutError."""
        # psycopg would wait without a deadline.
        pgconn = self._connection.pgconn
        deadline = time.monotonic() + seconds
        answer = ""
        with selectors.DefaultSelector() as selector:
            selector.register(pgconn.socket, selectors.EVENT_READ)
            while True:
                while pgconn.is_busy():
                    if not selector.select(max(0.0, deadline - time.monotonic())):
                        raise TimeoutError(f"no answer within {seconds:g} s")
                    pgconn.consume_input()
                result = pgconn.get_result()
                if result is None:
                    return answer
                if result.status != ExecStatus.TUPLES_OK:
                    raise psycopg.OperationalError(result.error_message.decode().strip())
                answer = (result.get_value(0, 0) or b"").decode()

    def close(self) -> None:
        with contextlib.suppress(psycopg.Error):
            self._connection.close()


def connect(host: Host, address: str = READ_VIP) -> Session:
    """Open a session from a host. Raises psycopg.OperationalError or TimeoutError."""
    with entered(host.name):
        connection = psycopg.connect(
            host=address,
            port=PORT,
            user=MONITOR,
            dbname="postgres",
            connect_timeout=TIMEOUT,
            autocommit=True,
        )
    session = Session(connection)
    try:
        session.server = session.ask(WHO)
    except BaseException:
        session.close()
        raise
    return session


def _said(error: Exception) -> str:
    return str(error).strip() or type(error).__name__


def visit(host: Host, address: str = READ_VIP) -> Visit:
    """Connect, query the server's name, and close the connection."""
    began = time.monotonic()
    try:
        session = connect(host, address)
    except (psycopg.Error, TimeoutError) as error:
        return Visit(began, time.monotonic(), "", _said(error))
    session.close()
    return Visit(began, time.monotonic(), session.server, "")


def spread(host: Host, connections: int, address: str = READ_VIP) -> Counter[str]:
    """Count the servers that new connections land on. Errors count by their messages."""
    visits = (visit(host, address) for _ in range(connections))
    return Counter(each.server or each.error for each in visits)


class Clients:
    """Several sessions, and new connections one after the other, until the end of a `with`."""

    def __init__(self, host: Host, sessions: int = 6, address: str = READ_VIP) -> None:
        self._host, self._address = host, address
        self.sessions: list[Session] = [connect(host, address) for _ in range(sessions)]
        self.visits: list[Visit] = []
        self._done = threading.Event()
        self._visitor = threading.Thread(target=self._visit, name="visitor")

    def _visit(self) -> None:
        while not self._done.wait(PAUSE):
            self.visits.append(visit(self._host, self._address))

    def __enter__(self) -> Clients:
        self._visitor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._visitor.join()
        for session in self.sessions:
            session.close()

    def on(self, server: str) -> list[Session]:
        """Return the sessions that landed on a server."""
        return [session for session in self.sessions if session.server == server]

    def leave(self, server: str) -> None:
        """End the sessions on a server, as well-behaved clients do now and then."""
        for session in self.on(server):
            session.close()
            self.sessions.remove(session)

    # --- results

    @property
    def failures(self) -> list[Visit]:
        """Return the new connections that failed."""
        return self.failures_since(0.0)

    @property
    def longest_gap(self) -> float:
        """Return the longest time in seconds without a successful new connection."""
        seen = list(self.visits)
        if not seen:
            return 0.0
        served = [each.ended for each in seen if not each.error]
        moments = [seen[0].began, *served, seen[-1].ended]
        return max(later - earlier for earlier, later in zip(moments, moments[1:]))

    def since(self, moment: float) -> list[Visit]:
        """Return the new connections that began at `moment` or later."""
        return [each for each in list(self.visits) if each.began >= moment]

    def servers_since(self, moment: float) -> Counter[str]:
        """Count these connections by server. Errors count under the empty name."""
        return Counter(each.server for each in self.since(moment))

    def failures_since(self, moment: float) -> list[Visit]:
        """Return the failed ones of these connections."""
        return [each for each in self.since(moment) if each.error]

    def broken(self) -> Counter[str]:
        """Count the sessions that no longer work, by the server that they landed on."""
        return Counter(session.server for session in self.sessions if not session.alive)

    def __str__(self) -> str:
        gap = f"{self.longest_gap:.1f} s without a new one at most"
        failed = Counter(each.error.splitlines()[0] for each in self.failures)
        return f"{len(self.visits)} new connections, {failed or 'no failures'}, {gap}"
