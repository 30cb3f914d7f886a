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

TIMEOUT = 30.0


def make_words() -> bytes:
    return b"some words\n"


@pytest.fixture
def path(tmp_path: Path) -> Iterator[str]:
    listener = listeners.open_unix_socket(str(tmp_path / "deep" / "1.sock"))
    requests.serve_unix(listener, make_words)
    yield str(tmp_path / "deep" / "1.sock")
    listener.close()


def test_a_client_of_a_unix_socket_is_answered(path: str) -> None:
    assert listeners.query_socket(path, TIMEOUT) == make_words()
    assert listeners.query_socket(path, TIMEOUT) == make_words()
    assert Path(path).stat().st_mode & 0o777 == 0o600


def test_a_disconnected_client_does_not_stop_the_service(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(path)
    assert listeners.query_socket(path, TIMEOUT) == make_words()


def scrape(where: tuple[str, int]) -> bytes:
    with socket.create_connection(where, TIMEOUT) as peer:
        peer.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        response = bytearray()
        while piece := peer.recv(1 << 20):
            response += piece
    return bytes(response)


@pytest.fixture
def metrics() -> Iterator[tuple[str, int]]:
    listener = listeners.open_port("127.0.0.1", 0)
    requests.serve_http(listener, "/metrics", make_words)
    yield listener.wire.getsockname()
    listener.close()


def test_idle_clients_do_not_delay_others(metrics: tuple[str, int]) -> None:
    """The oldest idle client is dismissed when one more connects than are served at a time."""
    idle = [socket.create_connection(metrics, TIMEOUT) for _ in range(33)]
    for peer in idle[1:]:
        peer.sendall(b"G")
    assert scrape(metrics).endswith(b"some words\n")
    assert idle[0].recv(1) == b""
    assert scrape(metrics).endswith(b"some words\n")
    for peer in idle:
        peer.close()


def test_a_client_that_sends_a_byte_at_a_time_is_dismissed(metrics: tuple[str, int]) -> None:
    with socket.create_connection(metrics, TIMEOUT) as peer:
        pause, sent = threading.Event(), 0
        with suppress(ConnectionError):
            while sent < 400:
                peer.sendall(b"x")
                sent += 1
                pause.wait(0.05)
        assert sent < 400
    assert scrape(metrics).endswith(b"some words\n")


def test_a_client_that_does_not_read_does_not_delay_others() -> None:
    listener = listeners.open_port("127.0.0.1", 0)
    requests.serve_http(listener, "/metrics", lambda: b"#" * 4_000_000)
    where = listener.wire.getsockname()
    with socket.create_connection(where, TIMEOUT) as peer:
        peer.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert scrape(where).count(b"#") == 4_000_000
    listener.close()


def test_a_shortage_of_descriptors_does_not_end_the_service() -> None:
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


def test_an_answer_that_fails_does_not_end_the_service() -> None:
    answers = iter([ZeroDivisionError, None])

    def answer() -> bytes:
        if next(answers) is not None:
            raise ZeroDivisionError
        return make_words()

    listener = listeners.open_port("127.0.0.1", 0)
    requests.serve_http(listener, "/metrics", answer)
    assert scrape(listener.wire.getsockname()) == b""
    assert scrape(listener.wire.getsockname()).endswith(make_words())
    listener.close()


def test_a_query_without_a_listener_returns_none(tmp_path: Path) -> None:
    path = str(tmp_path / "1.sock")
    assert listeners.query_socket(path, TIMEOUT) is None
    with socket.socket(socket.AF_UNIX) as wire:
        wire.bind(path)  # and never listens, like one that was killed
    assert listeners.query_socket(path, TIMEOUT) is None


def test_the_socket_of_a_killed_process_is_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "1.sock")
    with socket.socket(socket.AF_UNIX) as wire:
        wire.bind(path)
    listener = listeners.open_unix_socket(path)
    requests.serve_unix(listener, make_words)
    assert listeners.query_socket(path, TIMEOUT) == make_words()
    listener.close()
    assert not Path(path).exists()


def test_an_impossible_path_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LvsdrError) as raised:
        listeners.open_unix_socket(str(tmp_path / "file" / "1.sock"))
    assert str(raised.value).startswith(f"cannot listen at {tmp_path}/file/1.sock: ")


def test_a_port_in_use_is_an_error() -> None:
    with socket.socket() as wire:
        wire.bind(("127.0.0.1", 0))
        wire.listen()
        port = wire.getsockname()[1]
        with pytest.raises(LvsdrError) as raised:
            listeners.open_port("127.0.0.1", port)
    assert str(raised.value) == f"cannot listen at 127.0.0.1 port {port}: Address already in use"


def test_http_clients_are_answered() -> None:
    listener = listeners.open_port("127.0.0.1", 0)
    requests.serve_http(listener, "/metrics", make_words)
    where = listener.wire.getsockname()
    for _ in range(2):
        with socket.create_connection(where, TIMEOUT) as peer:
            peer.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            response = b""
            while piece := peer.recv(4096):
                response += piece
        assert response.startswith(b"HTTP/1.1 200 OK\r\n")
        assert response.endswith(b"\r\n\r\nsome words\n")
    listener.close()


@pytest.mark.parametrize(
    ("http_request", "status", "body"),
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
def test_a_request_has_its_http_response(http_request: bytes, status: bytes, body: bytes) -> None:
    head, _, content = requests.build_http_response(http_request, "/metrics", make_words).partition(
        b"\r\n\r\n"
    )
    assert head.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert content == body
