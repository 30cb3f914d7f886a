"""An example on the cluster: who should serve, who does, and what Pacemaker has to say of it."""

from __future__ import annotations

from lvsdr.cluster import Role
from lxml import etree

from tests.cluster import degraded, postgres
from tests.cluster.clients import spread
from tests.cluster.cluster import Cluster
from tests.cluster.machine import Machine
from tests.cluster.node import Node
from tests.cluster.places import NODES, OUTSIDE, READ_VIP, WRITE_VIP
from tests.cluster.prepare import VARIABLES
from tests.cluster.views import Weights, in_role, pool, primary, standbys, steady
from tests.cluster.waiting import wait_until
from tests.lab.job import ROOT

PATIENCE = 600.0  # seconds; a busy machine takes minutes for a failover
WITH_OUTSIDE = ("2-list-script", "3-check-script")  # which count on a standby outside the cluster
DRAIN = float(VARIABLES["DRAIN"])

# As an administrator does it, on a machine that has no systemd running: what it would do, for a
# unit that is started at once, is to run what that has for ExecStart. The script comes from outside
# of the machine: that has a /tmp of its own, and this tree may be in the other.
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
        """Wait until all of it serves, and nothing is left to do."""
        self.cluster.wait_for(
            lambda state: steady(state, *NODES), f"{self.name} is complete", PATIENCE
        )
        self.wait_for_pool(self.wanted)
        self.cluster.settle()

    def wait_for_pool(self, weights: Weights) -> None:
        """Wait until these are the weights of all who should serve; others may be there with 0."""

        def fits(seen: Weights | None) -> bool:
            servers = {**dict.fromkeys(weights, 0), **(seen or {})}
            return servers == {**dict.fromkeys(servers, 0), **weights}

        wait_until(lambda: pool(self.cluster), fits, f"the pool becomes {weights}", PATIENCE)

    # --- who serves

    @property
    def wanted(self) -> Weights:
        """The pool as it should be when nobody is missing."""
        machines = (*standbys(self.cluster), *self.outside)
        return {machine.name: 1 for machine in machines}

    def reads(self, each: int = 2) -> Weights:
        """Count where reads land, of so many for each who should serve."""
        return dict(spread(self.cluster.client, each * len(self.wanted)))

    def director(self) -> Node:
        """Return the node that balances. ValueError unless it is one."""
        (name,) = in_role(self.cluster.state(), Role.STARTED, "lvsdr")
        return next(node for node in self.cluster.nodes if node.name == name)

    def bystander(self) -> Node:
        """Return a node that is nothing but a standby: neither the primary's nor the director's."""
        busy = (primary(self.cluster), self.director())
        return next(node for node in self.cluster.nodes if node not in busy)

    # --- what Pacemaker says

    def complaints(self) -> list[str]:
        """Return what crm_verify finds, and every failed action that is remembered.

        That the director was degraded once is remembered, too; whether it still is says `degraded`.
        """
        node = self.cluster.node1
        verified = node.run(["crm_verify", "--live-check", "-V"], check=False)
        seen = node.run(["crm_mon", "--output-as=xml", "--include=none,failures"]).stdout
        failures = etree.fromstring(seen.encode()).iterfind("failures/failure")
        found = [
            dict(each.attrib) for each in failures if each.get("exitcode") != degraded.DEGRADED
        ]
        said = [verified.stdout, verified.stderr, *(f"{each}" for each in found)]
        return [text.strip() for text in said if text.strip()]

    def degraded(self) -> bool:
        """Say whether the director's last monitor found that not all is as it should be."""
        node = self.director()
        return degraded.degraded(node, node)

    def forget(self) -> None:
        """Forget what has failed."""
        degraded.forget(self.cluster.node1)
        self.cluster.settle()


def make_real_server(machine: Machine) -> None:
    """Make a machine outside of the cluster a standby that serves reads, as its script says.

    Nobody has told its database so far by which name the primary has to know it.
    """
    postgres.install(machine, WRITE_VIP)
    postgres.start(machine)
    script = (ROOT / "examples/outside-standby.sh").read_text()
    said = machine.run(["/bin/sh", "-euc", MAKE_REAL_SERVER], stdin=script).stdout
    _, found, rest = said.partition("ALTER SYSTEM")
    psql = ["psql", "-X", "-v", "ON_ERROR_STOP=1", "-h", postgres.SOCKETS, "-U", postgres.USER]
    machine.run([*psql, "postgres"], stdin=found + rest)


# --- what is true of every example


def serves_as_it_should(example: Example) -> None:
    """It settles without a failed action; reads land on all standbys, writes on the primary."""
    example.wait()
    assert example.complaints() == []
    assert not example.degraded()
    assert example.reads() == dict.fromkeys(example.wanted, 2)
    writers = spread(example.cluster.client, 2, WRITE_VIP)
    assert writers == {primary(example.cluster).name: 2}
