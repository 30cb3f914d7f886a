"""The findings of one cycle on every real server: its verdict, its address, its weight.

The cluster, the sources, the checks and the resolver are queried.  Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from ...errors import LvsdrError, SourceUnavailable
from ...pacemaker.cluster import ClusterState
from ...pool.checks import check_all
from ...pool.director import Findings
from ...pool.host_addresses import answered, fit, located, questions
from ...pool.model import Candidate, CheckLimits, Located, Outcome, PoolSpec, Resolved, Verdict
from ...pool.sources import chosen, followed, survey, untouched
from ...pool.sources.nodes import node_verdict, with_node_state
from ...system import crm
from ...system.net.resolver import Lookups
from ...system.process.run import PATIENCE
from ...values.deadline import Deadline
from ...values.light_typing import NamedTuple
from .pool_plan import OwnInstance, find_hands_off
from .saved_pool import SavedPool
from .settings import DirectorSettings
from .unused import find_unmatched_hosts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional

    InterimReceiver = Optional[Callable[[Findings], None]]

_GATHERING = 0.8  # share of the time for findings; the rest is for changing the table
_CIB_TIMEOUT = 3.0  # seconds for reading the CIB
_LISTING = 0.75  # share of that for a list script; checks and look-ups get the rest
_ENOUGH = 0.5  # share of the time after which a check without an answer has failed


class _Basis(NamedTuple):
    """The part of the findings that does not depend on checks and look-ups."""

    settings: DirectorSettings
    cluster: ClusterState
    saved: SavedPool
    addresses: Mapping[str, str]
    """The last address of each host."""
    questions: Mapping[str, str]
    """The name to look up for each host."""
    candidates: Sequence[Candidate]
    fallbacks: Sequence[Candidate]
    nodes: Mapping[str, Verdict]
    unavailable: str | None
    hands_off: str | None


def gather_findings(
    settings: DirectorSettings,
    saved: SavedPool,
    deadline: Deadline,
    own: OwnInstance | None = None,
    receive_interim: InterimReceiver = None,
) -> Findings:
    """Return the findings on every real server.

    Ignorance is UNKNOWN and never raises an exception.  If some hosts have not answered after a
    second, ``receive_interim`` gets the findings so far.  So a check or a resolver that hangs
    delays its own host only.
    """
    deadline = deadline.limit_to(deadline.remaining() * _GATHERING)
    enough = _ENOUGH * deadline.remaining()
    try:
        cluster = crm.read_cluster_state(deadline)
    except SourceUnavailable as error:
        complaints = settings.complaints
        return Findings((), (), saved.names, unavailable=str(error), complaints=complaints)
    basis = _lay_basis(settings, saved, cluster, own, deadline)
    lookups = Lookups(basis.questions.values(), ipv6=":" in settings.key.address)

    def pass_interim(candidates: list[Candidate]) -> None:
        if receive_interim is not None:
            certain = [_doubt_uncertain_failure(candidate) for candidate in candidates]
            receive_interim(_combine(basis, certain, lookups.list_results()))

    limits = CheckLimits(deadline, enough, pass_interim)
    candidates = check_all(list(basis.candidates), settings.spec, limits)
    if not lookups.wait(deadline.limit_to(PATIENCE)):
        pass_interim(candidates)
        lookups.wait(deadline)
    return _combine(basis, candidates, lookups.list_results())


def _lay_basis(
    settings: DirectorSettings,
    saved: SavedPool,
    cluster: ClusterState,
    own: OwnInstance | None,
    deadline: Deadline,
) -> _Basis:
    spec = settings.spec
    surveyed = survey(cluster, spec, deadline.limit_to(deadline.remaining() * _LISTING))
    count = len(surveyed.candidates)
    hosts = [*surveyed.candidates, *_list_fallbacks(spec, cluster)]
    nodes = _judge_nodes(spec, cluster, {*saved.names.values(), *(it.host for it in hosts)})
    verdicts = {it.host: it.verdict for it in hosts} | nodes
    grace = _find_grace(verdicts, spec, cluster, saved, deadline)
    hosts = [it._replace(verdict=it.verdict.patient(grace)) for it in hosts]
    last = {h: a for h, a in saved.addresses.items() if a != settings.key.address}
    return _Basis(
        settings=settings,
        cluster=cluster,
        saved=saved,
        addresses=last,
        questions=questions(hosts, cluster, spec.address_attribute, last),
        candidates=hosts[:count],
        fallbacks=hosts[count:],
        nodes={host: verdict.patient(grace) for host, verdict in nodes.items()},
        unavailable=surveyed.unavailable,
        hands_off=None if own is None else find_hands_off(cluster, own),
    )


def _combine(
    basis: _Basis, candidates: Sequence[Candidate], answers: Mapping[str, Resolved]
) -> Findings:
    """Return the findings that follow from the answers that are there."""
    settings, spec, last = basis.settings, basis.settings.spec, basis.addresses
    count = len(basis.candidates)
    usable = _refuse_unusable(answers, settings.key.address, last.values())
    resolved = answered(basis.questions, usable, spec.address_attribute)
    servers = located([*candidates, *basis.fallbacks], resolved, last, spec)
    known = {server.address: server.host for server in servers if server.address is not None}
    names = {**basis.saved.names, **known}
    unmatched = find_unmatched_hosts(spec, basis.cluster, servers, names)
    return Findings(
        located=servers[:count],
        fallback=[_weigh_fallback(server, spec) for server in servers[count:]],
        hosts=names,
        listed=frozenset(spec.weights) if chosen(spec) == "static" else frozenset(),
        unavailable=basis.unavailable,
        complaints=(*settings.complaints, *unmatched),
        nodes=basis.nodes,
        hands_off=basis.hands_off,
    )


def _doubt_uncertain_failure(candidate: Candidate) -> Candidate:
    """Return the candidate, as UNKNOWN if its failure is not certain.

    A failure that may be the checker's own is judged after all answers are there.
    """
    if candidate.verdict.certain:
        return candidate
    return candidate._replace(verdict=Verdict(Outcome.UNKNOWN, candidate.verdict.reason))


def compute_script_time(budget: float) -> float:
    """Return the seconds that an action of ``budget`` seconds has for one script."""
    return budget * _GATHERING


def _find_grace(
    verdicts: Mapping[str, Verdict],
    spec: PoolSpec,
    cluster: ClusterState,
    saved: SavedPool,
    deadline: Deadline,
) -> float:
    """Return the seconds that probes of resources out of sight may take; 0 if the table has none.

    Only then the CIB is read: an ordinary cycle does without it.
    """
    hosts = set(saved.names.values())
    away = [host for host in hosts if host in verdicts and verdicts[host].grace]
    if not away:
        return 0.0
    from ...pacemaker.cib import probe_time

    nodes = [node for node in map(cluster.node, away) if node is not None]
    parts = {followed(spec) or "", *(node.name for node in nodes)}
    parts.update(node.container for node in nodes)
    try:
        return probe_time(crm.read_configuration(deadline.limit_to(_CIB_TIMEOUT)), parts - {""})
    except SourceUnavailable:
        return 0.0


def _judge_nodes(spec: PoolSpec, cluster: ClusterState, hosts: Iterable[str]) -> dict[str, Verdict]:
    """Return the verdicts on hosts from their node states: dead nodes cannot serve."""
    reason = untouched(cluster, spec)
    nodes = {host: cluster.node(host) for host in hosts}
    verdicts = {
        host: node_verdict(node, reason) for host, node in nodes.items() if node is not None
    }
    return {host: verdict for host, verdict in verdicts.items() if verdict is not None}


def _list_fallbacks(spec: PoolSpec, cluster: ClusterState) -> list[Candidate]:
    """Return the fallbacks, judged by the state of their nodes alone."""
    listed = Verdict(Outcome.IN, "fallback")
    reason = untouched(cluster, spec)
    return [with_node_state(Candidate(host, listed), cluster, reason) for host in spec.fallback]


def _weigh_fallback(server: Located, spec: PoolSpec) -> Located:
    weight = spec.fallback[server.host]
    if weight is None:
        return server
    return server._replace(weight=weight, weight_from="fallback_realservers")


def _refuse_unusable(
    answers: Mapping[str, Resolved], vip: str, last: Iterable[str]
) -> dict[str, Resolved]:
    """Return the answers without the addresses that no real server can have.

    This host's networks are read only if an answer has a new address.
    """
    unusable = {vip: "is the virtual IP itself"}
    addresses = {address for answer in answers.values() for address in answer.addresses}
    if not addresses <= {*last, *unusable}:
        from ...system.net import netlink

        with suppress(LvsdrError):  # the kernel refuses such an address by itself
            unusable.update(netlink.of_networks())
    return {question: fit(answer, unusable) for question, answer in answers.items()}
