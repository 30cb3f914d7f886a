"""The fake kernel: it acts as the real one was observed to, and can die within a batch."""

from __future__ import annotations

import pytest

from tests.cases.kernel_cases import CASES, Case, check
from tests.fakes.kernel import FakeKernel

BATCH = "-A -t 10.77.0.100:80 -s rr\n-a -t 10.77.0.100:80 -r 10.77.0.11:80 -g -w 1\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_does_as_the_real_one(case: Case) -> None:
    check(FakeKernel(), case)


def test_the_names_of_the_cases_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_it_shows_persistence_in_its_own_ticks() -> None:
    kernel = FakeKernel(hertz=250)
    kernel.restore("-A -t 10.77.0.100:80 -s rr -p 100\n")
    assert kernel.proc().endswith("TCP  0A4D0064:0050 rr  persistent 25000 FFFFFFFF\n")


def test_a_killed_batch_stays_where_it_was() -> None:
    kernel = FakeKernel()
    assert kernel.restore(BATCH, lines=1) == []
    assert kernel.saved() == "-A -t 10.77.0.100:80 -s rr\n"


def test_a_copy_is_independent() -> None:
    kernel = FakeKernel()
    kernel.restore(BATCH)
    other = kernel.copy()
    other.restore("-D -t 10.77.0.100:80\n")
    assert (other.saved(), kernel.saved()) == ("", BATCH)


def test_a_real_server_added_again_is_another() -> None:
    kernel = FakeKernel()
    kernel.restore(BATCH)
    [service] = kernel.services.values()
    [before] = [server.born for server in service.real_servers.values()]
    lines = "-d -t 10.77.0.100:80 -r 10.77.0.11:80\n" + BATCH.splitlines()[1]
    assert kernel.restore(lines) == []
    [after] = [server.born for server in service.real_servers.values()]
    assert (kernel.saved(), after != before) == (BATCH, True)
