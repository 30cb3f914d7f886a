"""Candidates from a user's program: ``realserver_get_real_servers_script``.

The program alone decides which hosts are in, so its output is checked strictly.  Any output but a
plain list of hosts, and any exit status but 0, counts as no answer.
"""

from __future__ import annotations

from ...errors import SourceUnavailable
from ...pacemaker.cluster import ClusterState
from ...system.process.run import Terms, run_all
from ...values.deadline import Deadline
from ...values.parsing import canonical_address, is_host
from ..model import Candidate, Outcome, PoolSpec, Script, Verdict

MOST_HOSTS = 10_000
_OUTPUT_LIMIT = 1024 * 1024


def candidates(_state: ClusterState, spec: PoolSpec, deadline: Deadline) -> list[Candidate]:
    """Return every host that the script names; raise SourceUnavailable without an answer."""
    script = spec.list_script
    if script is None:
        return []
    from ...system.process.fork import spawn_tied  # its imports are too costly without a script

    (result,) = run_all(
        [script.argv],
        deadline,
        timeout=script.timeout,
        limit=_OUTPUT_LIMIT,
        terms=Terms(starter=spawn_tied),
    )
    if result.problem or result.status != 0:
        raise SourceUnavailable(f"{script.label}: {result.describe_failure()}")
    named = Verdict(Outcome.IN, f"named by {script.label}")
    return [Candidate(host, named) for host in hosts(script, result.stdout)]


def hosts(script: Script, output: bytes) -> list[str]:
    """Return the names in the output, separated by any white space, each once and in order.

    Addresses are in canonical form, as in the weights.

    Raises SourceUnavailable, which names the first word that cannot be a host.
    """
    words = output.decode("utf-8", "replace").split()
    for word in words:
        if not is_host(word):
            raise SourceUnavailable(f"{script.label} printed {word[:60]!a}, which is not a host")
    found = list(dict.fromkeys(canonical_address(word) or word for word in words))
    if len(found) > MOST_HOSTS:
        raise SourceUnavailable(
            f"{script.label} printed {len(found)} names, more than {MOST_HOSTS}"
        )
    return found
