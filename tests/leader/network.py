"""Hosts that stores run on: network namespaces with two cables each.

Clients query stores at the front, and members communicate at the back. So a member can be cut off
from the others and still be queried.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence

from tests.lab.namespace import Completed, Running, checked, entered, run

FABRIC = "fabric"
SIDES = {"front": 0, "back": 1}


class Host:
    """A host. `name` is also the name of its network namespace."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.front = f"10.78.0.{number}"
        self.back = f"10.78.1.{number}"
        self.unplugged: set[str] = set()
        self._started: list[Running] = []

    def entered(self) -> contextlib.AbstractContextManager[None]:
        """Return a context that puts the calling thread, and its new threads, into this network."""
        return entered(self.name)

    def start(
        self, argv: Sequence[str], env: Mapping[str, str] | None = None, stdin: str = ""
    ) -> Running:
        """Start a process on this host. It is killed at the latest when the network is removed."""
        with self.entered():
            running = Running(argv, stdin, {**os.environ, **(env or {})})
        self._started.append(running)
        return running

    def run(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        check: bool = True,
        stdin: str = "",
    ) -> Completed:
        """Run a command here.

        Raises CommandFailed if it takes a minute or, with `check`, fails.
        """
        running = self.start(argv, env, stdin)
        completed = running.wait()
        self._started.remove(running)
        return checked(argv, completed, check)

    def unplug(self, side: str) -> None:
        """Pull a cable: packets are lost without notice."""
        self._switch(side, "down")
        self.unplugged.add(side)

    def plug(self) -> None:
        """Plug in every cable that was pulled."""
        while self.unplugged:
            self._switch(self.unplugged.pop(), "up")

    def _switch(self, side: str, state: str) -> None:
        with entered(FABRIC):
            run(["ip", "link", "set", f"{self.name}-{side}", state])

    def close(self) -> None:
        for running in self._started:
            running.close()
        self._started.clear()


@contextlib.contextmanager
def network(numbers: Mapping[str, int]) -> Iterator[dict[str, Host]]:
    """Yield hosts by name, all connected at both sides, until the end of the block."""
    if os.environ.get("LEADER_TESTS") != "1":
        raise RuntimeError("not in namespaces of our own: start this with tests/leader/run")
    hosts = {name: Host(name, number) for name, number in numbers.items()}
    run(["ip", "-batch", "-"], stdin="".join(f"netns add {n}\n" for n in (*hosts, FABRIC)))
    try:
        with entered(FABRIC):
            run(["ip", "-batch", "-"], stdin="\n".join(_cables(hosts)) + "\n")
        for host in hosts.values():
            _configure(host)
        yield hosts
    finally:
        for host in hosts.values():
            host.close()
        run(["ip", "-batch", "-"], stdin="".join(f"netns del {n}\n" for n in (*hosts, FABRIC)))


def _cables(hosts: Mapping[str, Host]) -> Iterator[str]:
    for side in SIDES:
        yield f"link add bridge-{side} type bridge"
        yield f"link set bridge-{side} up"
        for name in hosts:
            yield f"link add {name}-{side} type veth peer name {side} netns {name}"
            yield f"link set {name}-{side} master bridge-{side} up"


def _configure(host: Host) -> None:
    lines = ["link set lo up"]
    for side, address in (("front", host.front), ("back", host.back)):
        lines += [f"addr add {address}/24 dev {side}", f"link set {side} up"]
    with host.entered():
        run(["ip", "-batch", "-"], stdin="\n".join(lines) + "\n")
