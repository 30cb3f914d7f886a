"""Parameters that were set and have no effect: no setting of the user is ignored silently."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from ...ocf.parameters import Parameter, Values
from ...pacemaker.cluster import ClusterState
from ...pool.model import DrainPolicy, Located, PoolSpec
from ...pool.sources import choose_source
from ...values.hosts import find_ignoring_case
from . import balance_parameters as balance
from . import parameters as p

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_REPLACED_BY_LIST_SCRIPT: tuple[Parameter[Any], ...] = (p.RESOURCE, p.ROLE)
_REPLACED_BY_ANY_SCRIPT: tuple[Parameter[Any], ...] = (p.ATTRIBUTE_NAME, p.ATTRIBUTE_VALUE)


def find_unused_parameters(values: Values) -> Iterator[str]:
    """Yield a sentence for each parameter that another one replaces: worth a warning."""
    script = next(
        (
            parameter
            for parameter in (p.LIST_SCRIPT, p.CHECK_SCRIPT)
            if values[parameter] is not None
        ),
        None,
    )
    if values[p.LIST_SCRIPT] is not None:
        for parameter in filter(values.is_set, _REPLACED_BY_LIST_SCRIPT):
            yield f"{parameter.name} is not used: {p.LIST_SCRIPT.name} names the real servers"
    if script is not None:
        for parameter in filter(values.is_set, _REPLACED_BY_ANY_SCRIPT):
            yield f"{parameter.name} is not used: {script.name} decides"
    elif values.is_set(p.SCRIPT_TIMEOUT):
        yield f"{p.SCRIPT_TIMEOUT.name} is not used: no script is set"


def find_ineffective_parameters(values: Values) -> Iterator[str]:
    """Yield a sentence for each parameter that cannot have its intended effect."""
    scripts = (values[p.LIST_SCRIPT], values[p.CHECK_SCRIPT])
    if values.is_set(p.ATTRIBUTE_VALUE) and not values[p.ATTRIBUTE_NAME] and not any(scripts):
        yield (
            f"{p.ATTRIBUTE_VALUE.name} has no effect without {p.ATTRIBUTE_NAME.name}: "
            "set that, too (readable was the default of the original agent)"
        )
    for host, weight in (values[balance.FALLBACK] or {}).items():
        listed_weight = (values[p.WEIGHTS] or {}).get(host)
        usual_weight = values[p.DEFAULT_WEIGHT] if listed_weight is None else listed_weight
        if (usual_weight if weight is None else weight) == 0:
            yield f"{balance.FALLBACK.name}: {host} has weight 0, so it never serves"
    if values.is_set(balance.FALLBACK_BELOW) and not values[balance.FALLBACK]:
        yield (
            f"{balance.FALLBACK_BELOW.name} has no effect without {balance.FALLBACK.name}: set "
            "that, too"
        )
    yield from _find_useless_timeout(values)


def _find_useless_timeout(values: Values) -> Iterator[str]:
    if values.is_set(balance.IDLE_TIMEOUT) and values[p.PROTOCOL] != "tcp":
        yield f"{balance.IDLE_TIMEOUT.name} has no effect with protocol={values[p.PROTOCOL]}"


def find_unreachable_number(
    spec: PoolSpec, policy: DrainPolicy, servers: Collection[Located]
) -> Iterator[str]:
    """Yield a sentence if more real servers are wanted than there can be.

    A list script is skipped, because it may name more at another time.
    """
    wanted = policy.fallback_below
    if spec.fallback and wanted > max(1, len(servers)) and choose_source(spec) != "script":
        yield (
            f"{balance.FALLBACK_BELOW.name}={wanted}: there are at most {len(servers)} real "
            f"servers, so {balance.FALLBACK.name} always serve; lower it"
        )


def find_overlong_timeout(values: Values, available: float) -> Iterator[str]:
    """Yield a sentence if script_timeout is longer than the operation's time for scripts."""
    scripts = (values[p.LIST_SCRIPT], values[p.CHECK_SCRIPT])
    timeout = values[p.SCRIPT_TIMEOUT]
    if values.is_set(p.SCRIPT_TIMEOUT) and any(scripts) and timeout > available:
        yield (
            f"{p.SCRIPT_TIMEOUT.name}={timeout:g}s is more than the operation's timeout leaves for "
            f"a script ({available:.3g}s): raise that, or lower {p.SCRIPT_TIMEOUT.name}"
        )


def find_unmatched_hosts(
    spec: PoolSpec, state: ClusterState, servers: Iterable[Located], hosts: Mapping[str, str]
) -> Iterator[str]:
    """Yield a sentence for each listed host that is neither a node nor a candidate.

    ``hosts`` are the last known hosts by address.  A list that names the candidates itself is
    skipped.
    """
    if choose_source(spec) == "static":
        return
    candidates = {server.host for server in servers}
    for host in spec.weights:
        if state.find_node(host) is None and find_ignoring_case(host, candidates) is None:
            known_host = hosts.get(host)
            hint = (
                f": write {known_host}, which has this address"
                if known_host not in (None, host)
                else ""
            )
            yield f"{p.WEIGHTS.name}: {host} is neither a cluster node nor a real server{hint}"
