"""The clients of the comparison: PostgreSQL's protocol, and the effects of a fault in figures."""

from __future__ import annotations

import socket
import struct
import threading

import pytest

from tests.bench.peers import wire
from tests.bench.peers.attempts import Attempt
from tests.bench.peers.summary import is_misdirected, is_plausible, summarize
from tests.lab.client import State

# The answer of PostgreSQL 15 to a login without a password, shortened.
WELCOME = b"R\0\0\0\x08\0\0\0\0S\0\0\0\x16server_version\x0015\0Z\0\0\0\5I"


def answer(name: str) -> bytes:
    """Return the answer to a query of the name: description, row, completion, ready."""
    text = name.encode()
    row = struct.pack("!hi", 1, len(text)) + text
    return (
        b"T\0\0\0\6\0\0" + b"D" + struct.pack("!i", 4 + len(row)) + row + b"C\0\0\0\x0dSELECT 1\0"
        b"Z\0\0\0\5I"
    )


def test_the_login_has_its_length_and_the_protocol() -> None:
    message = wire.login("monitor", "postgres")
    assert struct.unpack_from("!ii", message) == (len(message), 196608)
    assert message.endswith(b"user\0monitor\0database\0postgres\0\0")


def test_a_query_has_its_length() -> None:
    assert wire.query("SELECT 1") == b"Q\0\0\0\x0dSELECT 1\0"


def test_a_name_is_read_only_once_it_is_complete() -> None:
    whole = WELCOME + answer("node3")
    end = whole.index(b"node3") + len(b"node3")
    read = [wire.first_value(whole[:length]) for length in range(len(whole) + 1)]
    assert read == [None] * end + ["node3"] * (len(whole) + 1 - end)


def test_an_error_of_the_server_is_raised_with_its_message() -> None:
    fields = b"SFATAL\0C57P03\0Mthe database system is starting up\0\0"
    error = b"E" + struct.pack("!i", 4 + len(fields)) + fields
    with pytest.raises(wire.Denied, match=r"^the database system is starting up$"):
        wire.first_value(WELCOME + error)


def test_a_lasting_session_knows_its_server_and_its_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=serve_two_answers, args=(listener,))
        serving.start()
        session = wire.LastingSession("127.0.0.1", listener.getsockname()[1], "monitor")
        assert session.server == "node1"
        assert session.state() is State.ALIVE
        serving.join()
        assert session.state() in (State.ENDED, State.RESET)
        session.close()


def serve_two_answers(listener: socket.socket) -> None:
    """Answer a login with its query, and a query, in small pieces, then close the connection."""
    connection, _ = listener.accept()
    with connection:
        for part in (WELCOME + answer("node1"), answer("node1")):
            received = b""
            while wire.query(wire.NAME) not in received:
                received += connection.recv(4096)
            for byte in range(0, len(part), 7):
                connection.sendall(part[byte : byte + 7])


FAULT = 100.0
ATTEMPTS = [
    Attempt(99.0, 99.1, "node3"),  # it ended before the fault
    Attempt(99.9, 104.9, "", "no answer within 5 s"),  # it was open at the fault
    Attempt(100.5, 100.6, "node1"),
    Attempt(103.0, 108.0, "", "no answer within 5 s"),
    Attempt(104.0, 105.5, "node2"),
]
SESSIONS = [("node1", State.ALIVE), ("node2", State.RESET), ("node3", State.SILENT)]


def test_the_effects_of_a_fault_are_counted() -> None:
    found = summarize(ATTEMPTS, FAULT, FAULT + 20, SESSIONS)
    assert (found.connections, found.wrong, found.delayed) == (4, 2, 1)
    assert (found.last, found.slowest) == (3.0, 1.5)
    assert not found.unnoticed
    assert (found.lost, found.broken) == (1, "silent")


def test_a_fault_that_nothing_handles_is_unnoticed() -> None:
    late = Attempt(144.0, 149.0, "", "no answer within 5 s")
    good = [Attempt(144.0 + number / 9, 144.5, "node1") for number in range(6)]
    assert summarize([*ATTEMPTS, late, *good[:5]], FAULT, FAULT + 45, SESSIONS).unnoticed
    found = summarize([*ATTEMPTS, late, *good], FAULT, FAULT + 45, SESSIONS)
    assert (found.unnoticed, found.last) == (False, 44.0)


def test_a_fault_without_failures_has_no_last_one() -> None:
    found = summarize([ATTEMPTS[2]], FAULT, FAULT + 20, [("node3", State.ENDED)])
    assert (found.last, found.wrong, found.unnoticed, found.broken) == (None, 0, False, "ended")


def test_a_failure_that_began_before_the_fault_counts_as_at_once() -> None:
    assert summarize(ATTEMPTS[:2], FAULT, FAULT + 20, []).last == 0.0


def test_failures_of_healthy_servers_are_not_explained_by_the_fault() -> None:
    found = summarize(ATTEMPTS, FAULT, FAULT + 20, SESSIONS)
    assert is_plausible(found)
    assert not is_plausible(found._replace(wrong=3))


def test_after_a_promotion_a_connection_to_the_new_primary_is_wrong() -> None:
    answered = [Attempt(100.0 + second, 100.1 + second, f"node{second}") for second in (1, 2, 3)]
    assert summarize(answered, FAULT, FAULT + 20, [], is_misdirected).last == 3.0
    assert summarize(answered, FAULT, FAULT + 20, []).wrong == 0
