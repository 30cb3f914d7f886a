"""The check ``postgres``: a login, and a query of the recovery state and the WAL positions.

A connection is kept for a few checks.  A new login shows that logins work; a kept connection saves
the server a process for each check, but holds up a smart shutdown.

libpq's asynchronous functions do not block as long as servers are given by address, and its files
are regular ones.  GSSAPI would ask other servers: encryption by it is off unless it is asked for.
"""

from __future__ import annotations

import os
import select
from collections.abc import Generator
from typing import TYPE_CHECKING

from ...pool.check_history import Reply
from ...postgres.connection import Target
from ...postgres.lag_history import STATEMENT, Positions, parse_positions
from ...postgres.redaction import join_lines, redact_complaint
from ...postgres.startup import ENDING_STATES, build_startup, read_sqlstate
from ...values.parsing import join_endpoint
from ..libpq import decode_text, parse_settings
from .host_check import Attempt, CheckFinding, Wait
from .libpq_files import replace_passfile, require_regular_files
from .tcp_check import classify_errno, connect, nonblocking_socket

if TYPE_CHECKING:
    from socket import socket

    from psycopg.pq.abc import PGconn, PGresult

CHECKS_OF_A_LOGIN = 5
_REPLY_PIECE = 4096


class PostgresChecker:
    """The check of one server, with its connection."""

    def __init__(self, host: str, address: str, port: int, conninfo: str) -> None:
        self.label = f"postgres check of {join_endpoint(address, port)}"
        self.stage = ""
        self._address = address
        self._port = port
        # The name is for the passfile and for the server's certificate; libpq does not resolve it.
        server = {"host": host, "hostaddr": address, "port": str(port)}
        self._target = Target(conninfo, {**server, "target_session_attrs": "any"})
        self._settings = {"gssencmode": "disable", **parse_settings(self._target)}
        self._connection: PGconn | None = None
        self._checks = 0

    def attempt(self) -> Attempt:
        """Query the kept connection, or a new one if that is due or the kept one has broken."""
        over = False
        try:
            finding = None
            if self._connection is not None and self._checks < CHECKS_OF_A_LOGIN:
                finding = yield from self._query(self._connection)
            if finding is None:
                finding = yield from self._log_in()
            over = finding.positions is not None
        finally:
            if not over:
                self.close()
        return finding

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.finish()
        self._connection = None

    def _log_in(self) -> Attempt:
        """Log in and query the server."""
        from psycopg.conninfo import make_conninfo
        from psycopg.pq import ConnStatus, PGconn, PollingStatus

        self.close()
        self.stage = "connecting"
        require_regular_files(self._settings)
        used, note = replace_passfile(self._settings)
        connection = self._connection = PGconn.connect_start(make_conninfo(**used).encode())
        self._checks = 0
        status: int = PollingStatus.WRITING
        while connection.status != ConnStatus.BAD and status in (
            PollingStatus.READING,
            PollingStatus.WRITING,
        ):
            events = select.POLLIN if status == PollingStatus.READING else select.POLLOUT
            yield Wait(connection.socket, events)
            self.stage = "logging in"
            status = connection.connect_poll()
        if connection.status != ConnStatus.OK:
            complaint = self._redact(connection.error_message)
            return (yield from self._explain_failure(f"{complaint}{note}"))
        connection.nonblocking = 1
        finding = yield from self._query(connection)
        return finding or CheckFinding(
            Reply.REFUSED, f"{self.label}: {self._redact(connection.error_message)}"
        )

    def _query(self, connection: PGconn) -> Generator[Wait, None, CheckFinding | None]:
        """Return the answer to the query; None if the connection or the server ends."""
        self._checks += 1
        self.stage = "waiting for the answer to a query"
        try:
            result = yield from _run_query(connection)
        except _psycopg_error():
            return None
        return None if result is None else self._read_result(result)

    def _read_result(self, result: PGresult) -> CheckFinding | None:
        from psycopg.pq import DiagnosticField, ExecStatus

        if result.status == ExecStatus.TUPLES_OK:
            values = (result.get_value(0, column) for column in range(result.nfields))
            return self._judge(
                parse_positions([None if value is None else decode_text(value) for value in values])
            )
        state = decode_text(result.error_field(DiagnosticField.SQLSTATE) or b"")
        if not state or state in ENDING_STATES:
            return None
        return CheckFinding(
            Reply.BUSY, f"{self.label}: {join_lines(decode_text(result.error_message))}"
        )

    def _judge(self, positions: Positions) -> CheckFinding:
        if positions.in_recovery:
            return CheckFinding(Reply.FIT, f"{self.label}: is in recovery", positions)
        why_not = "is not in recovery: a primary, not a standby"
        return CheckFinding(Reply.UNWANTED, f"{self.label}: {why_not}", positions)

    def _explain_failure(self, complaint: str) -> Attempt:
        """Return the finding after a failed login: only the SQLSTATE tells whether it is alive."""
        self.close()
        self.stage = f"connecting once more after: {complaint}"
        try:
            with nonblocking_socket(self._address) as connection:
                code = yield from connect(connection, self._address, self._port)
                if code:
                    raise OSError(code, os.strerror(code))
                user = self._settings.get("user") or "lvsdr"
                state = yield from _read_state(connection, user)
        except OSError as error:
            reply = classify_errno(error.errno or 0)
        else:
            alive = state and state not in ENDING_STATES
            reply = Reply.BUSY if alive else Reply.REFUSED
        return CheckFinding(reply, f"{self.label}: {complaint}")

    def _redact(self, message: bytes) -> str:
        return (
            redact_complaint(decode_text(message), self._target, self._settings)
            or "the connection has ended"
        )


def _read_state(connection: socket, user: str) -> Generator[Wait, None, str]:
    """Begin a login and return the SQLSTATE of the reply; empty if the server ends without one."""
    connection.send(build_startup({"user": user}))
    reply, state = b"", None
    while state is None:
        yield Wait(connection.fileno(), select.POLLIN)
        try:
            piece = connection.recv(_REPLY_PIECE)
        except BlockingIOError:
            continue
        reply += piece
        state = read_sqlstate(reply) if piece else ""
    return state


def _psycopg_error() -> type[Exception]:
    from psycopg import Error

    return Error


def _run_query(connection: PGconn) -> Generator[Wait, None, PGresult | None]:
    """Send the query and return its last result."""
    connection.send_query(STATEMENT.encode())
    while connection.flush():
        yield Wait(connection.socket, select.POLLIN | select.POLLOUT)
        connection.consume_input()
    last = None
    while True:
        while connection.is_busy():
            yield Wait(connection.socket, select.POLLIN)
            connection.consume_input()
        result = connection.get_result()
        if result is None:
            return last
        last = result
