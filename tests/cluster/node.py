"""A cluster node: a machine on which Corosync and Pacemaker run."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from lvsdr.cluster import ClusterState
from lvsdr.crm_mon import parse
from lvsdr.errors import SourceUnavailable

from tests.cluster.corosync import corosync_conf, first_cib
from tests.cluster.machine import Machine
from tests.cluster.tail import Tail
from tests.lab.host import Host
from tests.lab.namespace import Running
from tests.lab.network import Network

MONITOR = ["crm_mon", "--output-as=xml", "--include=none,nodes,resources,attributes"]
STATE, LOG = "var/log/state.xml", "var/log/pacemaker/pacemaker.log"

# The file of the second is for those who look all the time: no process is cheaper than one.
# Connections that are over hold up a drain for two minutes by default: see docs/decisions/037.
START = f"""
ipvsadm --set 0 1 0 || true
corosync
{" ".join(MONITOR)} --daemonize --output-to=/{STATE}
PCMK_logfile=/{LOG} exec pacemakerd -f
"""

# What is left of a first start: daemons without pacemakerd, or a Corosync that it has not stopped.
KILL = "while pkill -KILL 'corosync|pacemaker|crm_mon'; do sleep 0.1; done"

IDLE = " -> S_IDLE "  # of the lines about transitions, in the log of the node that coordinates


class Node(Machine):
    """A node; `peers` in what follows are the addresses of all nodes, by name.

    `may_restart` says whether Pacemaker may be started again if it ends by itself: once, and only
    while the node comes up.
    """

    def __init__(self, host: Host, network: Network) -> None:
        super().__init__(host, network)
        self.may_restart = False
        self._pacemaker: Running | None = None
        self._unread, self._transitions = Tail(self.disk / LOG), Tail(self.disk / LOG)
        self._idle = 0

    def install(self, peers: Mapping[str, str]) -> None:
        """Make its disk as it is before the cluster's first start."""
        self.format_disk()
        (self.disk / "etc/corosync/corosync.conf").write_text(corosync_conf(peers))
        cib = self.disk / "var/lib/pacemaker/cib/cib.xml"
        cib.write_text(first_cib())
        cib.chmod(0o600)
        shutil.chown(cib, "hacluster", "haclient")

    def start(self) -> None:
        """Switch it on and let it join the cluster; that it has joined is for others to see."""
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
        """Start Corosync and Pacemaker again, for the one time that is allowed."""
        self.may_restart = False
        self.run(["/bin/sh", "-c", KILL])
        self._start_services()

    def _start_services(self) -> None:
        (self.disk / STATE).unlink(missing_ok=True)
        self._unread.skip()
        self._pacemaker = self.spawn(["/bin/sh", "-e", "-c", START])

    # --- whether Pacemaker runs

    def let_pacemaker_end(self) -> None:
        """Have no opinion, until the next start, on whether Pacemaker runs: a test ends it."""
        self._pacemaker = None

    def pacemaker_status(self) -> int | None:
        """Return how Pacemaker has exited since its start; None if it runs or needs not run."""
        if not self.running or self._pacemaker is None or self._pacemaker.alive:
            return None
        return self._pacemaker.wait().returncode

    def new_log(self) -> str:
        """Return the lines that Pacemaker has logged since the last call, or since its start.

        Nothing if it needs not run.
        """
        if not self.running or self._pacemaker is None:
            return ""
        return self._unread.lines()

    def log(self) -> str:
        """Return all that Pacemaker has logged."""
        return Tail(self.disk / LOG).lines()

    def times_idle(self) -> int:
        """Return how often Pacemaker here, as the coordinator, had nothing left to do so far."""
        self._idle += self._transitions.lines().count(IDLE)
        return self._idle

    # --- what it sees

    def state(self) -> ClusterState:
        """Return the cluster's state as this node sees it. SourceUnavailable if it does not."""
        return parse(self.run([*MONITOR, "--one-shot"], check=False).stdout.encode())

    def recent_state(self) -> ClusterState:
        """Return what this node saw within the last few seconds. SourceUnavailable if nothing."""
        try:
            return parse((self.disk / STATE).read_bytes())
        except FileNotFoundError as error:
            raise SourceUnavailable(str(error)) from None

    # --- administration

    def pcs(self, *argv: str) -> str:
        """Run pcs and return what it prints. There is no pcsd, nor need of one."""
        return self.run(["pcs", *argv]).stdout

    def standby(self) -> None:
        """Send everything away from this node."""
        self.pcs("node", "standby", self.name)

    def unstandby(self) -> None:
        """Let it be used again."""
        self.pcs("node", "unstandby", self.name)
