"""Answers at sockets of this host."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from lvsdr.errors import LvsdrError
from lvsdr.system import serving

PATIENCE = 30.0


def words() -> bytes:
    return b"some words\n"


@pytest.fixture
def path(tmp_path: Path) -> Iterator[str]:
    listener = serving.at_path(str(tmp_path / "deep" / "1.sock"))
    serving.serve(listener, words)
    yield str(tmp_path / "deep" / "1.sock")
    listener.close()


def test_who_asks_is_answered(path: str) -> None:
    assert serving.ask(path, PATIENCE) == words()
    assert serving.ask(path, PATIENCE) == words()
    assert Path(path).stat().st_mode & 0o777 == 0o600


def test_one_who_goes_away_stops_nobody(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(path)
    assert serving.ask(path, PATIENCE) == words()


def test_nobody_is_there(tmp_path: Path) -> None:
    path = str(tmp_path / "1.sock")
    assert serving.ask(path, PATIENCE) is None
    with socket.socket(socket.AF_UNIX) as wire:
        wire.bind(path)  # and never listens, like one that was killed
    assert serving.ask(path, PATIENCE) is None


def test_the_socket_of_a_killed_process_is_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "1.sock")
    with socket.socket(socket.AF_UNIX) as wire:
        wire.bind(path)
    listener = serving.at_path(path)
    serving.serve(listener, words)
    assert serving.ask(path, PATIENCE) == words()
    listener.close()
    assert not Path(path).exists()


def test_no_place_for_a_socket(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LvsdrError) as raised:
        serving.at_path(str(tmp_path / "file" / "1.sock"))
    assert str(raised.value).startswith(f"cannot listen at {tmp_path}/file/1.sock: ")


def test_no_place_at_a_port() -> None:
    with socket.socket() as wire:
        wire.bind(("127.0.0.1", 0))
        wire.listen()
        port = wire.getsockname()[1]
        with pytest.raises(LvsdrError) as raised:
            serving.at_port("127.0.0.1", port)
    assert str(raised.value) == f"cannot listen at 127.0.0.1 port {port}: Address already in use"


def test_over_http() -> None:
    listener = serving.at_port("127.0.0.1", 0)
    serving.serve_http(listener, "/metrics", words)
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
    head, _, found = serving.http(question, "/metrics", words).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert found == body
