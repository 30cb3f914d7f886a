"""States of the cluster, and of the crm_mon that announces them, beside a watcher."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.lab.operation import Operation
from tests.lab.resource import (
    ALL,
    DEGRADED,
    EVEN,
    LISTED,
    MISCONFIGURED,
    OK,
    WITHOUT_NODE3,
    Resource,
    first_in_path,
)
from tests.lab.watched import DELETED, DRAINED, Watched, pass_a_minute, tidy, until, withdrawn
from tests.lab.world import World

WATCHED = {**LISTED, "watch": "true"}


@pytest.fixture
def lvs(world: World, tmp_path: Path) -> Iterator[Watched]:
    """Yield a resource with a watcher, not yet started; stop must leave nothing but locks."""
    resource = Watched(world.director1, tmp_path, WATCHED)
    yield resource
    tidy(resource)


# --- states of the cluster


class OnNode3(Watched):
    """A resource with the name of one in the sketch, whose director is node3."""

    def operation(
        self, action: str, timeout: float = 30.0, interval: float = 0.0, **env: str
    ) -> Operation:
        env = {"OCF_RESKEY_CRM_meta_on_node": "node3", **env}
        return super().operation(action, timeout, interval, **env)


@pytest.fixture
def managed(world: World, tmp_path: Path) -> Iterator[OnNode3]:
    """Yield a resource that may become unmanaged."""
    resource = OnNode3(world.director1, tmp_path, WATCHED, "pgsql")
    yield resource
    tidy(resource)


def set_property(lvs: Watched, name: str, value: str) -> None:
    """Set a property of the cluster in the sketch."""
    end = "</cluster_property_set>"
    pair = f'<nvpair id="options-{name}" name="{name}" value="{value}"/>'
    lvs.cib.write_text(lvs.cib.read_text().replace(end, pair + end, 1))


def leave_unmanaged(lvs: Watched) -> None:
    """Set is-managed=false of the resource in the sketch."""
    primitive = '<primitive id="pgsql" class="ocf" provider="pacemaker" type="Stateful"'
    pair = '<nvpair id="pgsql-meta-managed" name="is-managed" value="false"/>'
    meta = f'><meta_attributes id="pgsql-meta">{pair}</meta_attributes></primitive>'
    text = lvs.cib.read_text()
    assert f"{primitive}/>" in text
    lvs.cib.write_text(text.replace(f"{primitive}/>", f"{primitive}{meta}"))


@pytest.mark.parametrize("way", ["node", "cluster", "resource"])
def test_an_unmanaged_resource_is_left_alone(managed: OnNode3, way: str) -> None:
    pid = managed.begin_watched()
    if way == "node":
        managed.cluster(*ALL[:2], ALL[2]._replace(maintenance=True))
    elif way == "cluster":
        set_property(managed, "maintenance-mode", "true")
    else:
        leave_unmanaged(managed)
    until(lambda: not managed.processes("reconcile"), "the end of a cycle")
    assert managed.monitor().exit_code == OK
    managed.host.restore_ipvs(f"-e {managed.service} -r 10.77.0.22:5432 -g -w 7\n")
    before = managed.host.ipvs_text()
    assert managed.monitor().exit_code == DEGRADED
    assert managed.run("reconcile").exit_code == DEGRADED
    managed.cib.write_text(f"{managed.cib.read_text()}<!-- a change -->\n")
    until(lambda: managed.monitor().exit_code == DEGRADED, "the cycle of the watcher")
    assert managed.host.ipvs_text() == before
    managed.cluster(*ALL)
    until(lambda: managed.pool() == EVEN, "the weight to be restored")
    assert managed.monitor().exit_code == OK
    assert managed.watchers == [pid]


def test_a_node_in_standby_is_drained_and_deleted_without_a_monitor(
    lvs: Watched, world: World
) -> None:
    lvs.begin_watched()
    sessions = [world.client.connect() for _ in EVEN]
    lvs.cluster(*WITHOUT_NODE3)
    until(lambda: lvs.pool() == DRAINED, "node3 to be drained")
    for session in sessions:
        session.close()
    until(lambda: lvs.pool() == DELETED, "node3 to be deleted")


def force(lvs: Watched, action: str, **env: str) -> None:
    """Run an action as crm_resource does, with an environment that names another cluster."""
    operation = lvs.operation(action, 60.0, 0.0, **env)
    environ = operation.environment(lvs.host.name, lvs.host.rsctmp)
    for name in ("interval", "on_node"):
        del environ[f"OCF_RESKEY_CRM_meta_{name}"]
    lvs.host.run([str(lvs.agent), action], env=environ)


@pytest.fixture(params=["CIB_file", "CIB_shadow"])
def elsewhere(lvs: Watched, tmp_path: Path, request: pytest.FixtureRequest) -> Mapping[str, str]:
    """Return the environment of an operator for a cluster without node3."""
    other = Resource(lvs.host, tmp_path, lvs.parameters, "other")
    other.cluster(*WITHOUT_NODE3)
    if request.param == "CIB_file":
        return {"CIB_file": str(other.cib)}
    other.cib.rename(tmp_path / "shadow.lab")
    return {"CIB_shadow": "lab", "CIB_shadow_dir": str(tmp_path)}


@pytest.mark.parametrize("action", ["start", "reload-agent"])
def test_another_cluster_in_a_forced_action_does_not_stick(
    lvs: Watched, tmp_path: Path, action: str, elsewhere: Mapping[str, str]
) -> None:
    pid = lvs.begin_watched()
    force(lvs, action, **elsewhere)
    assert withdrawn(lvs), "the action followed the other cluster"
    pass_a_minute(lvs)
    assert lvs.monitor().exit_code == OK
    assert lvs.pool() == EVEN
    until(lambda: lvs.watchers not in ([], [pid]), "another watcher")
    until(lambda: lvs.quick(tmp_path), "a monitor that does without crm_mon")
    lvs.cluster(*WITHOUT_NODE3)
    until(lambda: withdrawn(lvs), "the pool to follow its own cluster")


def test_another_cluster_in_a_forced_monitor_does_not_stick(
    lvs: Watched, tmp_path: Path, elsewhere: Mapping[str, str]
) -> None:
    pid = lvs.begin_watched()
    force(lvs, "monitor", **elsewhere)
    assert lvs.monitor().exit_code == OK
    assert lvs.pool() == EVEN
    until(lambda: lvs.quick(tmp_path), "a monitor that does without crm_mon")
    assert lvs.watchers == [pid]


def test_start_refuses_a_wrong_value_of_watch(world: World, tmp_path: Path) -> None:
    resource = Watched(world.director1, tmp_path, {**LISTED, "watch": "maybe"})
    result = resource.run("start")
    assert result.exit_code == MISCONFIGURED
    assert "watch=maybe" in result.reason
    assert "true" in result.reason
    assert "false" in result.reason
    assert resource.processes() == []


def test_actions_at_the_same_time_leave_one_watcher(lvs: Watched, tmp_path: Path) -> None:
    lvs.begin_watched()
    running = [lvs.begin(action, 30.0, 5.0) for action in ("reload-agent", "monitor") * 2]
    for each in running:
        assert each.wait().returncode == OK
    pass_a_minute(lvs)
    assert lvs.monitor().exit_code == OK
    lvs.await_watcher()
    until(lambda: lvs.quick(tmp_path), "a monitor that does without crm_mon")
    assert len(lvs.watchers) == 1


# --- the bell


class Live(Watched):
    """A resource of a live cluster: its crm_mon announces a change when it is told to."""

    def __init__(self, world: World, directory: Path) -> None:
        self.bell = directory / "bell"
        self.old = directory / "old"
        """While this file exists, crm_mon lacks an option."""
        super().__init__(world.director1, directory, WATCHED)
        os.mkfifo(self.bell)
        one_shot = f'PATH=/usr/sbin:/usr/bin:/sbin:/bin CIB_file={self.cib} exec crm_mon "$@"'
        self.crm_mon = (
            f'case " $* " in *" --one-shot "*) {one_shot};; esac\n'
            f"[ ! -e {self.old} ] || {{ echo 'Unknown option --interval=1s' >&2; exit 64; }}\n"
            f"echo state; exec cat <> {self.bell}"
        )
        self._path = first_in_path(directory / "live", "crm_mon", self.crm_mon)

    def operation(
        self, action: str, timeout: float = 30.0, interval: float = 0.0, **env: str
    ) -> Operation:
        usual = super().operation(action, timeout, interval, **{"PATH": self._path, **env})
        return usual._replace(cib=None)

    def ring(self) -> None:
        """Let crm_mon announce a change."""
        with self.bell.open("w") as fifo:
            fifo.write(f"{self.cib.stat().st_mtime_ns}\n")

    @property
    def bells(self) -> list[int]:
        return self.processes("cat")


@pytest.fixture
def live(world: World, tmp_path: Path) -> Iterator[Live]:
    """Yield a resource of a live cluster, not yet started."""
    resource = Live(world, tmp_path)
    yield resource
    tidy(resource)


def test_the_pool_follows_the_bell(live: Live, tmp_path: Path) -> None:
    live.begin_watched()
    until(lambda: len(live.bells) == 1, "crm_mon")
    for _ in range(3):
        live.cluster(*WITHOUT_NODE3)
        live.ring()
        until(lambda: withdrawn(live), "node3 to be withdrawn")
        live.cluster(*ALL)
        live.ring()
        until(lambda: live.pool() == EVEN, "node3 to return")
    until(lambda: live.quick(tmp_path), "a monitor that does without crm_mon")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_bell_is_killed(live: Live, tmp_path: Path, number: int) -> None:
    pid = live.begin_watched()
    until(lambda: len(live.bells) == 1, "crm_mon")
    (bell,) = live.bells
    os.kill(bell, number)
    live.cluster(*WITHOUT_NODE3)
    until(lambda: withdrawn(live), "node3 to be withdrawn")
    assert live.monitor().exit_code == OK
    until(lambda: live.bells not in ([], [bell]), "another crm_mon")
    live.cluster(*ALL)
    live.ring()
    until(lambda: live.pool() == EVEN, "node3 to return")
    until(lambda: live.quick(tmp_path), "a monitor that does without crm_mon")
    assert live.watchers == [pid]


def test_a_crm_mon_that_cannot_announce_changes(live: Live, tmp_path: Path) -> None:
    live.old.touch()
    pid = live.begin_watched()
    until(lambda: live.monitor().exit_code == DEGRADED, "the reason", 60.0)
    assert "Unknown option --interval=1s" in live.monitor().reason
    live.cluster(*WITHOUT_NODE3)
    until(lambda: withdrawn(live), "node3 to be withdrawn")
    live.old.unlink()
    until(lambda: len(live.bells) == 1, "crm_mon")
    until(lambda: live.monitor().exit_code == OK, "the end of the degradation")
    until(lambda: live.quick(tmp_path), "a monitor that does without crm_mon")
    assert live.watchers == [pid]


def test_the_bell_ends_with_a_killed_watcher(live: Live) -> None:
    pid = live.begin_watched()
    until(lambda: len(live.bells) == 1, "crm_mon")
    os.kill(pid, signal.SIGKILL)
    until(lambda: live.bells == [], "crm_mon to end")
    assert live.monitor().exit_code == OK
