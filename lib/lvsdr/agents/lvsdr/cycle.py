"""One cycle of the director: from the cluster's state to the kernel's table.

The same path serves start, monitor and reload-agent; ``judge`` and ``plan`` act on nothing.
"""

from __future__ import annotations

import time

from ...checks import check_all
from ...cluster import ClusterState
from ...crm_mon import parse
from ...deadline import Deadline
from ...director import Decision, Judged, decide
from ...errors import SourceUnavailable
from ...ipvs.table import Service, WantedService
from ...location import located, questions
from ...model import Candidate, Located, Outcome, PoolSpec, Verdict
from ...sources import chosen, survey
from ...sources.nodes import node_verdict, with_node_state
from ...system import crm
from ...system.resolver import resolve
from ...typed import NamedTuple
from .memory import Memory
from .settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_GATHERING = 0.8  # of the time: the rest is for changing the table


class Plan(NamedTuple):
    """What shall be, and why."""

    wanted: WantedService
    decision: Decision


def judge(settings: Settings, memory: Memory, deadline: Deadline) -> Judged:
    """Ask everybody there is to ask.  Whoever does not answer leaves things UNKNOWN; never raises
    for that.
    """
    spec = settings.spec
    names = dict(memory.names)
    deadline = deadline.sooner(deadline.remaining() * _GATHERING)
    try:
        state = parse(crm.snapshot(deadline))
    except SourceUnavailable as error:
        return Judged((), (), names, unavailable=str(error))
    found = survey(state, spec, deadline)
    candidates = check_all(found.candidates, spec, deadline)
    fallback = _fallback(spec, state)
    servers = _locate([*candidates, *fallback], state, settings, memory, deadline)
    names.update((s.address, s.host) for s in servers if s.address is not None)
    return Judged(
        located=servers[: len(candidates)],
        fallback=[_weighed(server, spec) for server in servers[len(candidates) :]],
        hosts=names,
        asked=frozenset(spec.weights) if chosen(spec) == "static" else frozenset(),
        unavailable=found.unavailable,
        nodes=_node_verdicts(state, names.values()),
    )


def _node_verdicts(state: ClusterState, hosts: Iterable[str]) -> dict[str, Verdict]:
    """What a real server that nobody names any more is judged by: dead nodes serve nobody."""
    nodes = {host: state.node(host) for host in hosts}
    verdicts = {host: node_verdict(node) for host, node in nodes.items() if node is not None}
    return {host: verdict for host, verdict in verdicts.items() if verdict is not None}


def _fallback(spec: PoolSpec, state: ClusterState) -> list[Candidate]:
    """The state of its node is all that a fallback is judged by."""
    listed = Verdict(Outcome.IN, "fallback")
    return [with_node_state(Candidate(host, listed), state) for host in spec.fallback]


def _weighed(server: Located, spec: PoolSpec) -> Located:
    weight = spec.fallback[server.host]
    return server if weight is None else server._replace(weight=weight)


def _locate(
    candidates: list[Candidate],
    state: ClusterState,
    settings: Settings,
    memory: Memory,
    deadline: Deadline,
) -> list[Located]:
    asked = questions(candidates, state, settings.spec.address_attribute)
    answers = resolve(asked.values(), ipv6=":" in settings.key.address, deadline=deadline)
    by_host = {host: answers[question] for host, question in asked.items()}
    return located(candidates, by_host, memory.addresses, settings.spec)


def plan(settings: Settings, judged: Judged, service: Service | None, memory: Memory) -> Plan:
    """The service as it shall be."""
    pool = {} if service is None else service.real_servers
    decision = decide(pool, judged, settings.goal, memory.drains, time.monotonic())
    return Plan(WantedService(settings.config, decision.real_servers), decision)


def nothing_known(judged: Judged) -> str | None:
    """Why it is not known who could serve; None if it is, even if that is nobody.

    With nobody IN, a candidate that only lacks an address might be the one.
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


def remembered(settings: Settings, judged: Judged, decision: Decision, before: Memory) -> Memory:
    """What the next cycle should know of this one."""
    servers = [s for s in (*judged.located, *judged.fallback) if s.address is not None]
    return Memory(
        service=settings.key,
        drains=decision.drains,
        addresses={**_still(before, decision), **{s.host: s.address or "" for s in servers}},
        names={
            key.address: judged.hosts[key.address]
            for key in decision.real_servers
            if key.address in judged.hosts
        },
        degraded=tuple(" ".join(reason.split()) for reason in decision.degraded),
    )


def _still(before: Memory, decision: Decision) -> dict[str, str]:
    """The addresses of hosts that nobody spoke of in this cycle, while they are in use."""
    used = {key.address for key in decision.real_servers}
    return {host: address for host, address in before.addresses.items() if address in used}
