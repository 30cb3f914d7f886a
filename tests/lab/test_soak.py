"""Hundreds of cycles on a failing machine: the pool agrees with the model, or stays as it was.

Each cycle changes the cluster, causes a fault of the machine, and runs one monitor. Sometimes the
service is stopped during a fault and started again. `LAB_SOAK_CYCLES=2000 tests/lab/run
tests/lab/test_soak.py` is the long run, of ten minutes. LAB_SEED selects other faults.
"""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.lab import director_model, machine_faults
from tests.lab.director_model import Findings, Model, Pool, Result
from tests.lab.forked_agent import ForkedResource
from tests.lab.machine_faults import NO_FAULT, Fault, Machine
from tests.lab.operation import AgentResult, Operation, agent_result
from tests.lab.random_cluster import CLUSTER, changed
from tests.lab.realsvr_agent import RealServer, on_lo, unprepared
from tests.lab.resource import DEGRADED, EVEN, NEIGHBOURS, NOT_RUNNING, OK, SERVICE, STANDBYS
from tests.lab.test_random import OPTIONS, Sessions, seen
from tests.lab.vip_agent import Address, has_address
from tests.lab.world import World

CYCLES = int(os.environ.get("LAB_SOAK_CYCLES") or 200)
SEED = 20261128
A_LIFE = 25  # cycles
LIVES = 6  # of addresses, at least
KILLED = -9
OF_DISKS_AND_LIMITS = [*machine_faults.DISKS, *machine_faults.LIMITS]
OF_THE_DIRECTOR = [
    *machine_faults.CRM_MON,
    *machine_faults.IPVSADM,
    *OF_DISKS_AND_LIMITS,
    "killed",
    "killed",
]
OF_ADDRESSES = [*machine_faults.IP, *machine_faults.DISKS]


@pytest.fixture
def dice() -> random.Random:
    seed = int(os.environ.get("LAB_SEED") or SEED)
    print(f"LAB_SEED={seed}")
    return random.Random(seed)


def test_a_director_on_a_machine_that_fails(
    world: World, tmp_path: Path, dice: random.Random
) -> None:
    world.director1.restore_ipvs(NEIGHBOURS)
    parameters = {**STANDBYS, "drain_timeout": "never"}
    with (
        world.director1.remembering_for(3600),
        ForkedResource(world.director1, tmp_path, parameters) as resource,
        Machine(tmp_path, world.director1.rsctmp, dice) as machine,
    ):
        soak = Soak(world, resource, machine, dice)
        for number in range(CYCLES):
            if number % A_LIFE == 0:
                soak.renew()
            soak.cycle(number)
        soak.stop()
        print(soak.counted)


class Soak:
    """One service on a failing machine."""

    def __init__(
        self, world: World, resource: ForkedResource, machine: Machine, dice: random.Random
    ) -> None:
        self.counted: Counter[str] = Counter()
        self._host = world.director1
        self._resource = resource
        self._machine = machine
        self._dice = dice
        self._sessions = Sessions(world.client)
        self._neighbours = seen(self._host)[2]
        self._nodes = list(CLUSTER)
        self._model = Model()
        self._scheduler = ""
        clock = ["clock step"] if machine_faults.has_own_clock() else []
        self._faults = [*OF_THE_DIRECTOR, *clock]

    def renew(self) -> None:
        """Stop the service if it exists, and start it with another scheduler."""
        if self._scheduler:
            self.stop()
        self._scheduler = self._dice.choice(list(OPTIONS))
        options = OPTIONS[self._scheduler].partition(" -b")[0]
        self._resource.parameters["virtual_service_options"] = options
        self._nodes = list(CLUSTER)
        self._resource.cluster(*self._nodes)
        self._resource.start()
        self._model = Model()
        assert seen(self._host)[0] == EVEN

    def stop(self) -> None:
        """Stop the service during a fault: it is gone after exit code 0, else it can stop later."""
        fault = self._machine.drawn([*self._faults, *machine_faults.DISKS])
        result = self._act("stop", fault)
        gone = SERVICE not in self._host.ipvs_text()
        context = f"{fault} {result}"
        assert gone or result.exit_code != OK, context
        if fault.name in (*machine_faults.DISKS, *machine_faults.CRM_MON, "clock step"):
            assert (result.exit_code, gone) == (OK, True), context
        if gone and not fault.killed:
            assert result.exit_code == OK, context
        self._resource.stop()
        assert SERVICE not in self._host.ipvs_text()
        assert self._resource.probe().exit_code == NOT_RUNNING
        assert seen(self._host)[2] == self._neighbours
        self._sessions.check(set())

    def cycle(self, number: int) -> None:
        """Change the cluster, run one monitor during a fault, and compare."""
        pool, _, _ = seen(self._host)
        self._sessions.come_and_go(pool, self._scheduler, self._dice)
        self._nodes = changed(self._nodes, self._dice)
        self._resource.cluster(*self._nodes)
        fault = self._machine.drawn(self._faults) if self._dice.random() < 0.7 else NO_FAULT
        self.counted[fault.name] += 1
        _, connections, _ = seen(self._host)
        findings = Findings(
            director_model.verdicts(self._nodes), pool, connections, self._scheduler
        )
        began = time.monotonic()
        result = self._act("monitor", fault)
        ended = time.monotonic()
        found, _, others = seen(self._host)
        planned = list(self._model.results(findings, began, ended))
        context = f"cycle {number}: {fault} {result} {pool} -> {found} not {planned} {self._nodes}"
        right = [plan for plan in planned if agrees(found, plan, pool, fault)]
        assert right, context
        assert others == self._neighbours, context
        assert result.exit_code in codes(right, pool, found, fault), context
        if fault.remembers:
            self._model.follow(right[0], began, ended)
        else:
            for plan in planned:
                self._model.follow_failure(plan, began)
        self._sessions.check(set(pool) & set(found))

    def _act(self, action: str, fault: Fault) -> AgentResult:
        interval = 5.0 if action == "monitor" else 0.0
        self._resource.limits = fault.limits
        try:
            with self._machine.broken(fault):
                result = self._resource.run(action, fault.timeout, interval, **fault.variables)
        finally:
            self._resource.limits = {}
        if fault.killed:
            self._await_lock()
        return result

    def _await_lock(self) -> None:
        """Wait until the ipvsadm of a killed agent has ended and released the lock."""
        for path in self._host.rsctmp.glob("*-lvs.lock"):
            with path.open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)


def agrees(found: Pool, plan: Result, pool: Pool, fault: Fault) -> bool:
    """Return whether a pool is legal: planned, kept, or for each real server one of both.

    A pool is not empty if either of both has real servers.
    """
    if fault.pool == "planned":
        return found == plan.pool
    if fault.pool == "kept":
        return found == pool
    each = all(found.get(host) in (pool.get(host), plan.pool.get(host)) for host in EVEN)
    needed = any(pool.values()) and any(plan.pool.values())
    return each and (any(found.values()) or not needed)


def codes(right: list[Result], pool: Pool, found: Pool, fault: Fault) -> set[int]:
    """Return the exit codes that monitor may have."""
    if fault.remembers:
        return {plan.code for plan in right}
    serves = any(pool.values()) or any(found.values())
    allowed = {OK, DEGRADED} if serves else {OK, DEGRADED, 1}
    return allowed | {KILLED} if fault.killed else allowed


# --- addresses


def test_addresses_on_a_machine_that_fails(
    world: World, tmp_path: Path, dice: random.Random
) -> None:
    """Monitor never fails while the address exists. Stop returns 0 if and only if it is gone."""
    host = world.node1
    with unprepared([host], [host]), Machine(tmp_path, host.rsctmp, dice) as machine:
        for number in range(max(LIVES, CYCLES // A_LIFE)):
            for resource in (Address(host), RealServer(host)):
                resource.start()
                context = f"{number}: {resource.agent.name}"
                suffer(resource, "monitor", machine.drawn(OF_ADDRESSES), machine, context)
                assert is_there(resource), context
                assert resource.monitor().exit_code == OK, context
                suffer(resource, "stop", machine.drawn(OF_ADDRESSES), machine, context)
                resource.stop()
                assert not is_there(resource), context
                assert resource.probe().exit_code == NOT_RUNNING, context


def suffer(
    resource: Address | RealServer, action: str, fault: Fault, machine: Machine, context: str
) -> None:
    """Run an action during a fault, and check its exit code."""
    interval = 10.0 if action == "monitor" else 0.0
    operation = Operation(
        action,
        resource.parameters,
        agent=resource.agent,
        instance=resource.instance,
        timeout=min(fault.timeout, 20.0),
        interval=interval,
        env=fault.variables,
    )
    with machine.broken(fault):
        result = agent_result(resource.host.start_agent(operation).wait())
    context = f"{context} {action} {fault} {result}"
    if action == "monitor":
        assert result.exit_code in (OK, DEGRADED), context
    else:
        assert (result.exit_code == OK) is not is_there(resource), context
        assert result.exit_code == OK or fault.name in machine_faults.IP, context


def is_there(resource: Address | RealServer) -> bool:
    """Return whether the host has the address of the resource."""
    if isinstance(resource, Address):
        return has_address(resource.host, resource.ip)
    return bool(on_lo(resource.host))
