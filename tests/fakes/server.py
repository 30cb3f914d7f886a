"""A TCP server on the loopback interface with a behaviour that the test chooses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Behaviour = Callable[[socket.socket, bytes], None]


class Served:
    """The port of a server, and every request so far."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.questions: list[bytes] = []


def answering(status: int, body: bytes = b"", *headers: str) -> Behaviour:
    """Return a behaviour that sends this answer and closes the connection."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers]
    head = "".join(f"{line}\r\n" for line in lines).encode()
    return lambda client, _question: client.sendall(head + b"\r\n" + body)


def routed(routes: dict[str, Behaviour]) -> Behaviour:
    """Return a behaviour that depends on the path; 404 for an unknown one."""

    def behave(client: socket.socket, question: bytes) -> None:
        path = question.split(b" ", 2)[1].decode()
        routes.get(path, answering(404, b"no such path"))(client, question)

    return behave


@contextmanager
def serving(behave: Behaviour, address: str = "127.0.0.1") -> Iterator[Served]:
    """Serve every connection in its own thread: one request, and the given behaviour."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind((address, 0))
        listener.listen()
        served = Served(listener.getsockname()[1])

        def serve(client: socket.socket) -> None:
            with client, suppress(OSError):
                question = _question(client)
                served.questions.append(question)
                behave(client, question)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client = listener.accept()[0]
                    threading.Thread(target=serve, args=(client,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield served
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _question(client: socket.socket) -> bytes:
    """Return the head of a request, with its body if it has a length; or other data as it is."""
    received = b""
    while b"\r\n\r\n" not in received and b"\0" not in received:
        data = client.recv(65536)
        if not data:
            return received
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.partition(b":")[2]):
                body += client.recv(65536)
    return head + b"\r\n\r\n" + body
