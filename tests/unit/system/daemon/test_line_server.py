"""A Unix socket with one line for each connection."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from lvsdr.system.daemon import line_server
from lvsdr.system.local_socket import ask, query


def test_the_line_and_the_identity_of_the_server(tmp_path: Path) -> None:
    path = str(tmp_path / "x.sock")
    with line_server.listen(path) as listener:
        answers: list[tuple[str, int, int]] = []
        client = threading.Thread(target=lambda: answers.append(ask(path, 20.0)))
        client.start()
        while client.is_alive():
            line_server.reply(listener, "hello\n")
            client.join(0.01)
    assert answers == [("hello\n", os.getpid(), os.geteuid())]
    assert Path(path).stat().st_mode & 0o777 == 0o600


def test_a_server_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    path = str(tmp_path / "x.sock")
    with line_server.listen(path), pytest.raises(OSError, match="timed out"):
        ask(path, 0.1)
    with pytest.raises(OSError, match="refused"):
        ask(path, 0.1)
    with pytest.raises(OSError, match="No such file"):
        ask(str(tmp_path / "missing"), 0.1)


def test_a_file_at_the_path_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x.sock"
    path.write_text("old")
    line_server.listen(str(path)).close()
    assert path.is_socket()


def test_without_a_client_nothing_is_sent(tmp_path: Path) -> None:
    with line_server.listen(str(tmp_path / "x.sock")) as listener:
        line_server.reply(listener, "hello\n")


def test_an_answer_that_is_too_long_is_an_error(tmp_path: Path) -> None:
    path = str(tmp_path / "x.sock")
    errors: list[OSError] = []

    def ask_for_little() -> None:
        with pytest.raises(OSError, match="too long") as raised:
            query(path, 20.0, longest=5)
        errors.append(raised.value)

    with line_server.listen(path) as listener:
        client = threading.Thread(target=ask_for_little)
        client.start()
        while client.is_alive():
            line_server.reply(listener, "hello\n")
            client.join(0.01)
    assert len(errors) == 1
