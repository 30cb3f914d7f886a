"""The time after which the kernel forgets an idle session: one for several resources."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cases.timeout_cases import CASES
from tests.lab.client import State
from tests.lab.host import Host
from tests.lab.resource import DEGRADED, LISTED, OK, PATH, Resource, first_in_path
from tests.lab.watched import until
from tests.lab.world import World

USUAL = 900  # seconds, of the kernel


def timeouts(host: Host) -> str:
    """Return the timeouts as ipvsadm shows them: "900 120 300"."""
    return host.run(["ipvsadm", "-L", "--timeout"]).stdout.split(": ")[1].strip()


def idle(host: Host) -> int:
    return int(timeouts(host).split()[0])


@pytest.fixture
def first(world: World, tmp_path: Path) -> Resource:
    return Resource(world.director1, tmp_path, {**LISTED, "idle_timeout": "2h"}, "first")


@pytest.fixture
def second(world: World, tmp_path: Path) -> Resource:
    parameters = {**LISTED, "port": 5433, "idle_timeout": "30min"}
    return Resource(world.director1, tmp_path, parameters, "second")


@pytest.mark.parametrize(("options", "after"), CASES)
def test_the_real_one_does_so(options: str, after: str, world: World) -> None:
    host = world.director1
    host.run(["ipvsadm", "--set", "900", "120", "300"])
    host.run(["ipvsadm", "--set", *options.split()], check=False)
    assert timeouts(host) == after
    host.run(["ipvsadm", "--set", "900", "1", "300"])


def test_the_longest_wish_counts_and_the_last_stop_restores(
    first: Resource, second: Resource
) -> None:
    host = first.host
    before = timeouts(host)
    assert idle(host) == USUAL
    second.start()
    assert idle(host) == 1800
    first.start()
    assert idle(host) == 7200
    second.stop()
    second.start()
    assert idle(host) == 7200, "a restart disturbs nothing"
    first.stop()
    assert idle(host) == 1800
    first.start()
    second.stop()
    assert idle(host) == 7200
    first.stop()
    assert timeouts(host) == before


def test_a_reload_changes_it_in_place(first: Resource) -> None:
    host = first.host
    first.start()
    first.reload(idle_timeout="1h")
    assert idle(host) == 3600
    first.reload(idle_timeout="none")
    assert idle(host) == USUAL
    assert first.monitor().exit_code == OK
    first.stop()
    assert idle(host) == USUAL


def test_a_change_by_hand(first: Resource) -> None:
    """A monitor restores the wish; the last stop leaves a value that it does not know."""
    host = first.host
    first.start()
    host.run(["ipvsadm", "--set", "77", "0", "0"])
    assert first.monitor().exit_code == OK
    assert idle(host) == 7200
    host.run(["ipvsadm", "--set", "77", "0", "0"])
    first.stop()
    assert idle(host) == 77
    host.run(["ipvsadm", "--set", str(USUAL), "0", "0"])


def test_without_a_wish_nothing_is_touched(second: Resource) -> None:
    del second.parameters["idle_timeout"]
    host = second.host
    host.run(["ipvsadm", "--set", "77", "0", "0"])
    second.start()
    assert second.monitor().exit_code == OK
    second.stop()
    assert idle(host) == 77
    host.run(["ipvsadm", "--set", str(USUAL), "0", "0"])


def test_an_ipvsadm_that_cannot_set_it_is_reported(first: Resource, tmp_path: Path) -> None:
    """The service goes on."""
    deaf = f'case "$1" in --set) exit 1;; esac; PATH={PATH} exec ipvsadm "$@"'
    path = first_in_path(tmp_path / "deaf", "ipvsadm", deaf)
    assert first.run("start", 60.0, PATH=path).exit_code == OK
    result = first.monitor(PATH=path)
    assert result.exit_code == DEGRADED
    assert "idle_timeout: ipvsadm --set 7200 0 0" in result.reason
    assert first.monitor().exit_code == OK
    assert idle(first.host) == 7200
    first.stop()
    assert idle(first.host) == USUAL


def test_an_idle_session_ends_after_it(world: World, tmp_path: Path) -> None:
    """A session that was idle for longer is reset; a longer time keeps it."""
    lvs = Resource(world.director1, tmp_path, {**LISTED, "idle_timeout": "1s"})
    lvs.start()
    session = world.client.connect()
    until(lambda: not has_sessions(lvs.host), "the kernel to forget the session")
    assert session.state() is State.RESET
    lvs.reload(idle_timeout="2h")
    session = world.client.connect()
    assert seconds_left(lvs.host) > USUAL
    assert session.state() is State.ALIVE
    lvs.stop()


def connections(host: Host) -> str:
    return host.run(["cat", "/proc/net/ip_vs_conn"]).stdout


def has_sessions(host: Host) -> bool:
    return "ESTABLISHED" in connections(host)


def seconds_left(host: Host) -> int:
    """Return the time that the only session has left without a packet."""
    (seconds,) = re.findall(r" ESTABLISHED +(\d+)", connections(host))
    return int(seconds)
