"""One check of each host at once, with real listeners."""

from __future__ import annotations

import socket
import time
from contextlib import closing

import pytest
from lvsdr.errors import InvalidParameters
from lvsdr.pool.check_history import Reply
from lvsdr.system.checks.running_checks import CheckSettings
from lvsdr.system.checks.single_run import run_once
from lvsdr.values.deadline import Deadline


def test_each_host_has_one_result_in_order() -> None:
    with closing(socket.create_server(("127.0.0.2", 0))) as server:
        settings = CheckSettings("tcp", server.getsockname()[1], 1.0, 20.0)
        hosts = {"node2": "127.0.0.2", "node1": "127.0.0.1"}
        results = run_once(settings, hosts, Deadline.after(20.0))
    assert [(host, result.reply) for host, result in results.items()] == [
        ("node2", Reply.FIT),
        ("node1", Reply.REFUSED),
    ]


def test_a_host_that_hangs_has_no_result_in_the_time_of_the_action() -> None:
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as server:
        address = server.getsockname()
        waiting = [socket.socket() for _ in range(2)]  # the queue of the listener is full
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        began = time.monotonic()
        settings = CheckSettings("tcp", address[1], 1.0, 60.0)
        results = run_once(settings, {"node1": "127.0.0.1"}, Deadline.after(0.2))
        assert time.monotonic() - began < 30.0
        for one in waiting:
            one.close()
    assert results["node1"].reason == "no result in the time of the action"
    assert results["node1"].reply is Reply.NONE


def test_without_hosts_there_is_no_result() -> None:
    assert run_once(CheckSettings("tcp", 1, 1.0, 1.0), {}, Deadline.after(20.0)) == {}


def test_settings_that_libpq_does_not_know() -> None:
    settings = CheckSettings("postgres", 1, 1.0, 1.0, conninfo="none_such=1")
    with pytest.raises(InvalidParameters, match="none_such"):
        run_once(settings, {"node1": "127.0.0.1"}, Deadline.after(20.0))
