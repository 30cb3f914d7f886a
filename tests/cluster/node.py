"""A cluster node: a machine on which Corosync and Pacemaker run."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from lvsdr.errors import SourceUnavailable
from lvsdr.pacemaker.cluster import ClusterState
from lvsdr.pacemaker.crm_mon import parse_cluster_state

from tests.cluster.corosync import corosync_conf, first_cib
from tests.cluster.log_reader import LogReader
from tests.cluster.machine import Machine
from tests.lab.host import Host
from tests.lab.network import Network
from tests.support.processes import Running

MONITOR = ["crm_mon", "--output-as=xml", "--include=none,nodes,resources,attributes"]
STATE, LOG = "var/log/state.xml", "var/log/pacemaker/pacemaker.log"

# The output file serves frequent readers without a process. By default closed connections delay a
# drain by two minutes: see docs/decisions/037.
START = f"""
ipvsadm --set 0 1 0 || true
corosync
{" ".join(MONITOR)} --daemonize --output-to=/{STATE}
PCMK_logfile=/{LOG} exec pacemakerd -f
"""

# Rests of a first start: daemons without pacemakerd, or a Corosync that it has not stopped.
KILL = "while pkill -KILL 'corosync|pacemaker|crm_mon'; do sleep 0.1; done"

IDLE = " -> S_IDLE "  # part of lines about transitions, in the log of the coordinator


class Node(Machine):
    """A cluster node. `peers` are the addresses of all nodes, by name.

    `may_restart` is true if Pacemaker may be started again after it ends by itself: once, and only
    while the node comes up.
    """

    def __init__(self, host: Host, network: Network) -> None:
        super().__init__(host, network)
        self.may_restart = False
        self._pacemaker: Running | None = None
        self._unread, self._transitions = LogReader(self.disk / LOG), LogReader(self.disk / LOG)
        self._idle = 0

    def install(self, peers: Mapping[str, str]) -> None:
        """Bring its disk into the state before the cluster's first start."""
        self.format_disk()
        (self.disk / "etc/corosync/corosync.conf").write_text(corosync_conf(peers))
        cib = self.disk / "var/lib/pacemaker/cib/cib.xml"
        cib.write_text(first_cib())
        cib.chmod(0o600)
        shutil.chown(cib, "hacluster", "haclient")

    def start(self) -> None:
        """Switch it on and start its services. Wait for its membership elsewhere."""
        super().start()
        self.start_services()

    def switch_on(self) -> None:
        """Switch it on, and do not wait until it has booted."""
        self._pacemaker = None
        super().switch_on()

    def start_services(self) -> None:
        """Start Corosync and Pacemaker after a boot."""
        self.may_restart = True
        self._start_services()

    def restart(self) -> None:
        """Start Corosync and Pacemaker again, which is allowed once."""
        self.may_restart = False
        self.run(["/bin/sh", "-c", KILL])
        self._start_services()

    def _start_services(self) -> None:
        (self.disk / STATE).unlink(missing_ok=True)
        self._unread.skip()
        self._pacemaker = self.spawn(["/bin/sh", "-e", "-c", START])

    # --- the end of Pacemaker

    def let_pacemaker_end(self) -> None:
        """Do not watch Pacemaker until the next start, because a test ends it."""
        self._pacemaker = None

    def pacemaker_status(self) -> int | None:
        """Return Pacemaker's exit status since its start; None if it runs or is not watched."""
        if not self.running or self._pacemaker is None or self._pacemaker.alive:
            return None
        return self._pacemaker.wait().returncode

    def new_log(self) -> str:
        """Return Pacemaker's new log lines since the last call, or since its start.

        Returns "" if Pacemaker is not watched.
        """
        if not self.running or self._pacemaker is None:
            return ""
        return self._unread.lines()

    def log(self) -> str:
        """Return all of Pacemaker's log."""
        return LogReader(self.disk / LOG).lines()

    def times_idle(self) -> int:
        """Return how often Pacemaker on this node became idle as the coordinator."""
        self._idle += self._transitions.lines().count(IDLE)
        return self._idle

    # --- the node's view

    def state(self) -> ClusterState:
        """Return the cluster's state as this node sees it. Raise SourceUnavailable if it cannot."""
        return parse_cluster_state(self.run([*MONITOR, "--one-shot"], check=False).stdout.encode())

    def recent_state(self) -> ClusterState:
        """Return the state of the last few seconds. Raise SourceUnavailable if there is none."""
        try:
            return parse_cluster_state((self.disk / STATE).read_bytes())
        except FileNotFoundError as error:
            raise SourceUnavailable(str(error)) from None

    # --- administration

    def pcs(self, *argv: str) -> str:
        """Run pcs and return its output. No pcsd runs, nor is it needed."""
        return self.run(["pcs", *argv]).stdout

    def standby(self) -> None:
        """Put this node on standby."""
        self.pcs("node", "standby", self.name)

    def unstandby(self) -> None:
        """End the standby of this node."""
        self.pcs("node", "unstandby", self.name)
