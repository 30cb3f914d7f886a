"""The check ``tcp`` with real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from errno import EADDRNOTAVAIL, ECONNREFUSED, EHOSTUNREACH, EMFILE, ENETUNREACH, ETIMEDOUT

import pytest
from lvsdr.pool.check_history import Reply
from lvsdr.system.checks.running_checks import CheckSettings
from lvsdr.system.checks.tcp_check import classify_errno

from tests.support.check_loop import checking


@contextmanager
def listening(address: str = "127.0.0.1", port: int = 0) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as server:
        server.bind((address, port))
        server.listen(8)
        yield server


@contextmanager
def silent(address: str) -> Iterator[int]:
    """Yield the port of a server whose queue is full: the kernel drops all further packets."""
    with closing(socket.socket()) as server:
        server.bind((address, 0))
        server.listen(0)
        name = server.getsockname()
        with closing(socket.create_connection(name)):
            yield name[1]


def settings(port: int, timeout: float = 20.0) -> CheckSettings:
    return CheckSettings("tcp", port, 0.1, timeout)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_listener_is_fit(address: str) -> None:
    with listening(address) as server:
        port = server.getsockname()[1]
        with checking(settings(port), {"node1": address}) as loop:
            shown = f"[{address}]" if ":" in address else address
            expected = Reply.FIT, f"tcp check of {shown}:{port}: connected"
            assert [loop.next_reply("node1") for _ in range(3)] == [expected] * 3


def test_each_check_ends_its_connection_in_order() -> None:
    """The server reads the end of the connection, not an error."""
    with (
        listening() as server,
        checking(settings(server.getsockname()[1]), {"node1": "127.0.0.1"}) as loop,
    ):
        loop.next_reply("node1")
        with closing(server.accept()[0]) as connection:
            assert connection.recv(1) == b""


def test_a_closed_port_is_refused() -> None:
    with listening() as server:
        port = server.getsockname()[1]
    with checking(settings(port), {"node1": "127.0.0.1"}) as loop:
        assert loop.next_reply("node1") == (
            Reply.REFUSED,
            f"tcp check of 127.0.0.1:{port}: Connection refused",
        )


def test_no_answer_in_time_is_silent() -> None:
    with (
        silent("127.0.0.1") as port,
        checking(settings(port, timeout=0.3), {"node1": "127.0.0.1"}) as loop,
    ):
        assert loop.next_reply("node1") == (
            Reply.SILENT,
            f"tcp check of 127.0.0.1:{port}: no answer within 0.3 s while connecting",
        )


def test_a_host_that_hangs_delays_no_other() -> None:
    with (
        silent("127.0.0.1") as port,
        listening("127.0.0.2", port),
        checking(settings(port, timeout=2.0), {"node1": "127.0.0.1", "node2": "127.0.0.2"}) as loop,
    ):
        loop.run(lambda: loop.results.get("node1"))
        replies = {host: [r.reply for r in results] for host, results in loop.results.items()}
        assert replies["node1"] == [Reply.SILENT]
        assert len(replies["node2"]) >= 3
        assert set(replies["node2"]) == {Reply.FIT}


def test_a_server_that_comes_and_goes() -> None:
    with listening() as server:
        port = server.getsockname()[1]
        with checking(settings(port), {"node1": "127.0.0.1"}) as loop:
            assert loop.next_reply("node1")[0] is Reply.FIT
            server.close()
            loop.run(lambda: loop.results["node1"][-1].reply is Reply.REFUSED)
            with listening(port=port):
                loop.run(lambda: loop.results["node1"][-1].reply is Reply.FIT)


@pytest.mark.parametrize(
    ("code", "reply"),
    [
        (ECONNREFUSED, Reply.REFUSED),
        (EHOSTUNREACH, Reply.REFUSED),
        (ENETUNREACH, Reply.REFUSED),
        (ETIMEDOUT, Reply.SILENT),
        (EMFILE, Reply.NONE),
        (EADDRNOTAVAIL, Reply.NONE),
    ],
)
def test_errors_of_this_node_do_not_count(code: int, reply: Reply) -> None:
    assert classify_errno(code) is reply
