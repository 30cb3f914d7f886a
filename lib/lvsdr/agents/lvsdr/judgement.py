"""One cycle of the director: from the cluster's state to the wanted table.

The same path serves start, monitor and reload-agent.  ``judge`` and ``plan`` change nothing.
"""

from __future__ import annotations

import time
from collections.abc import Set as AbstractSet

from ...errors import NotInstalled, SourceUnavailable
from ...ipvs.table import RealServerKey, Service, WantedService
from ...pacemaker.cluster import ClusterState
from ...pool.checks import check_all
from ...pool.checks.limits import Limits
from ...pool.director import Decision, Judged, decide
from ...pool.host_addresses import answered, located, questions
from ...pool.model import Candidate, Located, Outcome, PoolSpec, Verdict
from ...pool.sources import chosen, followed, survey, untouched
from ...pool.sources.nodes import node_verdict, with_node_state
from ...system import crm
from ...system.net.resolver import Lookups
from ...system.process.run import PATIENCE
from ...values.deadline import Deadline
from ...values.light_typing import NamedTuple
from .saved_pool import Memory
from .settings import Settings
from .unused import unmatched
from .usable import usable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Callable, Optional

    Meanwhile = Optional[Callable[[Judged], None]]

_GATHERING = 0.8  # share of the time for findings; the rest is for changing the table
_ASKING = 3.0  # seconds for reading the CIB
_NAMING = 0.75  # share of that for a list script; checks and look-ups get the rest
_ENOUGH = 0.5  # share of the time after which a check without an answer has failed


class Own(NamedTuple):
    """The resource that runs this cycle, and its node; None if the agent is run by hand."""

    resource: str
    node: str | None


class Plan(NamedTuple):
    """The wanted service, and the decision behind it."""

    wanted: WantedService
    decision: Decision


def judge(
    settings: Settings,
    memory: Memory,
    deadline: Deadline,
    own: Own | None = None,
    meanwhile: Meanwhile = None,
) -> Judged:
    """Return the findings on every real server.

    Ignorance is UNKNOWN and never raises an exception.  If some hosts have not answered after a
    second, ``meanwhile`` is called with the findings so far.  So a check or a resolver that hangs
    delays its own host only.
    """
    spec = settings.spec
    deadline = deadline.sooner(deadline.remaining() * _GATHERING)
    enough = _ENOUGH * deadline.remaining()
    try:
        state = crm.read_cluster_state(deadline)
    except (NotInstalled, SourceUnavailable) as error:
        return Judged((), (), memory.names, unavailable=str(error), complaints=settings.missed)
    found = survey(state, spec, deadline.sooner(deadline.remaining() * _NAMING))
    everyone = [*found.candidates, *_fallback(spec, state)]
    grace = _grace(everyone, spec, state, memory, deadline)
    everyone = [it._replace(verdict=it.verdict.patient(grace)) for it in everyone]
    named = len(found.candidates)
    last = {h: a for h, a in memory.addresses.items() if a != settings.key.address}
    asked = questions(everyone, state, spec.address_attribute, last)
    lookups = Lookups(asked.values(), ipv6=":" in settings.key.address)

    def known(candidates: list[Candidate]) -> Judged:
        answers = usable(lookups.answers(), settings, last)
        answers = answered(asked, answers, spec.address_attribute)
        servers = located([*candidates, *everyone[named:]], answers, last, spec)
        names = {**memory.names, **{s.address: s.host for s in servers if s.address is not None}}
        return Judged(
            located=servers[:named],
            fallback=[_weighed(server, spec) for server in servers[named:]],
            hosts=names,
            asked=frozenset(spec.weights) if chosen(spec) == "static" else frozenset(),
            unavailable=found.unavailable,
            complaints=(*settings.missed, *unmatched(spec, state, servers, names)),
            nodes={
                host: verdict.patient(grace)
                for host, verdict in _node_verdicts(spec, state, names.values()).items()
            },
            hands_off=None if own is None else hands_off(state, own),
        )

    def interim(candidates: list[Candidate]) -> None:
        if meanwhile is not None:
            meanwhile(known([_only_if_certain(candidate) for candidate in candidates]))

    candidates = check_all(everyone[:named], spec, Limits(deadline, enough, interim))
    if not lookups.wait(deadline.sooner(PATIENCE)):
        interim(candidates)
        lookups.wait(deadline)
    return known(candidates)


def hands_off(state: ClusterState, own: Own) -> str | None:
    """Return the reason why only an administrator may change the table; None if the agent may.

    Recurring monitors go on while a resource, its node or the whole cluster is unmanaged.
    """
    here = state.node(own.node or "")
    if here is not None and here.maintenance:
        return f"node {here.name} is in maintenance"
    instances = state.resources.get(own.resource, ())
    mine = [one for one in instances if own.node is None or one.node == own.node]
    if any(not one.managed for one in mine):
        return f"{own.resource} is unmanaged"
    return None


def _only_if_certain(candidate: Candidate) -> Candidate:
    """Return the candidate, as UNKNOWN if its failure is not certain.

    A failure that may be the checker's own is judged after all answers are there.
    """
    if candidate.verdict.certain:
        return candidate
    return candidate._replace(verdict=Verdict(Outcome.UNKNOWN, candidate.verdict.reason))


def time_for_scripts(budget: float) -> float:
    """Return the seconds that an action of ``budget`` seconds has for one script."""
    return budget * _GATHERING


def _grace(
    everyone: Iterable[Candidate],
    spec: PoolSpec,
    state: ClusterState,
    memory: Memory,
    deadline: Deadline,
) -> float:
    """Return the seconds that probes of resources out of sight may take; 0 if the table has none.

    Only then the CIB is read: an ordinary cycle does without it.
    """
    hosts = set(memory.names.values())
    verdicts = {it.host: it.verdict for it in everyone} | _node_verdicts(spec, state, hosts)
    away = [host for host in hosts if host in verdicts and verdicts[host].grace]
    if not away:
        return 0.0
    from ...pacemaker.cib import probe_time

    nodes = [node for node in map(state.node, away) if node is not None]
    parts = {followed(spec) or "", *(node.name for node in nodes)}
    parts.update(node.container for node in nodes)
    try:
        return probe_time(crm.read_configuration(deadline.sooner(_ASKING)), parts - {""})
    except SourceUnavailable:
        return 0.0


def _node_verdicts(spec: PoolSpec, state: ClusterState, hosts: Iterable[str]) -> dict[str, Verdict]:
    """Return the verdicts on real servers without a source: dead nodes cannot serve."""
    reason = untouched(state, spec)
    nodes = {host: state.node(host) for host in hosts}
    verdicts = {
        host: node_verdict(node, reason) for host, node in nodes.items() if node is not None
    }
    return {host: verdict for host, verdict in verdicts.items() if verdict is not None}


def _fallback(spec: PoolSpec, state: ClusterState) -> list[Candidate]:
    """Return the fallbacks, judged by the state of their nodes alone."""
    listed = Verdict(Outcome.IN, "fallback")
    reason = untouched(state, spec)
    return [with_node_state(Candidate(host, listed), state, reason) for host in spec.fallback]


def _weighed(server: Located, spec: PoolSpec) -> Located:
    weight = spec.fallback[server.host]
    if weight is None:
        return server
    return server._replace(weight=weight, weight_from="fallback_realservers")


def plan(
    settings: Settings,
    judged: Judged,
    service: Service | None,
    memory: Memory,
    settling: AbstractSet[RealServerKey] = frozenset(),
) -> Plan:
    """Return the wanted service; this cycle has already withdrawn the servers in ``settling``."""
    pool = {} if service is None else service.real_servers
    now = time.monotonic()
    decision = decide(pool, judged, settings.goal, memory.drains, now, settling)
    return Plan(WantedService(settings.config, decision.real_servers), decision)


def is_certain(decision: Decision) -> bool:
    """Test whether a decision can be carried out before all hosts have answered.

    Hosts without an answer are UNKNOWN.  The decision must leave a real server that serves.  So a
    late answer neither leads to a decision about an empty pool nor brings in a fallback.
    """
    present = (Outcome.IN, Outcome.UNKNOWN)
    return any(row.before and row.after and row.verdict.outcome in present for row in decision.rows)


def nothing_known(judged: Judged) -> str | None:
    """Return the reason why no fit real server can be determined; None if the result is known.

    An empty result is known, too.  If no candidate is IN, a candidate that only lacks an address
    may be the fit one.
    """
    if judged.unavailable is not None:
        return judged.unavailable
    unknown = [s for s in judged.located if s.verdict.outcome is Outcome.UNKNOWN]
    known = len(judged.located) > len(unknown)
    if any(s.verdict.outcome is Outcome.IN for s in judged.located):
        return None
    if known and all(server.address is not None for server in unknown):
        return None
    return "; ".join(f"{server.host}: {server.verdict.reason}" for server in unknown) or None
