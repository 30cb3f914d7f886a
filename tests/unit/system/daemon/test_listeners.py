"""Answers at sockets of this host."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from lvsdr.errors import LvsdrError
from lvsdr.system.daemon import listeners, requests

from tests.project.tree import LIB

pytestmark = pytest.mark.slow  # most of these tests wait

PATIENCE = 30.0


def words() -> bytes:
    return b"some words\n"


@pytest.fixture
def path(tmp_path: Path) -> Iterator[str]:
    listener = listeners.open_unix_socket(str(tmp_path / "deep" / "1.sock"))
    requests.serve_unix(listener, words)
    yield str(tmp_path / "deep" / "1.sock")
    listener.close()


def test_who_asks_is_answered(path: str) -> None:
    assert listeners.query_socket(path, PATIENCE) == words()
    assert listeners.query_socket(path, PATIENCE) == words()
    assert Path(path).stat().st_mode & 0o777 == 0o600


def test_one_who_goes_away_stops_nobody(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(path)
    assert listeners.query_socket(path, PATIENCE) == words()


def scraped(where: tuple[str, int]) -> bytes:
    with socket.create_connection(where, PATIENCE) as peer:
        peer.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        said = bytearray()
        while piece := peer.recv(1 << 20):
            said += piece
    return bytes(said)


@pytest.fixture
def metrics() -> Iterator[tuple[str, int]]:
    listener = listeners.open_port("127.0.0.1", 0)
    requests.serve_http(listener, "/metrics", words)
    yield listener.wire.getsockname()
    listener.close()


def test_clients_that_do_not_go_on_hold_up_nobody(metrics: tuple[str, int]) -> None:
    """The oldest idle client is dismissed when one more connects than are served at a time."""
    idle = [socket.create_connection(metrics, PATIENCE) for _ in range(33)]
    for peer in idle[1:]:
        peer.sendall(b"G")
    assert scraped(metrics).endswith(b"some words\n")
    assert idle[0].recv(1) == b""
    assert scraped(metrics).endswith(b"some words\n")
    for peer in idle:
        peer.close()


def test_a_client_that_sends_a_byte_at_a_time_is_dismissed(metrics: tuple[str, int]) -> None:
    with socket.create_connection(metrics, PATIENCE) as peer:
        pause, sent = threading.Event(), 0
        with suppress(ConnectionError):
            while sent < 400:
                peer.sendall(b"x")
                sent += 1
                pause.wait(0.05)
        assert sent < 400
    assert scraped(metrics).endswith(b"some words\n")


def test_a_client_that_does_not_read_holds_up_nobody() -> None:
    listener = listeners.open_port("127.0.0.1", 0)
    requests.serve_http(listener, "/metrics", lambda: b"#" * 4_000_000)
    where = listener.wire.getsockname()
    with socket.create_connection(where, PATIENCE) as peer:
        peer.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert scraped(where).count(b"#") == 4_000_000
    listener.close()


def test_a_shortage_of_descriptors_ends_nothing() -> None:
    """A shortage of descriptors makes accept() fail for a while, and does not end the server."""
    code = (
        "import resource, socket, sys, time\n"
        f"sys.path.insert(0, {str(LIB)!r})\n"
        "from lvsdr.system.daemon import listeners, requests\n"
        "listener = listeners.open_port('127.0.0.1', 0)\n"
        "where = listener.wire.getsockname()\n"
        "peer = socket.socket()\n"
        "requests.serve_http(listener, '/metrics', lambda: b'words')\n"
        "limits = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))\n"
        "peer.connect(where)\n"
        "time.sleep(1.0)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, limits)\n"
        "peer.sendall(b'GET /metrics HTTP/1.1\\r\\n\\r\\n')\n"
        "assert peer.recv(100).startswith(b'HTTP/1.1 200 OK')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], timeout=60, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_an_answer_that_fails_ends_nothing() -> None:
    answers = iter([ZeroDivisionError, None])

    def answer() -> bytes:
        if next(answers) is not None:
            raise ZeroDivisionError
        return words()

    listener = listeners.open_port("127.0.0.1", 0)
    requests.serve_http(listener, "/metrics", answer)
    assert scraped(listener.wire.getsockname()) == b""
    assert scraped(listener.wire.getsockname()).endswith(words())
    listener.close()


def test_nobody_is_there(tmp_path: Path) -> None:
    path = str(tmp_path / "1.sock")
    assert listeners.query_socket(path, PATIENCE) is None
    with socket.socket(socket.AF_UNIX) as wire:
        wire.bind(path)  # and never listens, like one that was killed
    assert listeners.query_socket(path, PATIENCE) is None


def test_the_socket_of_a_killed_process_is_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "1.sock")
    with socket.socket(socket.AF_UNIX) as wire:
        wire.bind(path)
    listener = listeners.open_unix_socket(path)
    requests.serve_unix(listener, words)
    assert listeners.query_socket(path, PATIENCE) == words()
    listener.close()
    assert not Path(path).exists()


def test_no_place_for_a_socket(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LvsdrError) as raised:
        listeners.open_unix_socket(str(tmp_path / "file" / "1.sock"))
    assert str(raised.value).startswith(f"cannot listen at {tmp_path}/file/1.sock: ")


def test_no_place_at_a_port() -> None:
    with socket.socket() as wire:
        wire.bind(("127.0.0.1", 0))
        wire.listen()
        port = wire.getsockname()[1]
        with pytest.raises(LvsdrError) as raised:
            listeners.open_port("127.0.0.1", port)
    assert str(raised.value) == f"cannot listen at 127.0.0.1 port {port}: Address already in use"


def test_over_http() -> None:
    listener = listeners.open_port("127.0.0.1", 0)
    requests.serve_http(listener, "/metrics", words)
    where = listener.wire.getsockname()
    for _ in range(2):
        with socket.create_connection(where, PATIENCE) as peer:
            peer.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            said = b""
            while piece := peer.recv(4096):
                said += piece
        assert said.startswith(b"HTTP/1.1 200 OK\r\n")
        assert said.endswith(b"\r\n\r\nsome words\n")
    listener.close()


@pytest.mark.parametrize(
    ("question", "status", "body"),
    [
        (b"GET /metrics HTTP/1.1\r\n\r\n", b"200 OK", b"some words\n"),
        (b"GET /metrics?x=1 HTTP/1.0\n\n", b"200 OK", b"some words\n"),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"200 OK", b""),
        (b"GET / HTTP/1.1\r\n\r\n", b"404 Not Found", b"there is only /metrics\n"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"400 Bad Request", b"only GET is understood\n"),
        (b"", b"400 Bad Request", b"only GET is understood\n"),
        (b"\x16\x03\x01", b"400 Bad Request", b"only GET is understood\n"),
    ],
)
def test_requests(question: bytes, status: bytes, body: bytes) -> None:
    head, _, found = requests.http_response(question, "/metrics", words).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert found == body
