"""Two nodes with vip-manager, contenders for their leadership, and a client that measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from tests.leader.address_spans import AddressSpans, overlap
from tests.leader.fault_report import ROWS, Row
from tests.leader.leases import Contender
from tests.leader.manager import VIP, Manager, run_manager
from tests.leader.network import Host
from tests.leader.power_loss import cut_power
from tests.leader.segment import Segment, observed
from tests.support.waiting import wait_until

CLIENT = "elsewhere"


class FaultScenario:
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
        self._having = [AddressSpans(manager.host, VIP) for manager in managers]
        self._before, self._recorded = "no host", False

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
        cut_power(self.nodes[number], VIP)

    def end(self, most: float) -> None:
        """End the fault.

        Assert that the address was never doubled and missing for at most `most` s.
        """
        self.record()
        assert self.segment.doubled == 0
        assert overlap(*self._having) == 0
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
        both = overlap(*self._having)
        row = (seen.longest, seen.doubled, both, self._before, seen.owner, self.queries)
        ROWS.append(Row(self._title, *row))


@contextmanager
def prepare_scenario(
    title: str, hosts: Mapping[str, Host], managers: Sequence[Manager]
) -> Iterator[FaultScenario]:
    """Run the daemons and the client until the end of the block."""
    nodes = {manager.host.name: manager.host for manager in managers}
    with ExitStack() as stack:
        stack.enter_context(run_manager(*managers))
        segment = stack.enter_context(observed(hosts[CLIENT], nodes, VIP))
        scenario = FaultScenario(title, managers, segment)
        stack.callback(_plugged, scenario)
        stack.callback(scenario.record)
        yield scenario


def _plugged(scenario: FaultScenario) -> None:
    for host in scenario.nodes:
        host.plug()


@contextmanager
def contending(
    scenario: FaultScenario, ways: Sequence[Sequence[str]], ttl: float
) -> Iterator[None]:
    """Let the nodes contend for the key, each over its own endpoints; the first one has it."""
    scenario.contenders = []
    try:
        for host, endpoints in zip(scenario.nodes, ways):
            scenario.contenders.append(Contender(host, endpoints, ttl))
            wait_until(lambda: scenario.contenders[0].leads)
        yield
    finally:
        for contender in scenario.contenders:
            contender.stop()
