"""A remote node beside the three members: pacemaker-remoted on the machine outside of them."""

from __future__ import annotations

import secrets
import shutil

from lvsdr.pacemaker.cluster import ClusterState, Role

from tests.cluster import foreign_service, postgres
from tests.cluster.addresses import NODES, REMOTE, WRITE_VIP
from tests.cluster.cluster import Cluster
from tests.cluster.machine import Machine
from tests.cluster.node import Node
from tests.cluster.observed_state import DATABASE, Weights, in_role, pool

CONFIGURATION = "remote"
REAL_SERVERS = "lvsdr-realsvr-clone"
KEY = "etc/pacemaker/authkey"
WHOLE: Weights = dict.fromkeys((*NODES, REMOTE), 1)
PATIENCE = 300.0  # seconds

START = "PCMK_logfile=/var/log/pacemaker/pacemaker.log exec pacemaker-remoted"


def configure(cluster: Cluster) -> None:
    """Make a cluster of three members and a remote node, each with an independent database."""
    cluster.renew()
    share_key(cluster)
    for machine in cluster.machines:
        install_database(machine)
    start_executor(cluster.outside)
    cluster.configure(CONFIGURATION)
    for node in cluster.nodes:
        foreign_service.add(node)


def share_key(cluster: Cluster) -> None:
    """Give all machines the key that authenticates members and remote nodes."""
    key = secrets.token_bytes(1024)
    for machine in cluster.machines:
        path = machine.disk / KEY
        path.write_bytes(key)
        path.chmod(0o640)
        shutil.chown(path, "root", "haclient")


def install_database(machine: Machine) -> None:
    """Put a fresh, independent primary on a machine."""
    postgres.install(machine, WRITE_VIP)
    postgres.lead(machine)


def start_executor(machine: Machine) -> None:
    """Start pacemaker-remoted, to which a member will connect."""
    machine.spawn(["/bin/sh", "-e", "-c", START])


def recover(cluster: Cluster) -> None:
    """Undo the effects of a drill, and wait until the cluster is whole."""
    for node in cluster.nodes:
        if node.running:
            node.plug_in()
        else:
            install_database(node)  # a lock file of the old boot would prevent its start
            node.start()
            foreign_service.add(node)
    if not cluster.outside.running:
        install_database(cluster.outside)
        cluster.outside.start()
        start_executor(cluster.outside)
    wait_until_whole(cluster)


def wait_until_whole(cluster: Cluster) -> None:
    """Wait until all four serve, and the connection is on another member than the director."""

    def whole(state: ClusterState) -> bool:
        names = sorted(WHOLE)
        director, connection = (in_role(state, Role.STARTED, it) for it in ("director", REMOTE))
        return (
            sorted(node.name for node in state.nodes.values() if node.online) == names
            and in_role(state, Role.STARTED) == in_role(state, Role.STARTED, REAL_SERVERS) == names
            and len(director) == len(connection) == 1
            and director != connection
            and pool(cluster) == WHOLE
        )

    cluster.wait_for(whole, f"{DATABASE} serves on {', '.join(WHOLE)}", PATIENCE)


def connected(state: ClusterState) -> list[str]:
    """Return the members that hold the connection to the remote node, if that is online."""
    node = state.find_node(REMOTE)
    return in_role(state, Role.STARTED, REMOTE) if node is not None and node.online else []


def holder(cluster: Cluster) -> Node:
    """Return the member that holds the connection. Raise ValueError unless there is exactly one."""
    (name,) = connected(cluster.state())
    return next(node for node in cluster.nodes if node.name == name)
