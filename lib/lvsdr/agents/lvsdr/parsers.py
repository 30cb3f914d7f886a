"""Parsers of values that only the agent lvsdr has."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from ...ipvs.options import parse_options
from ...ipvs.table import ServiceConfig
from ...ocf.value_parsers import Parser, duration
from ...pacemaker.crm_mon import parse_attribute_name, translate_role
from ...pool.attribute_weights import MOST_WEIGHT, is_weight
from ...values.hosts import find_ignoring_case, is_link_local
from ...values.parsing import canonical_address, is_host, parse_unicast_address


def _parse_service_address(text: str) -> str:
    address = parse_unicast_address(text)
    if is_link_local(address):
        raise ValueError("a link-local address is of one link only")
    return address


def _parse_service_options(text: str) -> ServiceConfig:
    return parse_options(text.split())


def _parse_weighted_hosts(text: str) -> Mapping[str, int | None]:
    hosts: dict[str, int | None] = {}
    for entry in text.split():
        host, comma, weight = entry.partition(",")
        host = canonical_address(host) or host
        if not is_host(host):
            flaw = f"{host!a} in {entry!a} is neither a host name nor an address"
            raise ValueError(f"{flaw}{_guess_meaning(entry)}")
        if comma and not is_weight(weight):
            raise ValueError(
                f"the weight in {entry!a} is not from 0 to {MOST_WEIGHT}{_guess_meaning(entry)}"
            )
        if find_ignoring_case(host, hosts) is not None:
            raise ValueError(f"{host} is listed twice")
        hosts[host] = int(weight) if comma else None
    return hosts


def _guess_meaning(entry: str) -> str:
    """Return the probable meaning of a malformed entry, as an appendix to the error."""
    if ";" in entry:
        return "; hosts are separated by blanks"
    host, sign, weight = entry.replace("=", ":").partition(":")
    if sign and is_host(host) and is_weight(weight):
        return f"; write a comma before the weight, as in {host},1 (the port is the service's)"
    host, comma, rest = entry.partition(",")
    if comma and is_host(host) and not rest:
        return "; write no blank behind the comma"
    if comma and is_host(host) and all(map(is_host, rest.split(","))):
        return "; hosts are separated by blanks"
    return ""


_METHODS = ("gate", "ipip", "masq")
# The names in ipvsadm(8), keepalived.conf(5) and ldirectord(8).
_OTHER_METHODS = {
    **dict.fromkeys(("dr", "direct", "droute", "g", "-g"), "gate"),
    **dict.fromkeys(("tun", "tunnel", "i", "-i"), "ipip"),
    **dict.fromkeys(("nat", "masquerade", "m", "-m"), "masq"),
}


def _parse_forwarding_method(text: str) -> str:
    method = _OTHER_METHODS.get(text.lower())
    if method is not None:
        raise ValueError(f"write {method}")
    if text not in _METHODS:
        raise ValueError
    return text


_ROLES = ("any", "Promoted", "Unpromoted")


def _parse_role(text: str) -> str:
    role = translate_role(text)
    if role not in _ROLES:
        raise ValueError
    return role


def _parse_resource_ids(text: str) -> tuple[str, ...]:
    resources = text.split(",")
    for resource in resources:
        if not resource:
            raise ValueError("an entry is empty")
        if resource.split() != [resource]:
            raise ValueError(f"{resource!a} contains white space")
        if resources.count(resource) > 1:
            raise ValueError(f"{resource} is listed twice")
    return tuple(resources)


def _parse_positive_duration(text: str) -> float:
    with suppress(ValueError):  # the error below states the legal values once
        if duration(text) > 0:
            return duration(text)
    raise ValueError


POSITIVE_DURATION = Parser(
    _parse_positive_duration, "a duration longer than 0, such as 10, 10s, 500ms or 1min"
)


_LONGEST_IDLE = 576 * 3600  # seconds: below INT_MAX / 1000 jiffies (ip_vs_set_timeout)


def _parse_whole_seconds(text: str) -> int:
    with suppress(ValueError):  # the error below states the legal values once
        seconds = duration(text)
        if seconds == int(seconds) and 1 <= seconds <= _LONGEST_IDLE:
            return int(seconds)
    raise ValueError


WHOLE_SECONDS = Parser(
    _parse_whole_seconds, "a duration of whole seconds from 1s to 576h, such as 7200, 30min or 2h"
)

WEIGHTED_HOSTS = Parser(
    _parse_weighted_hosts,
    f"hosts with optional weights (0 to {MOST_WEIGHT}): node1,3 node2 10.0.0.4,1",
)

FORWARDING_METHOD = Parser(
    _parse_forwarding_method, " or ".join(_METHODS), content="select", options=_METHODS
)
WANTED_ROLE = Parser(_parse_role, " or ".join(_ROLES), content="select", options=_ROLES)
RESOURCE_IDS = Parser(
    _parse_resource_ids,
    "the ids of resources, separated by commas: pgsql-clone,lvsdr-realsvr-clone",
)
ATTRIBUTE = Parser(parse_attribute_name, "the name of a node attribute")
SERVICE_ADDRESS = Parser(
    _parse_service_address, "a unicast IPv4 or IPv6 address, without prefix or zone"
)
SERVICE_OPTIONS = Parser(_parse_service_options, "options of a virtual service as in ipvsadm(8)")
