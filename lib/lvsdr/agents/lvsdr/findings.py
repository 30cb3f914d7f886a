"""The findings of one cycle on every real server: its verdict, its address, its weight.

The cluster, the sources, the checks and the resolver are queried.  Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from ...errors import LvsdrError, NotInstalled, SourceUnavailable
from ...pacemaker.cluster import ClusterState
from ...pool.checks import run_checks
from ...pool.director import Findings
from ...pool.host_addresses import (
    assign_answers,
    choose_lookup_names,
    locate_candidates,
    remove_unusable_addresses,
)
from ...pool.model import Candidate, CheckLimits, Resolved, Verdict
from ...pool.sources import choose_source, query_sources
from ...system import crm
from ...system.net.resolver import Lookups
from ...system.process.run import PATIENCE
from ...values.deadline import Deadline
from ...values.light_typing import NamedTuple
from .cycle_checks import CycleChecks
from .node_states import find_grace, judge_nodes, list_fallbacks
from .pool_plan import OwnInstance, find_hands_off_reason
from .saved_pool import SavedPool
from .server_weights import show_hidden_attributes, weigh_servers
from .settings import DirectorSettings
from .unused import find_unmatched_hosts, find_unreachable_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional

    InterimReceiver = Optional[Callable[[Findings], None]]

_GATHERING_SHARE = 0.8  # share of the time for findings; the rest is for changing the table
_LISTING_SHARE = 0.75  # share of that for a list script; checks and look-ups get the rest
_ANSWER_SHARE = 0.5  # share of the time after which a check without an answer has failed


class _Basis(NamedTuple):
    """The part of the findings that does not depend on checks and look-ups."""

    settings: DirectorSettings
    cluster: ClusterState
    saved: SavedPool
    last_addresses: Mapping[str, str]
    """The last address of each host."""
    lookup_names: Mapping[str, str]
    """The name to look up for each host."""
    candidates: Sequence[Candidate]
    fallbacks: Sequence[Candidate]
    nodes: Mapping[str, Verdict]
    unavailable_reason: str | None
    hands_off_reason: str | None
    deadline: Deadline
    """The deadline of the action."""
    hidden_problem: str


def gather_findings(
    settings: DirectorSettings,
    saved: SavedPool,
    deadline: Deadline,
    own_instance: OwnInstance | None = None,
    receive_interim: InterimReceiver = None,
    checks: CycleChecks | None = None,
) -> Findings:
    """Return the findings on every real server.

    Ignorance is UNKNOWN and never raises an exception.  If some hosts have not answered after a
    second, ``receive_interim`` gets the findings so far.  So a check or a resolver that hangs
    delays its own host only.  ``checks`` has the counts of the health checks.
    """
    checks = checks or CycleChecks(settings)
    action, deadline = deadline, deadline.limit_to(deadline.remaining() * _GATHERING_SHARE)
    answer_timeout = _ANSWER_SHARE * deadline.remaining()
    try:
        cluster = crm.read_cluster_state(deadline)
    except (NotInstalled, SourceUnavailable) as error:
        reason, notes = str(error), saved.notes
        return Findings((), (), saved.names, frozenset(), reason, {}, settings.complaints, notes)
    basis = _lay_basis(settings, saved, cluster, own_instance, deadline)._replace(deadline=action)
    lookups = Lookups(basis.lookup_names.values(), ipv6=":" in settings.key.address)

    def pass_interim(candidates: list[Candidate]) -> None:
        if receive_interim is not None:
            counted = checks.count_answers(basis.candidates, candidates, interim=True)
            receive_interim(_combine_findings(basis, counted, lookups.list_results(), checks))

    limits = CheckLimits(deadline, answer_timeout, pass_interim)
    candidates = run_checks(list(basis.candidates), settings.spec, limits)
    if not lookups.wait(deadline.limit_to(PATIENCE)):
        pass_interim(candidates)
        lookups.wait(deadline)
    candidates = checks.count_answers(basis.candidates, candidates)
    findings = _combine_findings(basis, candidates, lookups.list_results(), checks)
    if basis.unavailable_reason is None:
        checks.conclude(basis.candidates, findings.located, findings.fallback)
    return findings


def _lay_basis(
    settings: DirectorSettings,
    saved: SavedPool,
    cluster: ClusterState,
    own_instance: OwnInstance | None,
    deadline: Deadline,
) -> _Basis:
    spec = settings.spec
    survey = query_sources(cluster, spec, deadline.limit_to(deadline.remaining() * _LISTING_SHARE))
    count = len(survey.candidates)
    candidates = [*survey.candidates, *list_fallbacks(spec, cluster)]
    hosts = [candidate.host for candidate in candidates]
    cluster, hidden_problem = show_hidden_attributes(spec, cluster, hosts, deadline)
    nodes = judge_nodes(spec, cluster, {*saved.names.values(), *hosts})
    verdicts = {candidate.host: candidate.verdict for candidate in candidates} | nodes
    grace = find_grace(verdicts, spec, cluster, saved, deadline)
    candidates = [
        candidate._replace(verdict=candidate.verdict.extend_grace(grace))
        for candidate in candidates
    ]
    last_addresses = {h: a for h, a in saved.addresses.items() if a != settings.key.address}
    return _Basis(
        settings=settings,
        cluster=cluster,
        saved=saved,
        last_addresses=last_addresses,
        lookup_names=choose_lookup_names(
            candidates, cluster, spec.address_attribute, last_addresses
        ),
        candidates=candidates[:count],
        fallbacks=candidates[count:],
        nodes={host: verdict.extend_grace(grace) for host, verdict in nodes.items()},
        unavailable_reason=survey.unavailable_reason,
        hands_off_reason=None
        if own_instance is None
        else find_hands_off_reason(cluster, own_instance),
        deadline=deadline,
        hidden_problem=hidden_problem,
    )


def _combine_findings(
    basis: _Basis,
    candidates: Sequence[Candidate],
    answers: Mapping[str, Resolved],
    checks: CycleChecks,
) -> Findings:
    """Return the findings that follow from the answers that are there."""
    settings, spec, last_addresses = basis.settings, basis.settings.spec, basis.last_addresses
    count = len(basis.candidates)
    answers = _refuse_unusable_addresses(
        answers, settings.key.address, last_addresses.values(), basis.deadline
    )
    host_answers = assign_answers(basis.lookup_names, answers, spec.address_attribute)
    servers = locate_candidates([*candidates, *basis.fallbacks], host_answers, last_addresses, spec)
    known_hosts = {server.address: server.host for server in servers if server.address is not None}
    hosts = {**basis.saved.names, **known_hosts}
    weighed = weigh_servers(
        spec, basis.cluster, servers[:count], servers[count:], hosts, basis.hidden_problem
    )
    located, check_complaints = checks.judge_servers([*weighed.located], [*weighed.fallback])
    return Findings(
        located=located,
        fallback=weighed.fallback,
        hosts=hosts,
        listed_hosts=frozenset(spec.weights) if choose_source(spec) == "static" else frozenset(),
        unavailable_reason=basis.unavailable_reason,
        complaints=(
            *settings.complaints,
            *find_unmatched_hosts(spec, basis.cluster, servers, hosts),
            *find_unreachable_number(spec, settings.goal.policy, weighed.located),
            *weighed.complaints,
            *check_complaints,
        ),
        notes=weighed.notes if basis.unavailable_reason is None else basis.saved.notes,
        nodes=basis.nodes,
        hands_off_reason=basis.hands_off_reason,
    )


def compute_script_time(budget: float) -> float:
    """Return the seconds that an action of ``budget`` seconds has for one script."""
    return budget * _GATHERING_SHARE


def _refuse_unusable_addresses(
    answers: Mapping[str, Resolved], vip: str, last_addresses: Iterable[str], deadline: Deadline
) -> dict[str, Resolved]:
    """Return the answers without the addresses that no real server can have.

    This host's networks are read only if an answer has a new address.
    """
    reasons = {vip: "is the virtual IP itself"}
    addresses = {address for answer in answers.values() for address in answer.addresses}
    if not addresses <= {*last_addresses, *reasons}:
        from ...system.net.addresses import find_unusable_addresses

        with suppress(LvsdrError):  # the kernel refuses such an address by itself
            reasons.update(find_unusable_addresses(deadline))
    return {name: remove_unusable_addresses(answer, reasons) for name, answer in answers.items()}
