"""A shell on a node of a running cluster, which ends with the shell.

tests/cluster/shell [CONFIGURATION], one of examples/, without .sh.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence

from tests.cluster.addresses import READ_VIP, WRITE_VIP
from tests.cluster.cluster import Cluster
from tests.cluster.example import WITH_OUTSIDE, Example
from tests.cluster.observed_state import directors, primary, standbys
from tests.cluster.paths import configurations
from tests.cluster.progress import Progress
from tests.cluster.remote_commands import Request, command_line, serve_remote_commands

MACHINES = """
node1, node2 and node3 are a cluster; node4 is outside of it, client is only a client.
"""
SERVING = f"""You are on {{director}}, the director's node; the primary is on {{primary}}.
Reads go to {READ_VIP}, writes to {WRITE_VIP}, port 5432. Try:
"""
IDLE = """You are on node1. Nothing is configured; databases lie ready on all machines. Try:
"""
WAY = """
Read from the client: a real server has the address for reads on its lo, so psql there reaches its
own database. `on MACHINE COMMAND` runs a command elsewhere; MACHINE may also be `director` or
`primary`. `exit` ends the cluster.
"""
SERVER_NAME = "-U postgres -c 'show cluster_name'"
READ = f"on client psql -h {READ_VIP} {SERVER_NAME}"
WRITE = f"on client psql -h {WRITE_VIP} {SERVER_NAME}"
PUSH = "pcs cluster cib-push /mnt/configurations/{}.xml diff-against=/mnt/configurations/before.xml"
DEFAULT = "4-roles"
LONG = 40  # a longer line does not push the remarks of all others to the right

Suggestion = tuple[str, str]
"""A command line, and its effect."""


def suggestions(here: str, spare: str) -> list[Suggestion]:
    """Return suggestions for a cluster that serves; `spare` has neither director nor primary."""
    return [
        ("pcs status", "the state of the cluster"),
        ("crm_mon -1Afr", "with attributes and failures"),
        ("ipvsadm -Ln", f"the pool, in the kernel of {here}"),
        (READ, "a standby answers"),
        (WRITE, "the primary answers"),
        (f"on {spare} ip -brief address", "a command on another machine"),
        (f"on {spare}", "a shell there"),
        (f"pcs node standby {spare}", "the node leaves the pool: see ipvsadm -Ln"),
        (f"pcs node unstandby {spare}", "the node returns"),
    ]


def first_suggestions() -> list[Suggestion]:
    """Return the suggestions for a cluster without a configuration."""
    return [
        ("pcs status", "three nodes, no resource"),
        ("ls /mnt/configurations", "configurations that can be pushed"),
        (PUSH.format(DEFAULT), f"examples/{DEFAULT}.sh"),
        ("crm_resource --wait --timeout=600s", "until it has settled, a minute or more"),
        ("crm_mon -1Afr", "the state, with attributes and failures"),
        ("on director ipvsadm -Ln", "the pool, where the director is"),
        (READ, "a standby answers"),
        (WRITE, "the primary answers"),
        ("on node2", "a shell there"),
    ]


def listed(tried: Sequence[Suggestion]) -> str:
    """Return the lines that show suggestions.

    >>> listed([("ls", "files"), ("ls -l", "more")])
    '  ls      # files\\n  ls -l   # more\\n'
    """
    width = max(len(line) for line, _ in tried if len(line) < LONG)
    return "".join(f"  {line:{width}}   # {effect}\n" for line, effect in tried)


def greeting(cluster: Cluster) -> str:
    """Return the text that the shell begins with."""
    found = directors(cluster)
    if not found:
        return MACHINES + IDLE + "\n" + listed(first_suggestions()) + WAY
    names = {"director": found[0].name, "primary": primary(cluster).name}
    tried = suggestions(names["director"], spare(cluster))
    return MACHINES + SERVING.format_map(names) + "\n" + listed(tried) + WAY


def spare(cluster: Cluster) -> str:
    """Return the name of a standby's node that does not balance."""
    return next(node.name for node in standbys(cluster) if node not in directors(cluster))


def bring_up(cluster: Cluster, configuration: str) -> None:
    """Bring the cluster up, with this configuration if it is not empty; wait until it serves."""
    if not configuration:
        cluster.renew(databases=True)
    elif configuration[0].isdigit():  # an example with databases and a director
        outside = [cluster.outside] if configuration in WITH_OUTSIDE else []
        Example(cluster, configuration, *outside).wait()
    else:
        cluster.replicate(configuration)


def chosen(arguments: Sequence[str]) -> str:
    """Return the requested configuration, or "". Raise SystemExit if it does not exist."""
    legal = configurations()
    if len(arguments) > 1 or not {*arguments} <= {*legal}:
        given = " ".join(arguments)
        raise SystemExit(f"cluster: ARGS={given}: legal is one of {', '.join(legal)}, or nothing")
    return "".join(arguments)


def shell(cluster: Cluster) -> int:
    """Run a shell on the director's node, or on the first; return its exit status."""
    here = next((node.name for node in directors(cluster)), cluster.node1.name)
    request = Request(here, [], terminal=False, kind=os.environ.get("TERM", "dumb"))
    return subprocess.run(command_line(cluster, request), check=False).returncode


def main(arguments: Sequence[str]) -> int:
    configuration = chosen(arguments)
    progress = Progress(began=float(os.environ.get("LAB_BEGAN") or time.time()))
    with Cluster(progress) as cluster:
        bring_up(cluster, configuration)
        with serve_remote_commands(cluster):
            print(greeting(cluster), flush=True)
            return shell(cluster)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
