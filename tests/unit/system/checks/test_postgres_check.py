"""The check ``postgres`` against servers that refuse, hang, or answer with an error.

The tests with a real server are in tests/postgres.
"""

from __future__ import annotations

import gc
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from lvsdr.errors import InvalidParameters
from lvsdr.pool.check_history import Reply
from lvsdr.system.checks.running_checks import CheckSettings

from tests.support.check_loop import checking
from tests.support.paths import ROOT
from tests.support.processes import run

LONG = 20.0  # seconds; a check that takes longer hangs
SSL_REQUEST = 80877103
CONNINFO = "user=monitor dbname=postgres sslmode=prefer"
Answer = Callable[[socket.socket], None]


def error(state: str, message: str) -> Answer:
    """Return the answer of a server that ends each connection with this error."""
    fields = b"".join(
        part.encode() + b"\0" for part in ("SFATAL", "VFATAL", f"C{state}", f"M{message}")
    )

    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"E" + struct.pack("!I", len(fields) + 5) + fields + b"\0")

    return answer


def hang(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def close(_connection: socket.socket) -> None:
    pass


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def babble(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def refuse_tls(connection: socket.socket) -> None:
    """Answer the request for TLS, if there is one; leave any other message to be read."""
    head = connection.recv(8, socket.MSG_PEEK | socket.MSG_WAITALL)
    if len(head) == 8 and struct.unpack("!II", head) == (8, SSL_REQUEST):
        connection.recv(8)
        connection.sendall(b"N")


@contextmanager
def serving(answer: Answer) -> Iterator[int]:
    """Yield the port of a server that gives the same answer to each connection."""

    def serve(connection: socket.socket) -> None:
        with closing(connection):
            try:
                refuse_tls(connection)
                answer(connection)
            except OSError:
                pass  # the check has closed the connection

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            accepting.join()


def settings(port: int, conninfo: str = CONNINFO, timeout: float = LONG) -> CheckSettings:
    return CheckSettings("postgres", port, 0.1, timeout, conninfo)


def reply_of(port: int, conninfo: str = CONNINFO, timeout: float = LONG) -> tuple[Reply, str]:
    """Return kind and reason of one check, without the label."""
    with checking(settings(port, conninfo, timeout), {"node1": "127.0.0.1"}) as loop:
        reply, reason = loop.next_reply("node1")
    label = f"postgres check of 127.0.0.1:{port}: "
    assert reason.startswith(label)
    return reply, reason.removeprefix(label)


@pytest.mark.parametrize(
    ("state", "reply"),
    [
        ("57P01", Reply.REFUSED),
        ("57P02", Reply.REFUSED),
        ("57P03", Reply.REFUSED),
        ("53300", Reply.BUSY),
        ("28P01", Reply.BUSY),
        ("28000", Reply.BUSY),
        ("3D000", Reply.BUSY),
    ],
)
def test_a_failed_login_is_judged_by_its_sqlstate(state: str, reply: Reply) -> None:
    with serving(error(state, "die Meldung in einer anderen Sprache")) as port:
        found, reason = reply_of(port)
    assert found is reply
    assert reason == (
        f'connection to server at "127.0.0.1", port {port} failed: '
        "FATAL: die Meldung in einer anderen Sprache"
    )


def test_a_server_that_accepts_and_never_answers_is_silent() -> None:
    with serving(hang) as port:
        assert reply_of(port, timeout=0.5) == (
            Reply.SILENT,
            "no answer within 0.5 s while logging in",
        )


@pytest.mark.parametrize("end", [close, reset])
def test_a_server_that_ends_each_connection_is_refused(end: Answer) -> None:
    with serving(end) as port:
        assert reply_of(port)[0] is Reply.REFUSED


def test_another_protocol_is_refused() -> None:
    with serving(babble) as port:
        assert reply_of(port)[0] is Reply.REFUSED


def test_a_closed_port_is_refused() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    reply, reason = reply_of(port)
    assert reply is Reply.REFUSED
    assert "Connection refused" in reason


def test_a_host_name_is_never_resolved() -> None:
    """The name only serves for the passfile and for certificates."""
    with (
        serving(error("53300", "too many")) as port,
        checking(settings(port), {"name.invalid": "127.0.0.1"}) as loop,
    ):
        assert loop.next_reply("name.invalid")[0] is Reply.BUSY


def test_a_server_of_the_conninfo_or_a_session_attribute_has_no_effect() -> None:
    conninfo = f"{CONNINFO} host=198.51.100.1 port=1 target_session_attrs=read-write"
    with serving(error("53300", "too many")) as port:
        assert reply_of(port, conninfo)[0] is Reply.BUSY


def test_a_password_is_in_no_reason() -> None:
    with serving(error("28P01", 'no entry for "geheim-77"')) as port:
        reply, reason = reply_of(port, f"{CONNINFO} password=geheim-77")
    assert reply is Reply.BUSY
    assert "geheim" not in reason


def test_an_unusable_passfile_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pass"
    path.write_text("*:*:*:*:geheim-77\n")
    path.chmod(0o644)
    with serving(error("28P01", "no password")) as port:
        reply, reason = reply_of(port, f"{CONNINFO} passfile={path}")
    assert reply is Reply.BUSY
    assert reason.endswith(
        f"; passfile {path} is not used: others may read it, so libpq ignores it: chmod 0600"
    )


@pytest.mark.parametrize("keyword", ["passfile", "sslrootcert"])
def test_a_fifo_does_not_block(keyword: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    with serving(error("28P01", "no password")) as port:
        reply, reason = reply_of(port, f"{CONNINFO} {keyword}={tmp_path}/fifo")
    assert reply is (Reply.BUSY if keyword == "passfile" else Reply.NONE)
    assert f"{tmp_path}/fifo" in reason
    assert "not a regular file" in reason


def test_an_unknown_service_is_named() -> None:
    with serving(error("28P01", "no password")) as port:
        reply, reason = reply_of(port, "service=nowhere")
    assert reply is Reply.BUSY
    assert "nowhere" in reason


def test_a_malformed_conninfo_is_an_error() -> None:
    with (
        pytest.raises(InvalidParameters, match='invalid connection option "hots"'),
        checking(settings(5432, "hots=node1"), {"node1": "127.0.0.1"}),
    ):
        pass


def test_a_server_that_hangs_delays_no_other() -> None:
    with (
        serving(hang) as port,
        checking(
            CheckSettings("postgres", port, 0.1, 1.5, CONNINFO),
            {"node1": "127.0.0.1", "node2": "127.0.0.2"},  # the second one listens nowhere
        ) as loop,
    ):
        loop.run(lambda: loop.results.get("node1"))
        assert [result.reply for result in loop.results["node1"]] == [Reply.SILENT]
        assert len(loop.results["node2"]) >= 3
        assert {result.reply for result in loop.results["node2"]} == {Reply.REFUSED}


def test_closed_checks_leave_no_descriptor() -> None:
    gc.collect()  # descriptors of earlier tests
    before = len(os.listdir("/proc/self/fd"))
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        with checking(settings(port), {"node1": "127.0.0.1", "node2": "127.0.0.1"}) as loop:
            for _ in range(3):
                loop.step()
            assert loop.checks.descriptors()
            loop.checks.keep({"node2": "127.0.0.1"}, 0.0)
            assert list(loop.checks.hosts) == ["node2"]
            assert len(loop.checks.descriptors()) == 1
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_watcher_finds_psycopg_although_it_runs_without_site() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'lib')!r})\n"
        "from lvsdr.system.checks.postgres_check import PostgresChecker\n"
        "PostgresChecker('node1', '127.0.0.1', 1, 'user=monitor')\n"
    )
    # As lvsdr.watcher.control starts it.
    done = run(["/usr/bin/python3", "-IS", "-B", "-c", program], check=False)
    assert (done.returncode, done.stderr) == (0, "")
