"""The segment client notices the faults that it has to measure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.leader.address_spans import AddressSpans, overlap
from tests.leader.manager import VIP
from tests.leader.network import Host
from tests.leader.segment import Segment, observed
from tests.support.waiting import wait_until


@pytest.fixture
def nodes(hosts: dict[str, Host]) -> Iterator[list[Host]]:
    """Yield two hosts, without the address before and after."""
    made = [hosts["node1"], hosts["node2"]]
    yield made
    for host in made:
        change(host, "delete", check=False)


@pytest.fixture
def segment(hosts: dict[str, Host], nodes: list[Host]) -> Iterator[Segment]:
    with observed(hosts["elsewhere"], {host.name: host for host in nodes}, VIP) as made:
        yield made


def change(host: Host, verb: str, check: bool = True) -> None:
    host.run(["ip", "address", verb, f"{VIP}/24", "dev", "front"], check=check)


def test_two_hosts_have_the_address(segment: Segment, nodes: list[Host]) -> None:
    one, two = nodes
    with ExitStack() as stack:
        having = [AddressSpans(host, VIP) for host in nodes]
        for each in having:
            stack.callback(each.stop)
        change(one, "add")
        wait_until(lambda: segment.serves(one))
        assert segment.doubled == 0
        change(two, "add")
        wait_until(lambda: segment.doubled > 3)
        assert segment.owner == "node1 and node2"
        assert not segment.serves(one)
        change(one, "delete")
        change(two, "delete")
    assert overlap(*having) > 0


def test_a_gap_without_an_owner_is_measured(
    segment: Segment, nodes: list[Host], hosts: dict[str, Host]
) -> None:
    one, two = nodes
    change(one, "add")
    wait_until(lambda: segment.serves(one))
    segment.forget()
    assert segment.longest == 0
    change(one, "delete")
    lost = len(segment.asked)
    wait_until(lambda: len(segment.asked) > lost + 20)
    change(two, "add")
    # needed because no host announces it
    hosts["elsewhere"].run(["ip", "neighbour", "flush", "dev", "front"])
    wait_until(lambda: segment.serves(two))
    assert segment.longest > 0.5
    assert segment.doubled == 0
    assert segment.owner == "node2"
