"""Three cluster nodes, one machine outside of the cluster, and a client, on one network."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from lvsdr.errors import SourceUnavailable
from lvsdr.pacemaker.cluster import ClusterState

from tests.cluster import postgres
from tests.cluster.addresses import OUTSIDE, WRITE_VIP
from tests.cluster.evidence import collect
from tests.cluster.machine import Machine
from tests.cluster.node import Node
from tests.cluster.progress import Progress, StartReport
from tests.cluster.timeouts import PAUSE
from tests.cluster.unexpected_end import mend
from tests.lab.host import SCRATCH, Host
from tests.lab.network import Network
from tests.support.processes import checked
from tests.support.waiting import wait_until, watching

FORMING = 300.0  # seconds, in a slow guest on a busy machine
SETTLING = 600.0


class Cluster:
    """All machines, switched off until they are renewed: `with Cluster() as cluster: …`.

    `progress` receives the reports of bring-ups.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self.progress = progress or Progress()
        self.client = Host("client", 1)
        hosts = [Host(f"node{number}", 20 + number) for number in (1, 2, 3, 4)]
        self._network = Network([self.client, *hosts])
        self.nodes = tuple(Node(host, self._network) for host in hosts[:3])
        self.node1, self.node2, self.node3 = self.nodes
        self.outside = Machine(hosts[3], self._network)
        self.machines: tuple[Machine, ...] = (*self.nodes, self.outside)
        self.configuration = ""  # the name of the configuration that was pushed last
        self._restarts = 0  # of Pacemaker, because it had ended by itself
        self._left = contextlib.ExitStack()

    def __enter__(self) -> Cluster:
        try:
            self._network.lay()
        except BaseException:
            self.destroy()
            raise
        self._left.enter_context(watching(self._mend))
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy()

    def renew(self, databases: bool = False) -> None:
        """Bring all machines into their state after installation, and let the nodes form a cluster.

        The cluster has no resources. `databases` gives each machine a fresh database that does not
        run. Every new configuration begins with this: it is faster than removing the old one, and
        leaves less.
        """
        self.start(databases)
        self.wait_for_nodes()
        self.progress.say("all nodes are online")

    def start(self, databases: bool = False) -> None:
        """Begin a bring-up: all machines run, and the nodes do not know each other yet."""
        self.progress.say("switching four machines on")
        self._crash()
        self.client.run(["ip", "neigh", "flush", "all"])
        self.configuration = ""
        addresses = {node.name: node.address for node in self.nodes}
        for node in self.nodes:
            node.install(addresses)
        self.outside.format_disk()
        for machine in self.machines:
            machine.switch_on()
        for machine in self.machines:
            machine.wait_for_boot()
        # Databases are copied before the nodes form a cluster: pacemakerd waits only 10 s for
        # Corosync.
        if databases:
            self.install_databases()
        for node in self.nodes:
            node.start_services()
        self.progress.say("three nodes are up, forming a cluster")

    def _mend(self) -> None:
        """Check during every wait that Pacemaker still runs: see unexpected_end.py."""
        self._restarts += mend(self.nodes, self.progress.warn)

    def _crash(self) -> None:
        for machine in self.machines:
            if machine.running:
                machine.crash()

    def destroy(self) -> None:
        """Remove every process, namespace and file of the machines."""
        self._left.close()
        self._crash()
        self.client.close()
        self._network.remove()
        shutil.rmtree(SCRATCH, ignore_errors=True)

    # --- state

    def __getitem__(self, name: str) -> Machine:
        """Return the machine of this name."""
        return next(machine for machine in self.machines if machine.name == name)

    @property
    def running_node(self) -> Node:
        """Return the first node that runs, with or without quorum."""
        return next(node for node in self.nodes if node.running)

    def state(self) -> ClusterState:
        """Return the state as the first running node sees it.

        Raises SourceUnavailable if it cannot.
        """
        return self.running_node.state()

    def _recent_state(self) -> ClusterState | None:
        state = _seen(self.running_node.recent_state)
        return state if isinstance(state, ClusterState) else None

    def wait_for(
        self,
        wanted: Callable[[ClusterState], object],
        what: str,
        seconds: float = SETTLING,
        seen_by: Node | None = None,
    ) -> ClusterState:
        """Wait until the state is as wanted, and return it.

        The state is that of `seen_by`, or of the first running node. NotInTime contains the last
        state.
        """
        node = seen_by or self.running_node
        deadline = time.monotonic() + seconds

        def fits(seen: ClusterState | SourceUnavailable) -> object:
            return isinstance(seen, ClusterState) and wanted(seen)

        while True:
            left = deadline - time.monotonic()
            wait_until(lambda: _seen(node.recent_state), fits, what, left, pause=PAUSE)
            state = _seen(node.state)  # the recent state may be outdated
            if isinstance(state, ClusterState) and wanted(state):
                return state

    def wait_for_nodes(self, *absent: Machine) -> ClusterState:
        """Wait until exactly the nodes that are not in `absent` are online."""
        names = {node.name for node in self.nodes if node not in absent}

        def online(state: ClusterState) -> bool:
            return {node.name for node in state.nodes.values() if node.online} == names

        return self.wait_for(online, f"{', '.join(sorted(names))} are online", FORMING)

    def settle(self, seconds: float = SETTLING) -> None:
        """Wait until the cluster is idle. The bring-up of its nodes is then over.

        A cluster is idle, too, before it has noticed an event: wait for its effect first.
        """
        while not self._settled(seconds):
            self.wait_for_nodes(*(node for node in self.nodes if not node.running))
        self.is_up()

    def _settled(self, seconds: float) -> bool:
        """Wait for crm_resource.

        Returns False if Pacemaker was restarted, which may have ended it.
        """
        argv = ["crm_resource", "--wait", f"--timeout={seconds:.0f}s"]
        node, restarts, idle = self.running_node, self._restarts, self._times_idle()
        asked = node.begin(argv)

        def pending() -> bool:
            # crm_resource checks every 2 s, so it is started anew when a node becomes idle.
            nonlocal asked, idle
            before, idle = idle, self._times_idle()
            if idle != before and asked.alive:
                asked.close()
                asked = node.begin(argv)
            return asked.alive

        try:
            wait_until(pending, lambda left: not left, "it settles", seconds + 30, pause=0.1)
        finally:
            completed = asked.close()
        if restarts != self._restarts:
            return False
        checked(argv, completed)
        return True

    def _times_idle(self) -> int:
        return sum(node.times_idle() for node in self.nodes)

    def is_up(self) -> None:
        """End the bring-up of all nodes: from now on an end of Pacemaker is an error."""
        for node in self.nodes:
            node.may_restart = False

    # --- configuration

    def configure(self, name: str) -> None:
        """Push the CIB that the configuration script of this name has made, and settle."""
        before, after = (f"/mnt/configurations/{file}.xml" for file in ("before", name))
        self.node1.pcs("cluster", "cib-push", after, f"diff-against={before}")
        self.configuration = name
        self.progress.say(f"{name} is configured, resources start")
        with watching(StartReport(self.progress, self._recent_state)):
            self.settle()
        self.progress.say(f"{name} has settled")

    def replicate(self, name: str) -> None:
        """Push a configuration with databases in the cluster, and fresh data for them."""
        self.renew(databases=True)
        self.configure(name)

    def install_databases(self) -> None:
        """Give every machine the same fresh data; the owner of WRITE_VIP is the primary.

        No database runs yet. The standby outside of the cluster uses its address as its name.
        """
        for node in self.nodes:
            postgres.install(node, WRITE_VIP)
        postgres.install(self.outside, WRITE_VIP, OUTSIDE)
        self.progress.say("databases are copied")

    def rebuild_database(self, node: Machine) -> None:
        """Replace the database of a node by a fresh standby. It must not run.

        A primary that crashed needs this: it may have written data that its successor never
        received.
        """
        postgres.install(node, WRITE_VIP)

    # --- failures

    def collect(self, name: str) -> Path:
        """Write all evidence into a directory of this name, and return the directory."""
        directory = Path(os.environ["LAB_RESULTS"]) / re.sub(r"[^\w.-]+", "-", name)
        collect(self.machines, directory)
        return directory


def _seen(look: Callable[[], ClusterState]) -> ClusterState | SourceUnavailable:
    try:
        return look()
    except SourceUnavailable as error:
        return error
