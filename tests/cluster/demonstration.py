"""Demonstration of failures in a real cluster: the events, and their effects on its clients."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Callable

from lvsdr.pacemaker.cluster import ClusterState, Role

from tests.cluster import postgres
from tests.cluster.addresses import READ_VIP, WRITE_VIP
from tests.cluster.clients import Clients
from tests.cluster.cluster import Cluster
from tests.cluster.drill import rebuild, who_is_who
from tests.cluster.machine import Machine
from tests.cluster.node import Node
from tests.cluster.observed_state import (
    can_be_promoted,
    in_role,
    pool,
    primary,
    replicates,
    serving,
    standbys,
)
from tests.cluster.progress import Progress
from tests.cluster.timeline import Timeline, in_words
from tests.cluster.timeouts import PATIENCE, PAUSE
from tests.lab.show.frame import closing, opening, run_demonstration, say
from tests.lab.show.screen import Screen, Styled
from tests.support.paths import ROOT
from tests.support.waiting import wait_until

CONFIGURATION = "4-roles"
VARIABLES = {"READ_VIP": READ_VIP, "WRITE_VIP": WRITE_VIP, "PORT": str(postgres.PORT)}
EXCERPT = "resource create lvsdr "
QUESTIONS = 6
QUERY = 10  # seconds

TITLE = "lvsdr: reads follow a PostgreSQL cluster through its failures"

DRAWING = f"""
               client: psql -h {READ_VIP}
                          │
     {READ_VIP}:5432 on the director's node (IPVS, direct routing)
            ┌─────────────┼─────────────┐
          node1         node2         node3
     10.77.0.21    10.77.0.22    10.77.0.23
     Corosync, Pacemaker and PostgreSQL on each; writes go to {WRITE_VIP}
"""

EXPLANATION = """
The nodes are namespaces of one kernel; everything on them is real: Corosync, Pacemaker, pcs,
PostgreSQL 15 with streaming replication under PAF, and the agents of lvsdr. The client is psql, and
libpq in a program that opens a connection every second and holds several others all the time.
"""

CLOSING = (
    "The pool followed the cluster without any change of a list: it was the same",
    "configuration before and after. To look around by hand: make cluster ARGS=4-roles",
    "Configurations to start from: examples/README.md",
)


class Broken(AssertionError):
    """A step that did not show its promised result."""


class Show:
    """State that the steps share: the cluster, its clients, and the screen."""

    def __init__(self, cluster: Cluster, screen: Screen) -> None:
        self.cluster, self.screen = cluster, screen
        self.clients: Clients | None = None
        self.lost: Node | None = None
        self._asked = 0

    def tell(self, text: str) -> None:
        self.screen.paragraph(text)
        self.screen.line()

    def type(self, *argv: str, on: Machine | None = None) -> str:
        """Show a command as it is typed on a node, run it, and return its output."""
        where = on or self.cluster.running_node
        command = " ".join(map(shlex.quote, argv))
        self.screen.line("  ", Styled(f"{where.name}# {command}", "bold"))
        return where.run(argv, timeout=PATIENCE).stdout

    def print(self, text: str) -> None:
        for line in text.strip("\n").splitlines():
            self.screen.quote(line)
        self.screen.line()

    def expect(self, promise: str, kept: object) -> None:
        """Show that a promise was kept. Raise Broken if it was not."""
        if not kept:
            raise Broken(f"not so: {promise}; the pool is {in_words(pool(self.cluster))}")
        self.screen.line("  ", Styled("ok", "green"), f"  {promise}")

    def timeline(self) -> Timeline:
        self.screen.line("  ", Styled("time", "bold"), "     change")
        return Timeline(self.cluster, self.screen)

    def table(self) -> None:
        """Show the virtual service in the table of the director's node."""
        self.print(self.type("ipvsadm", "-Ln", on=self.cluster[self.director()]))

    def director(self) -> str:
        (name,) = in_role(self.cluster.state(), Role.STARTED, "lvsdr")
        return name

    def ask(self) -> None:
        """Query the server's name with psql, several times, and show the answers."""
        line = ["psql", "-X", "-A", "-t", "-h", READ_VIP, "-U", postgres.MONITOR, "postgres"]
        argv = [*line, "-c", "show cluster_name"]
        command = f"psql -h {READ_VIP} -c 'show cluster_name'   ({QUESTIONS} at a time)"
        self.screen.line("  ", Styled(f"client$ {command}", "bold"))
        # The queries run in parallel: otherwise a client that connects each second may take every
        # other turn of the scheduler.
        asked = [self.cluster.client.start(argv) for _ in range(QUESTIONS)]
        answers = [running.wait().stdout.strip() for running in asked]
        self.print("  ".join(answers))
        wanted = {machine.name for machine in standbys(self.cluster)}
        self.expect("only the two standbys answer", set(answers) == wanted)

    def whole(self) -> None:
        """Wait until the pool consists of both standbys."""

        def both(state: ClusterState) -> bool:
            standbys = set(in_role(state, Role.UNPROMOTED))
            return replicates(state) and serving(pool(self.cluster)) == standbys

        self.cluster.wait_for(both, "one primary, two standbys in the pool", PATIENCE)

    def report(self, lost: str = "") -> None:
        """Show the results of the clients since the last report. Only `lost` may lose sessions."""
        assert self.clients is not None
        visits = self.clients.visits[self._asked :]
        self._asked += len(visits)
        failed = [visit for visit in visits if visit.error]
        broken = self.clients.broken()
        self.screen.line()
        self.expect(f"{len(visits)} new connections meanwhile, {len(failed)} failed", not failed)
        held = len(self.clients.sessions) - sum(broken.values())
        self.expect(f"{held} sessions held since the beginning still work", set(broken) <= {lost})


def command(script: str, beginning: str) -> list[str]:
    """Return the pcs command of a script that begins like this, a parameter on each line."""
    text = script[script.index(beginning) :].replace("\\\n", " ").splitlines()[0]
    for variable, value in VARIABLES.items():
        text = text.replace(f"${variable}", value)
    words = shlex.split(text)
    pairs = [word.partition("=") for word in words[: words.index("op")] if "=" in word]
    settings = [f"    {name}={shlex.quote(value)}" for name, _, value in pairs]
    return [f"{line} \\" for line in (f"pcs {beginning}ocf:lvsdr:lvsdr", *settings)]


# --- the steps: each docstring is the headline on the screen


def the_cluster_forms(show: Show) -> None:
    """Three nodes form a cluster without resources"""
    show.print(show.type("pcs", "status", "nodes", "corosync"))
    show.expect("all three are online", len(show.cluster.state().nodes) == 3)


def it_is_configured(show: Show) -> None:
    """One configuration: PostgreSQL, two addresses, real servers, director"""
    show.tell(f"From examples/{CONFIGURATION}.sh, the resource that keeps the pool in step:")
    script = (ROOT / f"examples/{CONFIGURATION}.sh").read_text()
    for line in [*command(script, EXCERPT), "    op monitor interval=5s …"]:
        show.screen.quote(line, "dim")
    show.screen.line()
    show.cluster.install_databases()
    with show.timeline():
        show.cluster.configure(CONFIGURATION)
        show.whole()
    show.table()
    show.ask()


def the_director_moves(show: Show) -> None:
    """The director moves to another node than the primary's"""
    here, there = primary(show.cluster).name, standbys(show.cluster)[0].name
    if show.director() == here:
        with show.timeline():
            show.type("pcs", "resource", "move", "director", there)
            show.cluster.settle()
            show.whole()
    show.expect(f"the director is on {show.director()}, the primary on {here}", True)


def a_standby_is_maintained(show: Show) -> None:
    """Maintenance: a standby leaves while a query runs on it"""
    assert show.clients is not None
    leaving = next(it for it in standbys(show.cluster) if it.name != show.director())
    show.tell(
        f"A client runs a query of {QUERY} s on {leaving.name}. Once the director notices the "
        "standby mode, the node gets no new connections. PostgreSQL stops after the query."
    )
    session = show.clients.on(leaving.name)[0]
    show.clients.sessions.remove(session)
    show.clients.leave(leaving.name)
    session.send(f"select 'done' from pg_sleep({QUERY})")
    with show.timeline() as timeline:
        show.type("pcs", "node", "standby", leaving.name)
        answer = session.answer(PATIENCE)
        ended = timeline.seconds
        session.close()
        show.cluster.wait_for(
            lambda state: leaving.name not in in_role(state, Role.UNPROMOTED), "it stops", PATIENCE
        )
    show.expect(f"the query was answered after {ended:.0f} s", answer == "done")
    show.tell("The node returns:")
    with show.timeline():
        show.type("pcs", "node", "unstandby", leaving.name)
        show.whole()
    show.report()


def the_primary_dies(show: Show) -> None:
    """The node of the primary loses its power"""
    show.cluster.wait_for(
        lambda state: len(can_be_promoted(state)) == 3, "both standbys could take over", PATIENCE
    )
    lost = who_is_who(show.cluster).primary
    show.tell(f"{lost.name} stops at once: no daemon ends in order, and no connection is closed.")
    with show.timeline():
        lost.crash()
        show.cluster.wait_for(lambda state: replicates(state, 1), "another leads", PATIENCE)
        (left,) = standbys(show.cluster)
        wait_until(
            lambda: pool(show.cluster),
            lambda seen: serving(seen) == {left.name},
            "the pool follows",
            PATIENCE,
            pause=PAUSE,
        )
    show.table()
    show.report(lost.name)
    show.lost = lost


def the_old_primary_comes_back(show: Show) -> None:
    """The old primary returns as a standby, with fresh data"""
    lost = show.lost
    assert lost is not None
    show.tell(
        "This cluster has no fencing. So Pacemaker shows the node's old resources for a moment. "
        "The pool does not change: the node was the primary."
    )
    rebuild(show.cluster, lost)
    with show.timeline():
        lost.start()
        show.whole()
    show.ask()
    show.report(lost.name)


STEPS: tuple[Callable[[Show], None], ...] = (
    the_cluster_forms,
    it_is_configured,
    the_director_moves,
    a_standby_is_maintained,
    the_primary_dies,
    the_old_primary_comes_back,
)


def demonstrate(cluster: Cluster, screen: Screen) -> None:
    """Play all steps. Raise Broken or NotInTime if a step does not show the promised result."""
    show = Show(cluster, screen)
    with contextlib.ExitStack() as stack:
        for number, step in enumerate(STEPS, start=1):
            screen.headline(f"{number}/{len(STEPS)}  {step.__doc__}")
            if step is a_standby_is_maintained:
                show.clients = stack.enter_context(Clients(cluster.client))
            step(show)


def main() -> int:
    screen = Screen.on(sys.stdout, os.environ)
    opening(screen, TITLE, DRAWING, EXPLANATION)
    say("starting three nodes and a client")
    with Cluster(Progress(quiet=True)) as cluster:
        cluster.renew()
        if not run_demonstration(lambda: demonstrate(cluster, screen)):
            return 1
    closing(screen, CLOSING)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
