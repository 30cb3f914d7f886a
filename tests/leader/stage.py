"""Two nodes with vip-manager, contenders for their leadership, and a client that measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from tests.leader.crashing import crash
from tests.leader.faultreport import ROWS, Row
from tests.leader.having import Having, together
from tests.leader.leases import Contender
from tests.leader.managing import VIP, Manager, managed
from tests.leader.network import Host
from tests.leader.segment import Segment, observed
from tests.support.waiting import wait_until

CLIENT = "elsewhere"


class Stage:
    """Scene of a fault.

    `managers` are those of node1, which has the address at first, and of node2.
    """

    def __init__(self, title: str, managers: Sequence[Manager], segment: Segment) -> None:
        self.managers = list(managers)
        self.contenders: list[Contender] = []
        self.segment = segment
        self.queries = ""
        """Summary of queries through the address, if there were any."""
        self._title = title
        self._having = [Having(manager.host, VIP) for manager in managers]
        self._before, self._recorded = "nobody", False

    @property
    def nodes(self) -> list[Host]:
        return [manager.host for manager in self.managers]

    def begin(self) -> None:
        """Start the daemons. Wait until the client reaches the address on the first node."""
        running = [manager.start() for manager in self.managers]
        for manager, process in zip(self.managers, running):
            wait_until(lambda m=manager, p=process: m.answers(p))  # type: ignore[misc]
        wait_until(lambda: self.segment.serves(self.nodes[0]))
        self.segment.forget()
        self._before = self.segment.owner

    def moved_to(self, *numbers: int) -> None:
        """Wait until the client finds the address, from now on, on one of these nodes."""
        since, hosts = len(self.segment.asked), [self.nodes[number] for number in numbers]
        wait_until(lambda: any(self.segment.serves(host, since) for host in hosts), seconds=60)

    def asked_again(self, *numbers: int) -> None:
        """Wait until each of these nodes' daemons has queried the store twice more."""
        wanted = {number: self._answers(number) + 2 for number in numbers}
        for number, answers in wanted.items():
            wait_until(lambda n=number, a=answers: self._answers(n) >= a)  # type: ignore[misc]

    def _answers(self, number: int) -> int:
        return int(self.managers[number].status()["answers"])

    def says(self, number: int, state: str) -> bool:
        """Return whether this is the state that the daemon last got from the store."""
        return bool(self.managers[number].status()["state"] == state)

    def crash(self, number: int) -> None:
        """Cut a node's power."""
        if self.contenders:
            self.contenders[number].stop()
        crash(self.nodes[number], VIP)

    def end(self, most: float) -> None:
        """End the fault.

        Assert that the address was never doubled and missing for at most `most` s.
        """
        self.record()
        assert self.segment.doubled == 0
        assert together(*self._having) == 0
        assert self.segment.longest <= most

    def record(self) -> None:
        """Record the measurements, once."""
        if self._recorded:
            return
        self._recorded = True
        self.segment.stop()
        for having in self._having:
            having.stop()
        seen = self.segment
        both = together(*self._having)
        row = (seen.longest, seen.doubled, both, self._before, seen.owner, self.queries)
        ROWS.append(Row(self._title, *row))


@contextmanager
def staged(title: str, hosts: Mapping[str, Host], managers: Sequence[Manager]) -> Iterator[Stage]:
    """Run the daemons and the client until the end of the block."""
    nodes = {manager.host.name: manager.host for manager in managers}
    with ExitStack() as stack:
        stack.enter_context(managed(*managers))
        segment = stack.enter_context(observed(hosts[CLIENT], nodes, VIP))
        stage = Stage(title, managers, segment)
        stack.callback(_plugged, stage)
        stack.callback(stage.record)
        yield stage


def _plugged(stage: Stage) -> None:
    for host in stage.nodes:
        host.plug()


@contextmanager
def contending(stage: Stage, ways: Sequence[Sequence[str]], ttl: float) -> Iterator[None]:
    """Let the nodes contend for the key, each over its own endpoints; the first one has it."""
    stage.contenders = []
    try:
        for host, endpoints in zip(stage.nodes, ways):
            stage.contenders.append(Contender(host, endpoints, ttl))
            wait_until(lambda: stage.contenders[0].leads)
        yield
    finally:
        for contender in stage.contenders:
            contender.stop()
