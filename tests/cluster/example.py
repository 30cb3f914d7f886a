"""An example on the cluster: expected and actual real servers, and Pacemaker's complaints."""

from __future__ import annotations

from lvsdr.pacemaker.cluster import Role
from lxml import etree

from tests.cluster import degradation, postgres
from tests.cluster.addresses import NODES, OUTSIDE, READ_VIP, WRITE_VIP
from tests.cluster.clients import spread
from tests.cluster.cluster import Cluster
from tests.cluster.machine import Machine
from tests.cluster.node import Node
from tests.cluster.observed_state import Weights, in_role, pool, primary, standbys, steady
from tests.cluster.prepare import VARIABLES
from tests.cluster.timeouts import PATIENCE, PAUSE
from tests.support.paths import ROOT
from tests.support.waiting import wait_until

WITH_OUTSIDE = ("2-list-script", "3-check-script")  # examples with a standby outside of the cluster
DRAIN = float(VARIABLES["DRAIN"])

# This follows an administrator on a machine without systemd. It runs the ExecStart of a unit that
# is started at once, as systemd would. The script is passed by stdin, because the machine has its
# own /tmp, and this tree may be below the other one.
MAKE_REAL_SERVER = f"""
mount -t tmpfs tmpfs /etc/sysctl.d
mount -t tmpfs tmpfs /etc/systemd/system
mkdir /run/bin
cat >/run/bin/systemctl <<'END'
#!/bin/sh
case "$*" in
daemon-reload) ;;
"enable --now "*) sed -n 's/^ExecStart=//p' "/etc/systemd/system/$3" | sh -ex ;;
*) exit 1 ;;
esac
END
chmod +x /run/bin/systemctl
export READ_VIP={READ_VIP} WRITE_VIP={WRITE_VIP} ADDRESS={OUTSIDE}
PATH=/run/bin:$PATH exec /bin/sh -eu
"""


class Example:
    """The cluster with an example's configuration and fresh databases, unless it has that already.

    The machines `outside` of the cluster are standbys that belong to it.
    """

    def __init__(self, cluster: Cluster, name: str, *outside: Machine) -> None:
        self.cluster, self.name, self.outside = cluster, name, outside
        if cluster.configuration != name:
            cluster.replicate(name)
        for machine in outside:
            make_real_server(machine)

    def wait(self) -> None:
        """Wait until all parts serve, and the cluster is idle."""
        self.cluster.wait_for(
            lambda state: steady(state, *NODES), f"{self.name} is complete", PATIENCE
        )
        self.wait_for_pool(self.wanted)
        self.cluster.settle()

    def wait_for_pool(self, weights: Weights) -> None:
        """Wait until the pool has these weights. Other real servers may be there with weight 0."""

        def fits(seen: Weights | None) -> bool:
            servers = {**dict.fromkeys(weights, 0), **(seen or {})}
            return servers == {**dict.fromkeys(servers, 0), **weights}

        wait_until(
            lambda: pool(self.cluster), fits, f"the pool becomes {weights}", PATIENCE, pause=PAUSE
        )

    # --- real servers

    @property
    def wanted(self) -> Weights:
        """Return the pool when no machine is missing."""
        machines = (*standbys(self.cluster), *self.outside)
        return {machine.name: 1 for machine in machines}

    def reads(self, each: int = 2) -> Weights:
        """Count `each` reads per expected real server, by the machine that they land on."""
        return dict(spread(self.cluster.client, each * len(self.wanted)))

    def director(self) -> Node:
        """Return the node that balances. Raise ValueError unless there is exactly one."""
        (name,) = in_role(self.cluster.state(), Role.STARTED, "lvsdr")
        return next(node for node in self.cluster.nodes if node.name == name)

    def bystander(self) -> Node:
        """Return a standby's node that does not balance."""
        busy = (primary(self.cluster), self.director())
        return next(node for node in self.cluster.nodes if node not in busy)

    # --- Pacemaker's results

    def complaints(self) -> list[str]:
        """Return the findings of crm_verify, and every failed action that is recorded.

        A past degradation is recorded, too, but left out: see `degraded`.
        """
        node = self.cluster.node1
        verified = node.run(["crm_verify", "--live-check", "-V"], check=False)
        seen = node.run(["crm_mon", "--output-as=xml", "--include=none,failures"]).stdout
        failures = etree.fromstring(seen.encode()).iterfind("failures/failure")
        found = [
            dict(each.attrib) for each in failures if each.get("exitcode") != degradation.DEGRADED
        ]
        said = [verified.stdout, verified.stderr, *(f"{each}" for each in found)]
        return [text.strip() for text in said if text.strip()]

    def degraded(self) -> bool:
        """Return whether the director's last monitor was degraded."""
        node = self.director()
        return degradation.degraded(node, node)

    def forget(self) -> None:
        """Clean up recorded failures."""
        degradation.forget(self.cluster.node1)
        self.cluster.settle()


def make_real_server(machine: Machine) -> None:
    """Make a machine outside of the cluster a standby that serves reads, by the example's script.

    Its database does not yet know by which name the primary must know it.
    """
    postgres.install(machine, WRITE_VIP)
    postgres.start(machine)
    script = (ROOT / "examples/outside-standby.sh").read_text()
    said = machine.run(["/bin/sh", "-euc", MAKE_REAL_SERVER], stdin=script).stdout
    _, found, rest = said.partition("ALTER SYSTEM")
    psql = ["psql", "-X", "-v", "ON_ERROR_STOP=1", "-h", postgres.SOCKETS, "-U", postgres.USER]
    machine.run([*psql, "postgres"], stdin=found + rest)


# --- common to all examples


def assert_example_serves(example: Example) -> None:
    """Assert that it settles without failures, and that reads and writes land where they should.

    Reads land on all standbys, writes on the primary.
    """
    example.wait()
    assert example.complaints() == []
    assert not example.degraded()
    assert example.reads() == dict.fromkeys(example.wanted, 2)
    writers = spread(example.cluster.client, 2, WRITE_VIP)
    assert writers == {primary(example.cluster).name: 2}
