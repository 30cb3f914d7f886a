"""A director under Pacemaker's control, and its visible state.

The steps assert the exit code of each action. A case then contains only the state of the cluster,
the expected pool, and the effects on clients.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from lvsdr.errors import ExitCode

from tests.lab.client import Session
from tests.lab.echo import PORT
from tests.lab.host import VIP
from tests.lab.resource import Resource
from tests.lab.world import World
from tests.support import cib

Weights = dict[str, int]
"""Weights by the name of the real server's host."""

PRIMARY = cib.Node("node1").primary()
STANDBY2 = cib.Node("node2")
STANDBY3 = cib.Node("node3")


class Entry(NamedTuple):
    """A real server as the kernel shows it. `forward` is the kernel's name of the method."""

    forward: str
    weight: int
    active: int
    inactive: int


class Director:
    """The agent on director1, as Pacemaker runs it, in a cluster that is a sketch."""

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.client = world.client
        self._resource = Resource(world.director1, directory, {})
        self._names = {host.address: host.name for host in world.hosts.values()}

    # --- events

    def cluster(self, *nodes: cib.Node) -> None:
        """Set the state of the cluster."""
        self._resource.cluster(*nodes)

    def recorded(self, path: Path) -> None:
        """Set the state of the cluster to a recorded one."""
        shutil.copy(path, self._resource.cib)

    def start(self, parameters: Mapping[str, object]) -> Weights:
        return self._act("start", parameters)

    def reload(self, parameters: Mapping[str, object]) -> Weights:
        """Run reload-agent with these parameters and no others, as after `pcs resource update`."""
        return self._act("reload-agent", parameters)

    def update(self, **changes: object) -> Weights:
        """Run reload-agent after these changes of parameters."""
        return self.reload({**self._resource.parameters, **changes})

    def monitor(self, *, degraded: str | None = None) -> Weights:
        """Run a recurring monitor. It must succeed, or be degraded with this text in its reason."""
        result = self._resource.monitor()
        expected = ExitCode.SUCCESS if degraded is None else ExitCode.DEGRADED
        assert result.exit_code == expected, result
        assert (degraded or "") in result.reason, result
        return self.weights()

    def by_hand(self, text: str) -> None:
        """Change the table without the agent, with lines for `ipvsadm -R`."""
        self._resource.host.restore_ipvs(f"{text}\n")

    def stop(self) -> None:
        self._resource.stop()

    def _act(self, action: str, parameters: Mapping[str, object]) -> Weights:
        self._resource.parameters = {**parameters, "vip": VIP, "port": PORT}
        result = self._resource.run(action)
        assert result.exit_code == ExitCode.SUCCESS, result
        return self.weights()

    # --- state

    def table(self) -> dict[str, Entry]:
        """Return the real servers of the service, by the name of their host."""
        return {
            self._names[address]: entry
            for address, entry in _entries(self._resource.host.proc_ipvs())
        }

    def weights(self) -> Weights:
        return {host: entry.weight for host, entry in self.table().items()}

    def sessions(self) -> dict[str, Session]:
        """Return a new session on each real server with a weight; the scheduler rr takes turns."""
        serving = [host for host, weight in self.weights().items() if weight > 0]
        sessions = [self.client.connect() for _ in serving]
        opened = {session.host: session for session in sessions}
        assert sorted(opened) == sorted(serving)
        return opened

    @contextlib.contextmanager
    def watched(self) -> Iterator[list[Weights]]:
        """Yield a list in which a thread collects the pool's weights every 20 ms."""
        seen = [self.weights()]
        done = threading.Event()

        def look() -> None:
            while not done.wait(0.02):
                seen.append(self.weights())

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            yield seen
        finally:
            done.set()
            watcher.join()


def all_alive(sessions: Mapping[str, Session]) -> bool:
    return all(session.alive for session in sessions.values())


# "  -> 0A4D0015:1538      Route   1      0          0"
_ENTRY = re.compile(rf"-> ([0-9A-F]{{8}}):{PORT:04X} +(\w+) +(\d+) +(\d+) +(\d+)")


def _entries(table: str) -> Iterator[tuple[str, Entry]]:
    for digits, forward, *numbers in _ENTRY.findall(table):
        address = ".".join(str(byte) for byte in bytes.fromhex(digits))
        yield address, Entry(forward, *map(int, numbers))
