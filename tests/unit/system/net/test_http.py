"""One query over HTTP, to servers of every kind."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from lvsdr.errors import NotInstalled, SourceUnavailable
from lvsdr.system.net.http import Endpoint, Request, Response, Trust, exchange, stream_lines
from lvsdr.values.deadline import Deadline

from tests.fakes.server import Behaviour, answering, serving
from tests.project.tree import LIB

pytestmark = pytest.mark.slow  # most of these tests wait

GET = Request("GET", "/")
PATIENCE = 20.0


def ask(port: int, request: Request = GET, seconds: float = PATIENCE) -> Response:
    return exchange(Endpoint("127.0.0.1", port), request, Trust(), Deadline.after(seconds))


def why_not(behave: Behaviour, seconds: float = PATIENCE) -> str:
    """Return the reason for which there is no answer."""
    with serving(behave) as served, pytest.raises(SourceUnavailable) as caught:
        ask(served.port, seconds=seconds)
    return str(caught.value)


@pytest.fixture
def closed() -> Iterator[int]:
    """Yield a port without a listener."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [
        (Endpoint("10.0.0.1", 2379), "http://10.0.0.1:2379"),
        (Endpoint("::1", 8500, tls=True), "https://[::1]:8500"),
    ],
)
def test_an_endpoint_as_text(endpoint: Endpoint, text: str) -> None:
    assert str(endpoint) == text


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_question_and_its_answer(address: str) -> None:
    with serving(answering(200, b"body", "X-Consul-Index: 7"), address) as served:
        request = Request("POST", "/path?query", b"question", {"X-Token": "secret"})
        endpoint = Endpoint(address, served.port)
        answer = exchange(endpoint, request, Trust(), Deadline.after(PATIENCE))
    assert (answer.status, answer.body, answer.headers["x-consul-index"]) == (200, b"body", "7")
    (question,) = served.questions
    assert question.startswith(b"POST /path?query HTTP/1.1\r\n")
    assert b"\r\nX-Token: secret\r\n" in question
    assert question.endswith(b"\r\n\r\nquestion")


@pytest.mark.parametrize("status", [204, 301, 404, 500, 503])
def test_every_status_is_an_answer(status: int) -> None:
    with serving(answering(status, b"", "Location: /elsewhere")) as served:
        assert ask(served.port).status == status
    assert len(served.questions) == 1


def silence(client: socket.socket, _question: bytes) -> None:
    client.recv(1)


def a_drop_at_a_time(client: socket.socket, _question: bytes) -> None:
    """Send an endless answer that is never quiet for long."""
    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    drip = threading.Event()
    while not drip.wait(0.02):
        client.sendall(b"." * 16)


def dripping(head: bytes, endless: bytes) -> Behaviour:
    """Return a behaviour that sends the head and then the rest, a byte at a time.

    It repeats the rest for long, but not for ever.
    """

    def behave(client: socket.socket, _question: bytes) -> None:
        pause = threading.Event()
        for number in range(500):
            pause.wait(0.02)
            byte = head[number : number + 1] or endless[number % len(endless) :][:1]
            client.sendall(byte)

    return behave


DRIPS = {
    "status line": dripping(b"HTTP/1.1 200 ", b"OK"),
    "header": dripping(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "headers": dripping(b"HTTP/1.1 200 OK\r\n", b"X:\r\n"),
    "continue": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "length of a chunk": dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "body": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n", b"x"),
}


@pytest.mark.parametrize("name", DRIPS)
def test_a_byte_at_a_time_is_no_answer_in_time(name: str) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with serving(DRIPS[name]) as served:
        with pytest.raises(SourceUnavailable, match=r"^no answer in time$"):
            ask(served.port, seconds=1.0)
        with pytest.raises(SourceUnavailable, match=r"^no answer in time$"):
            list(
                stream_lines(Endpoint("127.0.0.1", served.port), GET, Trust(), Deadline.after(1.0))
            )
    assert len(os.listdir("/proc/self/fd")) <= before + 2  # the server's own, until it notices


def test_a_handshake_of_a_byte_at_a_time() -> None:
    with serving(dripping(b"\x16\x03\x03\x3f\xff\x02", b"\0")) as served:
        endpoint = Endpoint("127.0.0.1", served.port, tls=True)
        with pytest.raises(SourceUnavailable, match=r"^no answer in time$"):
            exchange(endpoint, GET, Trust(), Deadline.after(1.0))


@pytest.mark.parametrize("behave", [silence, a_drop_at_a_time])
def test_a_server_that_takes_too_long(behave: Behaviour) -> None:
    assert why_not(behave, 0.2) == "no answer in time"


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (lambda _client, _question: None, "Remote end closed connection without response"),
        (lambda client, _: client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"), "SSH-2.0-OpenSSH_9.2"),
        (answering(200, b"x" * 1048577), "answered more than 1048576 bytes"),
    ],
    ids=["closed", "no HTTP", "too much"],
)
def test_malformed_answers(behave: Behaviour, reason: str) -> None:
    assert reason in why_not(behave)


def test_half_an_answer() -> None:
    half = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal"
    assert why_not(lambda client, _: client.sendall(half))


def test_a_closed_port(closed: int) -> None:
    with pytest.raises(SourceUnavailable, match=r"^Connection refused$"):
        ask(closed)


def test_an_unknown_name() -> None:
    endpoint = Endpoint("no-such-host.invalid", 80)
    with pytest.raises(SourceUnavailable) as caught:
        exchange(endpoint, GET, Trust(), Deadline.after(PATIENCE))
    assert "object at 0x" not in str(caught.value)


def test_no_time_at_all(closed: int) -> None:
    with pytest.raises(SourceUnavailable, match="in time"):
        ask(closed, seconds=0)


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """Yield a port with a TLS server, and its certificate, which is that of node1."""
    place = tmp_path_factory.mktemp("tls")
    key, certificate = str(place / "key.pem"), str(place / "certificate.pem")
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    argv += ["-keyout", key, "-out", certificate, "-subj", "/CN=node1"]
    argv += ["-addext", "subjectAltName=DNS:node1"]
    subprocess.run(argv, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def serve() -> None:
        while True:
            with suppress(OSError), context.wrap_socket(listener.accept()[0], True) as client:
                client.recv(65536)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], certificate


def test_a_name_at_an_address_of_ours(certified: tuple[int, str]) -> None:
    """The certificate must be that of the name, not that of the address."""
    port, authority = certified
    endpoint = Endpoint("node1", port, tls=True, address="127.0.0.1")
    assert exchange(endpoint, GET, Trust(authority), Deadline.after(PATIENCE)).body == b"{}"
    other = endpoint._replace(host="node2")
    with pytest.raises(SourceUnavailable, match=r"^its certificate is not valid: .*node2"):
        exchange(other, GET, Trust(authority), Deadline.after(PATIENCE))


def test_tls_where_there_is_none() -> None:
    with serving(answering(400)) as served:
        endpoint = Endpoint("127.0.0.1", served.port, tls=True)
        with pytest.raises(SourceUnavailable, match="tls"):
            exchange(endpoint, GET, Trust(), Deadline.after(PATIENCE))


@pytest.mark.parametrize("field", range(3))
def test_a_file_that_cannot_be_read(field: int, closed: int) -> None:
    trust = Trust(*["/no/such/file" if at == field else None for at in range(3)])
    with pytest.raises(SourceUnavailable, match="cannot read /no/such/file: No such file"):
        exchange(Endpoint("127.0.0.1", closed, True), GET, trust, Deadline.after(PATIENCE))


def chunks(*pieces: bytes) -> Behaviour:
    """Return a behaviour that sends these chunks, and then nothing more."""

    def behave(client: socket.socket, _question: bytes) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            client.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        client.recv(1)

    return behave


def test_lines_come_one_by_one() -> None:
    with serving(chunks(b"one\ntw", b"o\nthr")) as served:
        endpoint = Endpoint("127.0.0.1", served.port)
        stream = stream_lines(endpoint, GET, Trust(), Deadline.after(0.5))
        assert [next(stream).body, next(stream).body] == [b"one\n", b"two\n"]
        with pytest.raises(SourceUnavailable, match="in time"):
            next(stream)


def test_the_end_of_the_lines() -> None:
    with serving(answering(200, b"one\ntwo")) as served:
        endpoint = Endpoint("127.0.0.1", served.port)
        found = [
            line.body for line in stream_lines(endpoint, GET, Trust(), Deadline.after(PATIENCE))
        ]
    assert found == [b"one\n", b"two"]


def test_without_urllib3(monkeypatch: pytest.MonkeyPatch, closed: int) -> None:
    monkeypatch.setitem(sys.modules, "urllib3", None)
    with pytest.raises(NotInstalled, match="python3-urllib3"):
        ask(closed)


def test_it_is_found_by_an_interpreter_without_site(closed: int) -> None:
    """The module can be imported by an interpreter without site, as the agents use it."""
    code = (
        f"import sys; sys.path.insert(0, {str(LIB)!r})\n"
        "from lvsdr.system.net.http import *\n"
        "assert 'urllib3' not in sys.modules\n"
        f"exchange(Endpoint('127.0.0.1', {closed}), Request('GET', '/'), Trust(), "
        "Deadline.after(9))"
    )
    argv = ["/usr/bin/python3", "-IS", "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stderr.endswith("Refused: Connection refused\n")
