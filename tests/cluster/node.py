"""A cluster node: a machine on which Corosync and Pacemaker run."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from lvsdr.cluster import ClusterState
from lvsdr.crm_mon import parse
from lvsdr.errors import SourceUnavailable

from tests.cluster.corosync import corosync_conf, first_cib
from tests.cluster.machine import Machine

MONITOR = ["crm_mon", "--output-as=xml", "--include=none,nodes,resources,attributes"]
STATE = "var/log/state.xml"

# The file of the second is for those who look all the time: no process is cheaper than one.
# Connections that are over hold up a drain for two minutes by default: see docs/decisions/037.
START = f"""
ipvsadm --set 0 1 0 || true
corosync
{" ".join(MONITOR)} --daemonize --output-to=/{STATE}
PCMK_logfile=/var/log/pacemaker/pacemaker.log exec pacemakerd -f
"""


class Node(Machine):
    """A node; `peers` in what follows are the addresses of all nodes, by name."""

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
        (self.disk / STATE).unlink(missing_ok=True)
        super().start()
        self.spawn(["/bin/sh", "-e", "-c", START])

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
