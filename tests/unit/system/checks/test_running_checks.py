"""The set of running checks: hosts that come, leave, and change their address."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import closing

import pytest
from lvsdr.pool.check_history import Reply
from lvsdr.system.checks.running_checks import CheckSettings, RunningChecks

from tests.support.check_loop import checking
from tests.support.paths import ROOT


@pytest.fixture
def settings() -> CheckSettings:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    return CheckSettings("tcp", port, 0.05, 20.0)


def test_hosts_come_and_leave(settings: CheckSettings) -> None:
    with checking(settings, {"node1": "127.0.0.1", "node2": "127.0.0.2"}) as loop:
        loop.next_results(2)
        now = time.monotonic()
        assert loop.checks.keep({"node2": "127.0.0.2", "node3": "127.0.0.3"}, now) == ["node3"]
        loop.results.clear()
        assert set(loop.next_results()) == {"node2", "node3"}
        assert set(loop.results) == {"node2", "node3"}


def test_a_host_with_another_address_is_new(settings: CheckSettings) -> None:
    with checking(settings, {"node1": "127.0.0.1"}) as loop:
        assert loop.checks.keep({"node1": "127.0.0.1"}, time.monotonic()) == []
        assert loop.checks.keep({"node1": "127.0.0.9"}, time.monotonic()) == ["node1"]
        with closing(socket.create_server(("127.0.0.9", settings.port))):
            assert loop.next_reply("node1")[0] is Reply.FIT


def test_no_host_is_never_due(settings: CheckSettings) -> None:
    checks = RunningChecks(settings)
    assert (checks.due(), checks.descriptors(), checks.advance([], 1.0)) == (None, {}, [])


def test_the_age_of_a_result_covers_its_time_limit(settings: CheckSettings) -> None:
    assert settings._replace(interval=1.0, timeout=1.0).max_age == 3.0
    assert settings._replace(interval=1.0, timeout=4.0).max_age == 12.0


def test_the_check_of_postgres_is_found_without_site_packages() -> None:
    """The agents start Python without them, and the watcher imports nothing else from there."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'lib')!r})\n"
        "from lvsdr.system.checks.running_checks import CheckSettings, RunningChecks\n"
        "RunningChecks(CheckSettings('postgres', 5432, 1.0, 1.0, 'user=monitor')).close()\n"
    )
    subprocess.run(["/usr/bin/python3", "-IBS", "-c", code], check=True)
