"""Three cluster nodes, one machine outside of the cluster, and a client, on one network."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from lvsdr.cluster import ClusterState
from lvsdr.errors import SourceUnavailable

from tests.cluster import postgres
from tests.cluster.evidence import collect
from tests.cluster.machine import Machine
from tests.cluster.node import Node
from tests.cluster.places import OUTSIDE, WRITE_VIP
from tests.cluster.progress import Progress, StartReport
from tests.cluster.unexpected_end import mend
from tests.cluster.waiting import wait_until, watching
from tests.lab.host import SCRATCH, Host
from tests.lab.namespace import checked
from tests.lab.network import Network

FORMING = 300.0  # seconds, in a slow guest on a busy machine
SETTLING = 600.0


class Cluster:
    """All machines, switched off until they are renewed: `with Cluster() as cluster: …`.

    `progress` is where bring-ups report how far they are.
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
        self.configuration = ""  # the name of what has been pushed last
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
        """Have all machines as after their installation, whatever has been done with them.

        With `databases` fresh ones lie on them, and none runs.

        The nodes form a cluster without resources. Everything that configures one begins with this:
        it is sooner done than taking away what was configured, and leaves less.
        """
        self.start(databases)
        self.wait_for_nodes()
        self.progress.say("all nodes are online")

    def start(self, databases: bool = False) -> None:
        """Begin a bring-up: all machines run, and the nodes have yet to meet."""
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
        # Not while the nodes form a cluster: pacemakerd waits 10 s for a Corosync that is slow.
        if databases:
            self.install_databases()
        for node in self.nodes:
            node.start_services()
        self.progress.say("three nodes are up, forming a cluster")

    def _mend(self) -> None:
        """Look, during every wait, whether Pacemaker still runs: see unexpected_end.py."""
        self._restarts += mend(self.nodes, self.progress.warn)

    def _crash(self) -> None:
        for machine in self.machines:
            if machine.running:
                machine.crash()

    def destroy(self) -> None:
        """Leave nothing behind: no process, no namespace, no file."""
        self._left.close()
        self._crash()
        self.client.close()
        self._network.remove()
        shutil.rmtree(SCRATCH, ignore_errors=True)

    # --- what can be seen

    def __getitem__(self, name: str) -> Machine:
        """Return the machine of this name."""
        return next(machine for machine in self.machines if machine.name == name)

    @property
    def running_node(self) -> Node:
        """The first node that runs; whether it has a quorum is another question."""
        return next(node for node in self.nodes if node.running)

    def state(self) -> ClusterState:
        """Return the state as the first node that runs sees it. SourceUnavailable if it cannot."""
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
        """Wait until the state is as wanted, and return it; NotInTime says what it is instead.

        It is that which `seen_by` sees, or the first node that runs.
        """
        node = seen_by or self.running_node
        deadline = time.monotonic() + seconds

        def fits(seen: ClusterState | SourceUnavailable) -> object:
            return isinstance(seen, ClusterState) and wanted(seen)

        while True:
            left = deadline - time.monotonic()
            wait_until(lambda: _seen(node.recent_state), fits, what, left)
            state = _seen(node.state)  # what was recent may have been over
            if isinstance(state, ClusterState) and wanted(state):
                return state

    def wait_for_nodes(self, *absent: Machine) -> ClusterState:
        """Wait until all nodes but those named are online, and these are not."""
        names = {node.name for node in self.nodes if node not in absent}

        def online(state: ClusterState) -> bool:
            return {node.name for node in state.nodes.values() if node.online} == names

        return self.wait_for(online, f"{', '.join(sorted(names))} are online", FORMING)

    def settle(self, seconds: float = SETTLING) -> None:
        """Wait until the cluster has nothing left to do; its nodes are then up.

        That is so, too, before it has noticed that there is something to do: wait for that first.
        """
        while not self._settled(seconds):
            self.wait_for_nodes(*(node for node in self.nodes if not node.running))
        self.is_up()

    def _settled(self, seconds: float) -> bool:
        """Wait for crm_resource; False if Pacemaker was restarted, which may have ended it, too."""
        argv = ["crm_resource", "--wait", f"--timeout={seconds:.0f}s"]
        node, restarts, idle = self.running_node, self._restarts, self._times_idle()
        asked = node.begin(argv)

        def pending() -> bool:
            # It looks every 2 s: begin anew as soon as it may find that nothing is left to do.
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
        """End the bring-up of all nodes: where Pacemaker ends from now on, that is an error."""
        for node in self.nodes:
            node.may_restart = False

    # --- configuration

    def configure(self, name: str) -> None:
        """Push what the configuration script of this name has made, and settle."""
        before, after = (f"/mnt/configurations/{file}.xml" for file in ("before", name))
        self.node1.pcs("cluster", "cib-push", after, f"diff-against={before}")
        self.configuration = name
        self.progress.say(f"{name} is configured, resources start")
        with watching(StartReport(self.progress, self._recent_state)):
            self.settle()
        self.progress.say(f"{name} has settled")

    def replicate(self, name: str) -> None:
        """Push a configuration in which the cluster has databases: these are fresh."""
        self.renew(databases=True)
        self.configure(name)

    def install_databases(self) -> None:
        """Give every machine the same fresh data; the primary is whoever has WRITE_VIP.

        None runs so far. The standby outside of the cluster calls itself by its address.
        """
        for node in self.nodes:
            postgres.install(node, WRITE_VIP)
        postgres.install(self.outside, WRITE_VIP, OUTSIDE)
        self.progress.say("databases are copied")

    def rebuild_database(self, node: Machine) -> None:
        """Make the database of a node, where it must not run now, a standby again.

        It has to be done for a primary that crashed: it has written what its successor never got.
        """
        postgres.install(node, WRITE_VIP)

    # --- when something fails

    def collect(self, name: str) -> Path:
        """Write down all there is to be known into a directory of this name; return that."""
        directory = Path(os.environ["LAB_RESULTS"]) / re.sub(r"[^\w.-]+", "-", name)
        collect(self.machines, directory)
        return directory


def _seen(look: Callable[[], ClusterState]) -> ClusterState | SourceUnavailable:
    try:
        return look()
    except SourceUnavailable as error:
        return error
