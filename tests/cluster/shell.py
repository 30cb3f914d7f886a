"""A shell on a node of a running cluster: brings it up, says what to try, takes it down at the end.

tests/cluster/shell [CONFIGURATION], one of examples/, without .sh.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from tests.cluster.cluster import Cluster
from tests.cluster.places import READ_VIP, WRITE_VIP

GREETING = f"""
Three nodes, node1 (here) to node3; node4 is outside of the cluster, client just a client.
Reads go to {READ_VIP}, writes to {WRITE_VIP}, port 5432, once a configuration is pushed. Try:

  pcs status --full
  crm_mon -1Afr
  ipvsadm -Ln
  psql -h {READ_VIP} -U postgres -c 'show cluster_name'
  pcs node standby node2

`exit` ends the cluster.
"""


def main(arguments: Sequence[str]) -> int:
    with Cluster() as cluster:
        cluster.renew()
        for name in arguments:
            cluster.replicate(name)
        print(GREETING, flush=True)
        shell = cluster.node1.inside(["env", r"PS1=\h:\w\$ ", "bash", "--norc", "--noprofile"])
        return subprocess.run(shell, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
