"""Five hundred changes of the cluster's state in a row, each followed by one monitor.

What the table must be is worked out here, in a model of the documented rules that shares no code
with the agent. Set LAB_SEED for another run than the usual one.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

from tests import cib
from tests.lab.client import Session, State
from tests.lab.host import HEADING, Host
from tests.lab.steps import (
    ALL,
    DEGRADED,
    EVEN,
    NEIGHBOURS,
    NODE,
    OK,
    SERVICE,
    STANDBYS,
    other_lines,
)
from tests.lab.warm import WarmResource
from tests.lab.world import World

CHANGES = int(os.environ.get("LAB_CHANGES") or 500)
SEED = 20261121
MOST_SESSIONS = 9
STREAMING = ("HS:sync", "HS:potential", "HS:async")
STATUS = (*STREAMING, "HS:alone", "HS:catchup", "PRI", "")
Pool = dict[str, int]


# --- the rules, once more


def verdict(node: cib.Node) -> str:
    """What a node's state means: IN, OUT (withdrawn), LEAVING (the same), DEAD or UNKNOWN."""
    if node.maintenance:  # offline, too: it has left in good order, and stopped nothing
        return "UNKNOWN"
    if not node.online or node.realsvr_failed:
        return "DEAD"
    if node.standby:
        return "LEAVING"
    return "IN" if node.status in STREAMING else "OUT"


def expected(nodes: list[cib.Node], pool: Pool, active: Pool) -> tuple[Pool, int]:
    """The pool after a monitor, and its exit code; `active` has all connections."""
    verdicts = {node.name: verdict(node) for node in nodes}
    nobody = "IN" not in verdicts.values()
    serving = {host for host, weight in pool.items() if weight > 0}
    unknown = {host for host in pool if verdicts[host] == "UNKNOWN"}
    kept = {host for host in serving if nobody and verdicts[host] == "OUT"}
    if nobody and not kept and not serving & unknown:
        kept = serving
    after = {}
    for host, said in verdicts.items():
        if said == "IN":
            after[host] = 1
        elif host in pool and (said == "UNKNOWN" or (said != "DEAD" and host in kept)):
            after[host] = pool[host]
        elif host in pool and said != "DEAD" and (pool[host] > 0 or active[host] > 0):
            after[host] = 0
    return after, DEGRADED if nobody or unknown else OK


# --- what happens to the cluster


def changed(nodes: list[cib.Node], dice: random.Random) -> list[cib.Node]:
    """The cluster after something has happened to it."""
    index = dice.randrange(len(nodes))
    node = nodes[index]
    what = dice.choice(["online", "standby", "maintenance", "status", "realsvr", "primary", "well"])
    if what == "primary":
        return [primary(n) if n is node else demoted(n) for n in nodes]
    news = {
        "online": node._replace(online=not node.online),
        "standby": node._replace(standby=not node.standby),
        "maintenance": node._replace(maintenance=not node.maintenance),
        "status": node._replace(status=dice.choice(STATUS)),
        "realsvr": node._replace(realsvr_failed=not node.realsvr_failed),
        "well": cib.Node(node.name),
    }
    return [*nodes[:index], news[what], *nodes[index + 1 :]]


def primary(node: cib.Node) -> cib.Node:
    """The node as the primary; without the VIP on lo time would count, see docs/decisions/026."""
    return node.primary()._replace(realsvr=True)


def demoted(node: cib.Node) -> cib.Node:
    """A former primary follows the new one."""
    if node.database != "Promoted":
        return node
    return node._replace(status="HS:async", database="Unpromoted")


# --- what the kernel has


def seen(host: Host) -> tuple[Pool, Pool, list[str]]:
    """Return weights and connections of our real servers, over or not, and the other lines, sorted.

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
    """The sessions that clients keep open, a new one now and then, an old one closed."""

    def __init__(self, client: Host) -> None:
        self._client = client
        self._open: list[Session] = []

    def come_and_go(self, pool: Pool, dice: random.Random) -> None:
        if self._open and dice.random() < 0.3:
            self._open.pop(dice.randrange(len(self._open))).close()
        if any(pool.values()) and len(self._open) < MOST_SESSIONS and dice.random() < 0.6:
            session = self._client.connect()
            assert pool[session.host] > 0, "a real server without weight gets nothing new"
            self._open.append(session)

    def check(self, stayed: set[str]) -> None:
        """Those on real servers that stayed work; those on others were told that it is over."""
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
    # Connections that are over count, and must not go between two looks.
    with world.director1.remembering_for(3600):
        play(world, tmp_path, seed)


def play(world: World, tmp_path: Path, seed: int) -> None:
    """Change the cluster again and again; compare the table with the model after each monitor."""
    dice = random.Random(seed)
    text = other_lines(world.director1.ipvs_text(), SERVICE)
    _, _, neighbours = seen(world.director1)
    sessions = Sessions(world.client)
    nodes = list(ALL)
    parameters = {**STANDBYS, "drain_timeout": "never"}
    with WarmResource(world.director1, tmp_path, parameters) as resource:
        resource.start()
        pool: Pool = dict(EVEN)
        for number in range(CHANGES):
            sessions.come_and_go(pool, dice)
            nodes = changed(nodes, dice)
            resource.cluster(*nodes)
            _, active, _ = seen(world.director1)
            wanted, code = expected(nodes, pool, active)
            result = resource.monitor()
            context = f"change {number} of LAB_SEED={seed}: {pool} {active} {nodes} {result}"
            found, _, others = seen(world.director1)
            assert (found, result.exit_code) == (wanted, code), context
            assert others == neighbours, context
            sessions.check(set(pool) & set(found))
            pool = found
        assert other_lines(world.director1.ipvs_text(), SERVICE) == text
        assert resource.header == f"-A {SERVICE} -s rr"
