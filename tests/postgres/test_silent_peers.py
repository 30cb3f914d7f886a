"""Peers without an answer: the tools give up in time, name the peer, and leave nothing behind."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.postgres.tool import TIMEOUT, Tool, ToolResult, Tools
from tests.postgres.world import PASSWORDS, World
from tests.support.waiting import wait_until

LOGIN = f"user=monitor password={PASSWORDS['monitor']} dbname=postgres"
SOON = ("--timeout", "1")
HERE = "10.66.0.19"

# The message of a server that accepts every client (authentication is ok, ready for a query) and
# then stays silent: https://www.postgresql.org/docs/current/protocol-message-formats.html
WELCOME = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"
# The answer of a server that returns one row of one column for every query.
NONSENSE = (
    b"T\0\0\0\x1a\0\x01x\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"
    b"D\0\0\0\x0b\0\x01\0\0\0\x01yC\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I"
)


def gave_up(tools: Tools, host: str, doing: str) -> None:
    """Assert that both tools give up on a host within a second, and name this phase."""
    string = f"host={host} {LOGIN} gssencmode=disable sslmode=disable"
    listing, check = tools.both("psql", string, *SOON)
    assert (listing[:2], check[:2]) == ((1, ""), (1, "f\n"))
    for said in (listing, check):
        assert re.fullmatch(rf"no answer within [01.9]+ s while {doing}", said.err)


@contextlib.contextmanager
def listening() -> Iterator[socket.socket]:
    """Yield a socket on which the kernel accepts connections, without a server."""
    with socket.create_server((HERE, 5432)) as server:
        yield server


@contextlib.contextmanager
def receiving(attend: Callable[[socket.socket], None]) -> Iterator[None]:
    """Run a server that attends its guests one after the other."""
    with listening() as server:

        def work() -> None:
            with contextlib.suppress(OSError):
                while True:
                    attend(server.accept()[0])

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(TIMEOUT)


@contextlib.contextmanager
def welcoming(answer: bytes = b"") -> Iterator[None]:
    """Run a server that gives the same answer to every query, or none."""
    with contextlib.ExitStack() as opened:

        def attend(guest: socket.socket) -> None:
            opened.callback(guest.close)
            guest.recv(1000)
            guest.sendall(WELCOME)
            while answer and guest.recv(10000):
                guest.sendall(answer)

        with receiving(attend):
            yield


def test_a_host_that_is_switched_off(tools: Tools) -> None:
    gave_up(tools, "10.67.0.2", "connecting to 10.67.0.2")


def test_a_server_that_accepts_and_sends_nothing(tools: Tools) -> None:
    with listening():
        gave_up(tools, HERE, f"connecting to {HERE}")


def test_a_server_that_answers_no_query(tools: Tools) -> None:
    with welcoming():
        gave_up(tools, HERE, "waiting for the answer of a server that accepted the connection")


def test_a_server_that_talks_nonsense(tools: Tools) -> None:
    string = f"host={HERE} {LOGIN} gssencmode=disable sslmode=disable"
    says = "the server's answer does not have PostgreSQL's form"
    for tool, out in ((tools.get_active_slaves, ""), (tools.check_active_slave, "f\n")):
        with welcoming(NONSENSE):
            assert tool("psql", string) == ToolResult(1, out, says)


def error_response(state: str) -> bytes:
    """Return an error in another language: only its SQLSTATE does not depend on the language."""
    fields = f"SKATASTROFALNY\0VFATAL\0C{state}\0Mbrak\0\0".encode()
    return b"E" + (len(fields) + 4).to_bytes(4, "big") + fields


@contextlib.contextmanager
def denying(answer: bytes) -> Iterator[None]:
    """Run a server that gives this answer to every login, and closes the connection."""

    def attend(guest: socket.socket) -> None:
        with guest:
            guest.recv(1000)
            guest.sendall(answer)

    with receiving(attend):
        yield


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (error_response("53300"), 0),
        (error_response("28000"), 0),
        (error_response("3D000"), 0),
        (error_response("08P01"), 0),
        (error_response("57P03"), 1),
        (b"", 1),
        (b"SSH-2.0-OpenSSH_9.2\r\n", 1),
    ],
    ids=["full", "role", "database", "pooler", "starting", "closes", "no PostgreSQL"],
)
def test_answers_of_a_server_to_a_login(answer: bytes, status: int, tools: Tools) -> None:
    string = f"host={HERE} {LOGIN} gssencmode=disable sslmode=disable"
    with denying(answer):
        listing, check = tools.both("psql", string)
    assert (listing[:2], check[:2]) == ((1, ""), (status, "f\n"))


@pytest.mark.parametrize(
    ("answer", "status"), [(error_response("42501"), 0), (error_response("57P01"), 1), (b"", 1)]
)
def test_answers_of_a_server_to_a_query(answer: bytes, status: int, tools: Tools) -> None:
    string = f"host={HERE} {LOGIN} gssencmode=disable sslmode=disable"
    ready = b"Z\0\0\0\x05I"
    with welcoming(answer and answer + ready):
        check = tools.check_active_slave("psql", string, *SOON)
    assert check[:2] == (status, "f\n")


def test_a_resolver_without_an_answer(tools: Tools) -> None:
    """Without name resolution no server was queried, so no state is known."""
    for said in tools.both("psql", f"host=nowhere.example {LOGIN}", *SOON):
        assert said[:2] == (126, "")
        assert re.fullmatch(r"no answer within [01.9]+ s while looking up nowhere\.\w+", said.err)


def test_a_frozen_primary(world: World, tools: Tools) -> None:
    with world.primary.frozen():
        gave_up(tools, "node1", "connecting to node1")


def test_a_frozen_standby(world: World, tools: Tools) -> None:
    with world.standbys["node3"].frozen():
        gave_up(tools, "node3", "connecting to node3")


@pytest.mark.usefixtures("world")
def test_a_cluster_without_an_answer(get_active_slaves: Tool, tmp_path: Path) -> None:
    crm_mon = tmp_path / "crm_mon"
    crm_mon.write_text("#!/bin/sh\nexec sleep 60\n")
    crm_mon.chmod(0o755)
    said = get_active_slaves("psql", f"host=node1 {LOGIN}", *SOON, PATH=f"{tmp_path}:/usr/bin:/bin")
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("crm_mon: timed out after 0.")


def test_a_connect_timeout_is_enough(check_active_slave: Tool) -> None:
    words = ("psql", f"{LOGIN} connect_timeout=2", "-h", "10.67.0.2", "--timeout", "20")
    says = 'connection to server at "10.67.0.2", port 5432 failed: timeout expired'
    assert check_active_slave(*words) == ToolResult(1, "f\n", says)


SHARED = {
    "a service": f"[s]\nhost={HERE},node1\n",
    "two addresses of a name": "[s]\nhost=both\n",
    "any time for each": f"[s]\nhost={HERE},node1\nconnect_timeout=0\n",
    "too much time for each": f"[s]\nhost={HERE},node1\nconnect_timeout=20\n",
}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("service", SHARED.values(), ids=SHARED)
def test_all_servers_have_a_share_of_the_time(
    service: str, get_active_slaves: Tool, tmp_path: Path
) -> None:
    """A silent first server leaves time for the others."""
    services = tmp_path / "services"
    services.write_text(service)
    string = f"service=s {LOGIN} gssencmode=disable sslmode=disable"
    with listening():
        said = get_active_slaves("psql", string, "--timeout", "5", PGSERVICEFILE=str(services))
    assert said == ToolResult(0, "10.66.0.14 node2 node3\n", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_tool_that_is_killed(number: int, tools: Tools) -> None:
    """A killed tool leaves no child: the child that waits for the server ends with it."""
    with listening():
        words = (f"host={HERE} {LOGIN}", "--timeout", "600")
        with tools.check_active_slave.start(*words) as process:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            wait_until(lambda: bool(children.read_text()), description="the tool to have a child")
            (child,) = map(int, children.read_text().split())
            os.kill(process.pid, number)
        wait_until(lambda: not Path(f"/proc/{child}").exists(), description="the child to end")
