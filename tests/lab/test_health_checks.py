"""The health check tcp, made by a watcher, and its effect on the kernel's table and on sessions."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from lvsdr.pool.check_history import CheckState, parse_board
from lvsdr.watcher import check_results

from tests.lab.client import State
from tests.lab.resource import DEGRADED, EVEN, LISTED, MISCONFIGURED, OK, one_on_each
from tests.lab.watched import DELETED, DRAINED, Watched, pass_a_minute, tidy, until
from tests.lab.world import World

CHECKED = {**LISTED, "watch": "true", "realserver_check": "tcp"}


class Checked(Watched):
    """A resource whose watcher checks the real servers."""

    def begin_checked(self, log: Path | None = None) -> int:
        """Start, and wait for a success of each host; return the process of the watcher."""
        result = self.run("start", 60.0, HA_LOGFILE=str(log or ""))
        assert result.exit_code == OK, result
        pid = self.await_watcher()
        until(lambda: self.successes() == {*EVEN}, "a success of each check")
        return pid

    @property
    def board(self) -> dict[str, CheckState]:
        """Return the stored counts of all hosts."""
        (path,) = self.host.rsctmp.glob("*.checks")
        return parse_board(check_results.load_results(str(path)), "tcp 5432")

    def successes(self) -> set[str]:
        """Return the hosts whose last check succeeded."""
        if not any(self.host.rsctmp.glob("*.checks")):
            return set()
        return {host for host, state in self.board.items() if state.successes}

    def await_failures(self, number: int, *hosts: str) -> None:
        """Wait until each of these hosts has failed so often."""
        until(
            lambda: all(self.board[host].failures >= number for host in hosts),
            f"{number} failures of {', '.join(hosts)}",
        )


@pytest.fixture
def lvs(world: World, tmp_path: Path) -> Iterator[Checked]:
    """Yield a resource with a health check, not yet started; it is stopped at the end."""
    resource = Checked(world.director1, tmp_path, CHECKED)
    yield resource
    world.director1.ip(["link set eth0 up"])
    answer_again(world)
    tidy(resource)


def changes(log: Path) -> list[str]:
    """Return the logged changes of node3."""
    return [line for line in log.read_text().splitlines() if "real server node3" in line]


def fall_silent(world: World) -> None:
    """Let node3 send nothing to the director: neither an answer nor a refusal."""
    world.node3.ip([f"route add blackhole {world.director1.address}/32"])


def answer_again(world: World) -> None:
    world.node3.ip([f"route del blackhole {world.director1.address}/32"], check=False)


def test_a_server_that_refuses_leaves_and_comes_back(
    lvs: Checked, world: World, tmp_path: Path
) -> None:
    """The cluster still shows node3 in order.  The sessions on the others go on."""
    log = tmp_path / "log"
    lvs.begin_checked(log)
    sessions = one_on_each(world.client)
    world.servers.hang_up("node3")
    took = until(lambda: lvs.pool() == DELETED, "node3 to be deleted")
    print(f"a killed server left the pool after {took:.1f} s, with fall x interval = 3 s")
    del sessions["node3"]
    assert {session.state() for session in sessions.values()} == {State.ALIVE}
    result = lvs.monitor()
    assert result.exit_code == DEGRADED
    reason = r"node3 has failed: \d+ failures: tcp check of 10.77.0.23:5432: Connection refused"
    assert re.search(reason, result.reason), result

    world.servers.listen("node3")
    until(lambda: lvs.pool() == EVEN, "node3 to come back")
    until(lambda: lvs.monitor().exit_code == OK, "the end of the degradation")
    assert {session.state() for session in sessions.values()} == {State.ALIVE}
    lines = changes(log)
    assert "(10.77.0.23) added with weight 1: " in lines[0]
    refusal = "failures: tcp check of 10.77.0.23:5432: Connection refused"
    assert re.search(rf"removed: \d+ {refusal}", lines[1])
    assert "added with weight 1: " in lines[2]
    assert len(lines) == 3, lines


def test_a_server_that_hangs_is_withdrawn_first_and_then_deleted(
    lvs: Checked, world: World, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    lvs.parameters["realserver_check_fall"] = "6"  # so there are 6 s between the two changes
    lvs.begin_checked(log)
    sessions = one_on_each(world.client)
    fall_silent(world)
    took = until(lambda: lvs.pool() == DRAINED, "node3 to be withdrawn")
    print(f"a silent server was withdrawn after {took:.1f} s, with fall x interval = 6 s")
    until(lambda: lvs.pool() == DELETED, "node3 to be deleted")
    lines = changes(log)
    silence = "failures: tcp check of 10.77.0.23:5432: no answer within 1 s"
    assert re.search(rf"withdrawn: \d+ {silence}", lines[1])
    assert re.search(rf"removed: \d+ {silence}", lines[2])
    answer_again(world)
    until(lambda: lvs.pool() == EVEN, "node3 to come back")
    del sessions["node3"]
    assert {session.state() for session in sessions.values()} == {State.ALIVE}


def test_a_server_that_was_only_busy_keeps_its_sessions(lvs: Checked, world: World) -> None:
    lvs.parameters["realserver_check_fall"] = "10"  # 10 s until it is withdrawn, 20 until deleted
    lvs.begin_checked()
    sessions = one_on_each(world.client)
    fall_silent(world)
    until(lambda: lvs.pool() == DRAINED, "node3 to be withdrawn")
    answer_again(world)
    until(lambda: lvs.pool() == EVEN, "node3 to come back")
    assert {session.state() for session in sessions.values()} == {State.ALIVE}


def test_a_cut_link_of_the_director_deletes_no_real_server(lvs: Checked, world: World) -> None:
    lvs.begin_checked()
    sessions = one_on_each(world.client)
    world.director1.ip(["link set eth0 down"])
    lvs.await_failures(7, *EVEN)
    result = lvs.monitor()
    assert result.exit_code == DEGRADED
    assert "so the fault may be here" in result.reason, result
    assert lvs.pool() == EVEN
    world.director1.ip(["link set eth0 up"])
    until(lambda: lvs.monitor().exit_code == OK, "the end of the degradation")
    assert lvs.pool() == EVEN
    assert {session.state() for session in sessions.values()} == {State.ALIVE}


def test_the_counts_survive_the_watcher(lvs: Checked, world: World) -> None:
    lvs.parameters["realserver_check_fall"] = "100"
    pid = lvs.begin_checked()
    world.servers.hang_up("node3")
    lvs.await_failures(4, "node3")
    os.kill(pid, signal.SIGKILL)
    until(lambda: lvs.watchers == [], "the watcher to be gone")
    before = lvs.board
    pass_a_minute(lvs)
    lvs.monitor()
    until(lambda: lvs.watchers != [], "another watcher")
    until(lambda: lvs.board["node3"].failures > before["node3"].failures, "another failure")
    after = lvs.board["node3"]
    assert after.failed_at == before["node3"].failed_at
    assert lvs.pool() == EVEN


def test_without_a_watcher_the_cluster_alone_counts(lvs: Checked, world: World) -> None:
    """A dead watcher costs the second opinion, never the pool."""
    pid = lvs.begin_checked()
    os.kill(pid, signal.SIGKILL)
    until(lambda: lvs.watchers == [], "the watcher to be gone")
    world.servers.hang_up("node3")
    result = lvs.monitor()
    assert result.exit_code == DEGRADED
    assert "no watcher makes the health checks: the cluster's state alone counts" in result.reason
    assert lvs.pool() == EVEN


def test_a_watcher_that_stood_still_blames_no_server(lvs: Checked) -> None:
    pid = lvs.begin_checked()
    os.kill(pid, signal.SIGSTOP)
    stopped = lvs.board
    until(lambda: lvs.monitor().exit_code == DEGRADED, "a monitor that finds it stopped")
    assert lvs.pool() == EVEN
    pass_a_minute(lvs)
    until(lambda: lvs.monitor().exit_code == OK, "a monitor with another watcher")
    until(lambda: lvs.successes() == {*EVEN}, "a success of each check")
    assert all(state.failures == 0 for state in (*stopped.values(), *lvs.board.values()))


def test_a_reload_changes_the_check(lvs: Checked, world: World) -> None:
    lvs.begin_checked()
    lvs.reload(realserver_check="none")
    world.servers.hang_up("node3")
    assert lvs.monitor().exit_code == OK
    lvs.reload(realserver_check="tcp")
    until(lambda: lvs.pool() == DELETED, "node3 to be deleted")
    world.servers.listen("node3")


def test_validation_tries_each_check_once(lvs: Checked, world: World) -> None:
    world.servers.hang_up("node3")
    result = lvs.run("validate-all", OCF_CHECK_LEVEL="10")
    assert result.exit_code == OK, result
    assert "INFO: node1: fit: tcp check of 10.77.0.21:5432: connected" in result.stderr
    refused = "WARNING: node3: refused: tcp check of 10.77.0.23:5432: Connection refused"
    assert refused in result.stderr
    world.servers.listen("node3")


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"watch": "false"}, "realserver_check=tcp: needs watch=true, which makes the checks"),
        (
            {"realserver_check": "postgres", "realserver_check_conninfo": "user=a none_such=1"},
            "none_such",
        ),
    ],
)
def test_a_check_that_cannot_be_made_does_not_start(
    lvs: Checked, parameters: dict[str, str], problem: str
) -> None:
    lvs.parameters.update(parameters)
    result = lvs.run("start", 60.0)
    assert result.exit_code == MISCONFIGURED, result
    assert problem in result.reason
