"""What many cases have in common: a director under Pacemaker's hand, and what can be seen of it.

The steps assert by themselves that an action ended as a case expects; a case reads as what the
cluster does, what the pool is then, and what clients notice.
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

from tests import cib
from tests.lab.client import Session
from tests.lab.echo import PORT
from tests.lab.host import VIP
from tests.lab.steps import Resource
from tests.lab.world import World

Weights = dict[str, int]
"""By the name of the host that is the real server."""

PRIMARY = cib.Node("node1").primary()
STANDBY2 = cib.Node("node2")
STANDBY3 = cib.Node("node3")


class Entry(NamedTuple):
    """A real server as the kernel shows it; `forward` is in the kernel's words."""

    forward: str
    weight: int
    active: int
    inactive: int


class Director:
    """The agent on director1, as Pacemaker drives it, with a cluster that is sketched."""

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.client = world.client
        self._resource = Resource(world.director1, directory, {})
        self._names = {host.address: host.name for host in world.hosts.values()}

    # --- what happens

    def cluster(self, *nodes: cib.Node) -> None:
        """Let the cluster be like this from now on."""
        self._resource.cluster(*nodes)

    def recorded(self, path: Path) -> None:
        """Let the cluster be as it was when this was recorded."""
        shutil.copy(path, self._resource.cib)

    def start(self, parameters: Mapping[str, object]) -> Weights:
        return self._act("start", parameters)

    def reload(self, parameters: Mapping[str, object]) -> Weights:
        """Do what Pacemaker does when the administrator has set these parameters, and no others."""
        return self._act("reload-agent", parameters)

    def update(self, **changes: object) -> Weights:
        """Do what Pacemaker does when the administrator has changed some parameters."""
        return self.reload({**self._resource.parameters, **changes})

    def monitor(self, *, degraded: str | None = None) -> Weights:
        """Let one recurring monitor run: a healthy one, or a degraded one that says this."""
        result = self._resource.monitor()
        expected = ExitCode.SUCCESS if degraded is None else ExitCode.DEGRADED
        assert result.exit_code == expected, result
        assert (degraded or "") in result.reason, result
        return self.weights()

    def by_hand(self, text: str) -> None:
        """Change the table behind the agent's back, with lines for `ipvsadm -R`."""
        self._resource.host.restore_ipvs(f"{text}\n")

    def stop(self) -> None:
        self._resource.stop()

    def _act(self, action: str, parameters: Mapping[str, object]) -> Weights:
        self._resource.parameters = {**parameters, "vip": VIP, "port": PORT}
        result = self._resource.run(action)
        assert result.exit_code == ExitCode.SUCCESS, result
        return self.weights()

    # --- what can be seen

    def table(self) -> dict[str, Entry]:
        """The real servers of the service, by the name of their host."""
        return {
            self._names[address]: entry
            for address, entry in _entries(self._resource.host.proc_ipvs())
        }

    def weights(self) -> Weights:
        return {host: entry.weight for host, entry in self.table().items()}

    def sessions(self) -> dict[str, Session]:
        """Open sessions until there is one on each real server with a weight; rr takes turns."""
        serving = [host for host, weight in self.weights().items() if weight > 0]
        sessions = [self.client.connect() for _ in serving]
        opened = {session.host: session for session in sessions}
        assert sorted(opened) == sorted(serving)
        return opened

    @contextlib.contextmanager
    def watched(self) -> Iterator[list[Weights]]:
        """Collect what a thread that looks again and again sees of the pool meanwhile."""
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
