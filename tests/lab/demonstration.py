"""Demonstration of lvsdr: events in a cluster, and their effects on clients."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable

from lvsdr.errors import ExitCode

from tests.lab.client import State
from tests.lab.host import VIP
from tests.lab.show.demo_cluster import DemoCluster
from tests.lab.show.frame import closing, opening, run_demonstration, say
from tests.lab.show.guide import Guide, check
from tests.lab.show.packet_path import remove_packet_path
from tests.lab.show.screen import Screen
from tests.lab.world import World
from tests.support.cib import Node

PARAMETERS = {
    "vip": VIP,
    "port": 5432,
    "virtual_service_options": "-s rr",
    "realserver_dependent_resource": "lvsdr-realsvr-clone",
    "realserver_dependent_attribute_name": "pgsql-status",
    "realserver_dependent_attribute_value": "HS:(sync|potential|async)",
}

TITLE = "lvsdr: a pool of real servers that follows the cluster"

DRAWING = f"""
                     client
                       │
       {VIP}:5432 on director1 (IPVS, direct routing)
          ┌────────────┼────────────┐
        node1        node2        node3
      10.77.0.21   10.77.0.22   10.77.0.23
"""

EXPLANATION = """
Each host is a network namespace; kernel, addresses and connections are real. In the place of
PostgreSQL a server sends the name of its node. In the place of a running cluster the real crm_mon
reads a file with the cluster's state. Only that file changes from step to step; the monitor of
lvsdr, which Pacemaker would run every few seconds, does the rest. The resource:
"""

ON_SESSIONS = """
One connection to each real server stays open from here on: "opened earlier" shows its state, and
ActiveConn counts it, too. InActConn counts recently closed connections.
"""

ON_190 = """
To Pacemaker exit code 190 means that lvsdr runs, but degraded; crm_mon shows the reason.
"""

CLOSING = (
    "The pool followed the cluster through a failover and a dead node; it was never",
    "empty. One session was lost, on the dead node: reset, not left to hang. A health",
    "check withdrew a node that hung, before the cluster could notice it.",
    "Next: make lab (try it by hand), make test (the proofs), README.md (set up).",
)


def primary(name: str) -> Node:
    """Return a node with the promoted instance of PostgreSQL."""
    return Node(name, "PRI", "Promoted")


def standby(name: str) -> Node:
    """Return a node with a standby that replicates from the primary."""
    return Node(name, "HS:async")


def alone(name: str) -> Node:
    """Return a node with a standby that has no primary to replicate from."""
    return Node(name, "HS:alone")


def stopped(name: str) -> Node:
    """Return a node that is online, with PostgreSQL down."""
    return Node(name, "STOP", "Stopped")


# --- the steps: each docstring is the headline on the screen


def the_path_is_prepared(guide: Guide) -> None:
    """The packet path: three agents prepare it, and only the director answers ARP"""
    guide.tell("Pacemaker starts lvsdr-realsvr on every node, and vip on director1.")
    guide.lay_path()
    guide.expect(
        "ARP requests for the VIP are answered by director1", guide.cluster.owner(), "director1"
    )


def the_pool_appears(guide: Guide) -> None:
    """The pool appears: the cluster's state names the healthy standbys"""
    guide.tell("node1 is the primary, the others are its standbys. Pacemaker starts lvsdr.")
    guide.cluster.set_nodes(primary("node1"), standby("node2"), standby("node3"))
    seen = guide.play("start")
    guide.expect_spread(seen, node2=15, node3=15)
    guide.remark(ON_SESSIONS)


def no_standby_is_fit(guide: Guide) -> None:
    """A failover begins: no standby is fit, so the pool stays as it is"""
    guide.tell("PostgreSQL on node1 dies. For 20 seconds or so both standbys are HS:alone.")
    guide.cluster.set_nodes(stopped("node1"), alone("node2"), alone("node3"))
    seen = guide.play("monitor", ExitCode.DEGRADED)
    guide.expect_spread(seen, node2=15, node3=15)
    guide.expect_sessions(seen, node2=State.ALIVE, node3=State.ALIVE)
    guide.remark(ON_190)


def a_standby_is_promoted(guide: Guide) -> None:
    """A standby is promoted: it gets no new connections, and its sessions may finish"""
    guide.tell("The cluster promotes node3; node2 replicates from there.")
    guide.cluster.set_nodes(stopped("node1"), standby("node2"), primary("node3"))
    seen = guide.play("monitor")
    guide.expect("node3 stays in the table, with weight 0", seen.weights, {"node2": 1, "node3": 0})
    guide.expect_spread(seen, node2=30)
    guide.expect_sessions(seen, node2=State.ALIVE, node3=State.ALIVE)


def the_old_primary_comes_back(guide: Guide) -> None:
    """The old primary returns as a standby, and the drained server is removed"""
    guide.tell("node1 replicates from node3. The client of node3 has finished meanwhile.")
    guide.cluster.hang_up("node3")
    guide.cluster.set_nodes(standby("node1"), standby("node2"), primary("node3"))
    seen = guide.play("monitor")
    guide.expect("node1 is in the table, node3 is not", seen.weights, {"node1": 1, "node2": 1})
    guide.expect_spread(seen, node1=15, node2=15)
    guide.expect_sessions(seen, node2=State.ALIVE)


def a_node_dies(guide: Guide) -> None:
    """A node dies: its sessions are reset, all others continue"""
    guide.tell("node2 loses its power. Half of all new connections would hang from now on.")
    guide.cluster.unplug("node2")
    check("one of two new connections hangs", guide.cluster.answered(2), 1)
    guide.cluster.set_nodes(standby("node1"), Node("node2").dead(), primary("node3"))
    seen = guide.play("monitor")
    guide.expect_spread(seen, node1=30)
    guide.expect_sessions(seen, node1=State.ALIVE, node2=State.RESET)


def the_node_comes_back(guide: Guide) -> None:
    """The node returns and gets its share of connections again"""
    guide.tell("node2 has booted, and its standby has caught up.")
    guide.cluster.plug("node2")
    guide.cluster.set_nodes(standby("node1"), standby("node2"), primary("node3"))
    seen = guide.play("monitor")
    guide.expect_spread(seen, node1=15, node2=15)
    guide.expect_sessions(seen, node1=State.ALIVE)


def the_cluster_does_not_answer(guide: Guide) -> None:
    """The cluster does not answer: the pool stays as it is"""
    guide.tell("Pacemaker on director1 does not answer.")
    guide.cluster.lose_cluster()
    seen = guide.play("monitor", ExitCode.DEGRADED)
    guide.expect_spread(seen, node1=15, node2=15)
    guide.expect_sessions(seen, node1=State.ALIVE, node2=State.ALIVE)


def a_node_hangs(guide: Guide) -> None:
    """A node hangs: a health check withdraws it, although the cluster still shows it in order"""
    guide.tell("With realserver_check=tcp, a process beside the service connects to each node.")
    guide.cluster.set_nodes(standby("node1"), standby("node2"), primary("node3"))
    with guide.checking("tcp"):
        guide.tell("node2 stops answering. Pacemaker would need ten seconds to notice that.")
        guide.cluster.unplug("node2")
        guide.await_withdrawal("node2")
        guide.expect("6 of 6 new connections are answered", guide.cluster.answered(6), 6)
        guide.cluster.plug("node2")
        guide.await_return("node2")


STEPS: tuple[Callable[[Guide], None], ...] = (
    the_path_is_prepared,
    the_pool_appears,
    no_standby_is_fit,
    a_standby_is_promoted,
    the_old_primary_comes_back,
    a_node_dies,
    the_node_comes_back,
    the_cluster_does_not_answer,
    a_node_hangs,
)


def resource() -> str:
    """Return the command that creates the resource."""
    settings = [f"{name}={shlex.quote(str(value))}" for name, value in PARAMETERS.items()]
    return " \\\n    ".join(["pcs resource create lvsdr ocf:lvsdr:lvsdr", *settings])


def demonstrate(world: World, screen: Screen) -> None:
    """Play all steps. Raise Unexpected if a step does not show the promised result."""
    guide = Guide(DemoCluster(world, PARAMETERS), screen)
    with remove_packet_path(world):
        for number, step in enumerate(STEPS, start=1):
            screen.headline(f"{number}/{len(STEPS)}  {step.__doc__}")
            step(guide)


def main() -> int:
    screen = Screen.on(sys.stdout, os.environ)
    say("connecting client, directors and real servers")
    with World.create() as world:
        opening(screen, TITLE, DRAWING, EXPLANATION)
        screen.line()
        for line in resource().splitlines():
            screen.line("  ", line)
        if not run_demonstration(lambda: demonstrate(world, screen)):
            return 1
    closing(screen, CLOSING)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
