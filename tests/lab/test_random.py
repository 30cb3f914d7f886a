"""Five hundred changes of the cluster's state in a row, each followed by one monitor.

The table must be as director_model.py computes it. The seed decides the states of two members and
a remote node, second entries of a node, the scheduler, the passing of time, and programs that fail
for one monitor. LAB_SEED selects other changes, LAB_CHANGES another number of them.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from tests.lab import director_model
from tests.lab.client import Session, State
from tests.lab.director_model import (
    DELETES_AT_ZERO,
    GRACE,
    STREAMING,
    Findings,
    Model,
    Pool,
    without_ipvsadm,
)
from tests.lab.forked_agent import ForkedResource
from tests.lab.host import HEADING, Host
from tests.lab.operation import AgentResult
from tests.lab.program_faults import CHECKED, FAULTS, CountedAnswers, Environment, environments
from tests.lab.random_cluster import CLUSTER, changed
from tests.lab.resource import EVEN, NEIGHBOURS, NODE, OK, SERVICE, STANDBYS, other_lines
from tests.lab.world import World
from tests.support import cib

CHANGES = int(os.environ.get("LAB_CHANGES") or 500)
SEED = 20261121
MOST_SESSIONS = 9
OPTIONS = {
    "rr": "-s rr",
    "sh": "-s sh -b sh-fallback",
    "mh": "-s mh -b mh-fallback",
    "dh": "-s dh",
}
"""The options of the service with each scheduler, as decision 036 wants them."""


def judged(nodes: list[cib.Node], fault: str) -> dict[str, str]:
    """Return the verdicts on the hosts without the check; none if a program prevents them."""
    if fault.startswith("crm_mon"):
        return {node.name: "UNKNOWN" for node in nodes}
    if fault not in CHECKED:
        return director_model.verdicts(nodes)
    # With a check script the agent ignores the attribute.
    return director_model.verdicts([node._replace(status=STREAMING[0]) for node in nodes])


# --- the table of the kernel


def seen(host: Host) -> tuple[Pool, Pool, list[str]]:
    """Return weights and connections of our real servers, and all other lines, sorted.

    The other services are in the order of the kernel's hash table, which changes on Linux 7.
    """
    weights: Pool = {}
    active: Pool = {}
    others = []
    ours, service = False, ""
    for line in host.proc_ipvs().splitlines()[HEADING:]:
        words = line.split()
        if words[0] != "->":
            ours, service = words[:2] == ["TCP", "0A4D0064:1538"], line
            others += [] if ours else [line]
        elif ours:
            address = ".".join(str(byte) for byte in bytes.fromhex(words[1].partition(":")[0]))
            weights[NODE[address]], active[NODE[address]] = (
                int(words[3]),
                int(words[4]) + int(words[5]),
            )
        else:
            others.append(f"{service}\n{line}")
    return weights, active, sorted(others)


class Sessions:
    """Sessions of clients: some stay open, some are closed, and new ones are opened."""

    def __init__(self, client: Host) -> None:
        self._client = client
        self._open: list[Session] = []

    def come_and_go(self, pool: Pool, scheduler: str, dice: random.Random) -> None:
        if self._open and dice.random() < 0.3:
            self._open.pop(dice.randrange(len(self._open))).close()
        # UNKNOWN stays at weight 0, even under the one scheduler that refuses clients then.
        refuses = scheduler == DELETES_AT_ZERO and 0 in pool.values()
        if (
            any(pool.values())
            and not refuses
            and len(self._open) < MOST_SESSIONS
            and dice.random() < 0.6
        ):
            session = self._client.connect()
            assert pool[session.host] > 0, "a real server without weight gets nothing new"
            self._open.append(session)

    def check(self, stayed: set[str]) -> None:
        """Assert that sessions on remaining real servers work, and all others were reset."""
        for session in list(self._open):
            wanted = State.ALIVE if session.host in stayed else State.RESET
            assert session.state() is wanted, f"{session.host} of {sorted(stayed)}"
            if wanted is State.RESET:
                self._open.remove(session)
                session.close()


def test_random_changes_of_state(world: World, tmp_path: Path) -> None:
    seed = int(os.environ.get("LAB_SEED") or SEED)
    print(f"LAB_SEED={seed}")
    world.director1.restore_ipvs(NEIGHBOURS)
    # Closed connections count too, and must not expire between two reads.
    with world.director1.remembering_for(3600):
        Play(world, tmp_path, seed).run()


class Play:
    """A sequence of changes, with a comparison of table and model after each."""

    def __init__(self, world: World, directory: Path, seed: int) -> None:
        self._host = world.director1
        self._directory = directory
        self._seed = seed
        self._dice = random.Random(seed)
        self._sessions = Sessions(world.client)
        self._model = Model()
        self._answers = CountedAnswers()
        self._nodes = list(CLUSTER)
        self._scheduler = "rr"

    def run(self) -> None:
        text = other_lines(self._host.ipvs_text(), SERVICE)
        _, _, neighbours = seen(self._host)
        faults = environments(self._directory)
        parameters = {**STANDBYS, "drain_timeout": "never"}
        with ForkedResource(self._host, self._directory, parameters) as resource:
            resource.cluster(*self._nodes)
            resource.start()
            pool: Pool = dict(EVEN)
            for number in range(CHANGES):
                self._sessions.come_and_go(pool, self._scheduler, self._dice)
                action, fault = self._change(resource)
                found = self._compare(resource, pool, action, fault, faults, number)
                assert seen(self._host)[2] == neighbours, (number, self._seed)
                self._sessions.check(set(pool) & set(found))
                pool = found
            assert other_lines(self._host.ipvs_text(), SERVICE) == text
            assert resource.header == f"-A {SERVICE} {OPTIONS[self._scheduler]}"

    def _change(self, resource: ForkedResource) -> tuple[str, str]:
        """Change the cluster. Return the next action, and the fault during it."""
        dice = self._dice
        if dice.random() < 0.05:
            self._scheduler = dice.choice(list(OPTIONS))
            options = OPTIONS[self._scheduler].partition(" -b")[0]
            resource.parameters["virtual_service_options"] = options
            return "reload-agent", ""
        if self._model.waits and dice.random() < 0.1:
            self._let_pass(GRACE + 1)
        self._nodes = changed(self._nodes, dice)
        resource.cluster(*self._nodes)
        often = [fault.often for fault in FAULTS.values()]
        fault = dice.choices(list(FAULTS), often)[0] if dice.random() < 0.2 else ""
        return "monitor", fault

    def _let_pass(self, seconds: float) -> None:
        """Simulate the passing of time: move the withdrawals in the state file back."""
        self._model.let_pass(seconds)
        (path,) = self._host.rsctmp.glob("*-lvs.state")
        lines = [line.split(" ") for line in path.read_text().splitlines()]
        for words in lines:
            if words[0] == "drain":
                words[-1] = repr(float(words[-1]) - seconds)
        path.write_text("".join(" ".join(words) + "\n" for words in lines))

    def _compare(
        self,
        resource: ForkedResource,
        pool: Pool,
        action: str,
        fault: str,
        faults: dict[str, Environment],
        number: int,
    ) -> Pool:
        """Run the action, assert that the model allows the pool, and return the pool."""
        _, connections, _ = seen(self._host)
        slow = "node2" if fault == "check hangs for node2" else ""
        verdicts = self._answers.judge(judged(self._nodes, fault), fault)
        findings = Findings(verdicts, pool, connections, self._scheduler, slow)
        began = time.monotonic()
        result = self._act(resource, action, faults.get(fault))
        ended = time.monotonic()
        found, _, _ = seen(self._host)
        planned = list(self._model.results(findings, began, ended))
        broken = fault == "ipvsadm fails"
        allowed = [without_ipvsadm(it, pool, self._scheduler) if broken else it for it in planned]
        for plan, one in zip(planned, allowed):
            code = OK if action == "reload-agent" else one.code
            if (one.pool, code) == (found, result.exit_code):
                if one is plan:
                    self._model.follow(plan, began, ended)
                else:
                    self._model.follow_failure(plan, began)
                return found
        raise AssertionError(
            f"change {number} of LAB_SEED={self._seed}: {action} {fault} gave {found} "
            f"and {result}, not {allowed}; before: {findings} {self._nodes}"
        )

    def _act(self, resource: ForkedResource, action: str, fault: Environment | None) -> AgentResult:
        if action != "monitor" or fault is None:
            return resource.run(action, 30.0, 5.0 if action == "monitor" else 0.0)
        before = resource.parameters
        resource.parameters = fault.parameters(before)
        try:
            return resource.monitor(fault.timeout, **fault.variables)
        finally:
            resource.parameters = before
