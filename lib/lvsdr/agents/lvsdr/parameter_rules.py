"""The parameters of the agent lvsdr as a set, and the rules between them."""

from __future__ import annotations

from collections.abc import Iterator

from ...ocf.parameters import ParameterSet, Values, defaulted
from ...ocf.value_parsers import boolean
from ...values.hosts import is_link_local, is_remote
from ...values.parsing import canonical_address
from . import balance_parameters as balance
from . import parameters as p
from .check_parameters import CHECK, CHECK_PARAMETERS, CHECK_RULES


def _require_resource_of_role(values: Values) -> Iterator[str]:
    if values[p.ROLE] != "any" and values[p.RESOURCE] is None:
        yield (
            f"{p.ROLE.name}={values[p.ROLE]}: needs {p.RESOURCE.name}, "
            "which says of which resource; or leave it at any"
        )


def _require_one_family(values: Values) -> Iterator[str]:
    """Require the service's address family: IPVS forwards to no other (tunnels aside)."""
    ipv6 = ":" in values[p.VIP]
    for parameter in (p.WEIGHTS, balance.FALLBACK):
        for host in values[parameter] or {}:
            if canonical_address(host) and (":" in host) is not ipv6:
                legal = "IPv6" if ipv6 else "IPv4"
                yield f"{parameter.name}={host}: must be {legal}, as vip {values[p.VIP]} is"


def _refuse_unusable_addresses(values: Values) -> Iterator[str]:
    """Refuse addresses that no real server can have: clients would be refused there."""
    for parameter in (p.WEIGHTS, balance.FALLBACK):
        for host in values[parameter] or {}:
            if host == values[p.VIP]:
                yield f"{parameter.name}={host}: must be another address than vip, which it is"
            elif canonical_address(host) and not _is_reachable(host):
                yield f"{parameter.name}={host}: must be an address that other hosts can send to"


def _is_reachable(address: str) -> bool:
    return is_remote(address) and not is_link_local(address)


def _require_netmask_of_family(values: Values) -> Iterator[str]:
    mask = values[p.OPTIONS].netmask
    if mask is not None and ("." in mask) is (":" in values[p.VIP]):
        legal = "a prefix length" if ":" in values[p.VIP] else "a mask such as 255.255.255.0"
        yield f"{p.OPTIONS.name}=-M {mask}: must be {legal}, as vip {values[p.VIP]} is"


def _require_udp_for_one_packet(values: Values) -> Iterator[str]:
    if values[p.OPTIONS].one_packet and values[p.PROTOCOL] != "udp":
        yield f"{p.OPTIONS.name}=--ops: is legal with protocol=udp only"


WATCH = defaulted(
    "watch",
    boolean,
    "true",
    reloadable=True,
    short="Whether changes of the cluster reach the pool at once",
    long=(
        "true starts a process beside the service that has the pool reconciled as soon as the "
        "state of the cluster changes, and at least every ten seconds; a monitor then only checks "
        "its result. It never changes the kernel's table itself. If it fails, each monitor "
        "reconciles the pool, as with false, and starts it anew. It makes the health checks of "
        "realserver_check, too."
    ),
)


def _require_watcher_of_checks(values: Values) -> Iterator[str]:
    if values[CHECK] != "none" and not values[WATCH]:
        yield f"{CHECK.name}={values[CHECK]}: needs {WATCH.name}=true, which makes the checks"


SERVICE = ParameterSet((p.VIP, p.PORT, p.PROTOCOL))
"""The parameters that identify the service; they suffice for stop and for probes."""

PARAMETERS = ParameterSet(
    (
        *SERVICE,
        *(p.OPTIONS, p.FORWARD, p.DEFAULT_WEIGHT, p.WEIGHTS, p.RESOURCE, p.ROLE),
        *(p.ATTRIBUTE_NAME, p.ATTRIBUTE_VALUE, p.LIST_SCRIPT, p.CHECK_SCRIPT, p.OLD_CHECK_SCRIPT),
        *(p.ADDRESS_ATTRIBUTE, p.SCRIPT_TIMEOUT, p.DRAIN_TIMEOUT),
        *(balance.ON_EMPTY, balance.FALLBACK, balance.FALLBACK_BELOW, balance.WEIGHT_ATTRIBUTE),
        *(balance.IDLE_TIMEOUT, p.HEARTBEAT_FILE, p.OLD_HEARTBEAT_FILE, WATCH),
        *CHECK_PARAMETERS,
    ),
    rules=(
        *(_require_resource_of_role, _require_one_family, _refuse_unusable_addresses),
        *(_require_netmask_of_family, _require_udp_for_one_packet),
        *(*CHECK_RULES, _require_watcher_of_checks),
    ),
)
