"""The agent lvsdr-realsvr: the virtual IP on lo of a real server, hidden from ARP."""

from __future__ import annotations

import os

from ... import __version__
from ...address.interfaces import InterfaceAddress
from ...errors import (
    BadArgument,
    ExitCode,
    InvalidParameters,
    LvsdrError,
    OutOfOrder,
)
from ...ocf.actions import Action, guard_reload
from ...ocf.agent import Agent
from ...ocf.context import Context
from ...ocf.parameters import ParameterSet
from ...system import sysctl
from ...system.net import loopback
from ...system.net.own_addresses import has_address
from . import arp_sysctls
from .drain import drain_connections, is_leaving
from .parameters import DRAIN_DELAY, DRAIN_TIMEOUT, NIC_LO, PARAMETERS, VIP
from .saved_start import (
    NO_DRAIN,
    DrainTimes,
    SavedStart,
    load_saved_start,
    read_drain_times,
    render_saved_start,
)

_NO_IPV6 = "net/ipv6/conf/lo/disable_ipv6"


def start(context: Context) -> None:
    """Silence ARP first, then put the address on lo; adopt an address that is already there."""
    values = context.values
    vip = values[VIP]
    context.require_root("change the addresses of lo")
    context.require_binary("ip")
    _require_family(vip)
    with context.hold_lock():
        arp_sysctls.hide_address(context, vip)
        context.log.warning(*_find_conflicts(vip))
        saved = SavedStart(vip, read_drain_times(values))
        context.log.warning(*context.save("state", render_saved_start(saved)))
        if not loopback.is_up():
            loopback.bring_up(context.deadline)
            context.log.info("lo was down: brought up")
        _add_address(context, vip, values[NIC_LO])


def _add_address(context: Context, vip: str, label: str) -> None:
    entries = loopback.find_entries(vip, context.deadline)
    if entries.own_entry is None:
        loopback.add_address(vip, label, context.deadline)
        context.log.info(f"{vip} put on lo")
    else:
        label_note = f" with label {entries.own_entry.label}" if entries.own_entry.label else ""
        context.log.info(f"{vip} is on lo already{label_note}: adopted")
    _warn_of_other_entries(context, entries.other_entries)


def monitor(context: Context) -> ExitCode | None:
    """Check that the address is on lo and hidden.

    A probe on a node without a start in this boot only looks for the address.
    """
    vip = _find_vip(context)
    entries = loopback.find_entries(vip, context.deadline) if vip else None
    if vip is None or entries is None or entries.own_entry is None:
        if entries is not None and not context.is_probe:
            _warn_of_other_entries(context, entries.other_entries)
        return ExitCode.NOT_RUNNING
    if context.is_probe and load_saved_start(context.build_path("state")) is None:
        return None
    _require_order(vip)
    return (
        None if context.is_probe else context.report_degradation(_find_parameter_problems(context))
    )


def _require_order(vip: str) -> None:
    """Raise OutOfOrder with every difference from the state that start left."""
    problems = arp_sysctls.find_broken_sysctls(vip)
    if not loopback.is_up():
        problems.append("lo is down")
    if problems:
        raise OutOfOrder("; ".join(problems))


def still_serves(context: Context) -> bool:
    """Test whether lo has the address; this needs no program, and no ARP setting."""
    vip = _find_vip(context)
    return vip is not None and has_address("lo", vip)


def _find_parameter_problems(context: Context) -> tuple[str, ...]:
    """Return the problems of the parameters; a typing error must not remove the address."""
    try:
        context.values  # noqa: B018  reading them raises InvalidParameters
    except InvalidParameters as error:
        return error.problems
    return ()


def reload_agent(context: Context) -> None:
    """Store the new drain times, and repair settings that have changed."""
    values = context.values
    context.require_root("change the addresses of lo")
    if loopback.find_entries(values[VIP], context.deadline).own_entry is None:
        raise LvsdrError(f"{values[VIP]} is not on lo: there is nothing to be reloaded")
    with context.hold_lock() as lock_problems:
        arp_sysctls.hide_address(context, values[VIP])
        saved = SavedStart(values[VIP], read_drain_times(values))
        context.log.warning(*lock_problems, *context.save("state", render_saved_start(saved)))


def stop(context: Context) -> None:
    """Wait for director and connections, remove the address, then restore the ARP settings."""
    with context.hold_lock_to_stop():  # the ip(8) of a killed start may still add the address
        present_vips = _find_present_addresses(context)
        if present_vips:
            context.require_root("change the addresses of lo")
            context.require_binary("ip")
            times = _choose_drain_times(context)
            for vip in present_vips:
                _remove_address(context, vip, times)
    context.release_sysctls()
    context.forget("state")


def _find_present_addresses(context: Context) -> list[str]:
    """Return the addresses on lo to be removed: the parameter's, and the one that start stored."""
    saved = load_saved_start(context.build_path("state"))
    vips = dict.fromkeys(filter(None, (_find_vip(context), saved and saved.vip)))
    return [
        vip for vip in vips if loopback.find_entries(vip, context.deadline).own_entry is not None
    ]


def _remove_address(context: Context, vip: str, times: DrainTimes) -> None:
    try:
        drain_connections(vip, times, context.deadline, context.log)
    except Exception as error:  # a failed count must not keep the address
        context.log.warning(f"{vip}: connections not waited for: {error}")
    loopback.remove_address(vip, context.deadline)
    context.log.info(f"{vip} removed from lo")
    _warn_of_other_entries(context, loopback.find_entries(vip, context.deadline).other_entries)


def _choose_drain_times(context: Context) -> DrainTimes:
    """Return the waiting times of stop; no delay unless the node leaves service (decision 017).

    A failover that waits for this stop must not be delayed.
    """
    try:
        values = ParameterSet((DRAIN_DELAY, DRAIN_TIMEOUT)).parse(context.environ)
        times = read_drain_times(values)
    except InvalidParameters:
        saved = load_saved_start(context.build_path("state"))
        times = saved.drain_times if saved else NO_DRAIN
    if times.delay and not is_leaving(context.node, context.deadline):
        return times._replace(delay=0.0)
    return times


def validate_environment(context: Context) -> None:
    """Raise BadArgument or NotInstalled if this node cannot run the resource.

    It needs ip(8) and the address family.  No interface setting and no other entry for the address
    may defeat the agent's work.
    """
    vip = context.values[VIP]
    context.require_binary("ip")
    _require_family(vip)
    problems = [
        *_find_conflicts(vip),
        *map(_describe_other_entry, loopback.find_entries(vip, context.deadline).other_entries),
    ]
    if problems:
        raise BadArgument("; ".join(problems))


def _find_vip(context: Context) -> str | None:
    """Return the address in the parameters; if they are broken, the one that start stored."""
    try:
        return ParameterSet((VIP,)).parse(context.environ)[VIP]
    except InvalidParameters:
        saved = load_saved_start(context.build_path("state"))
        return saved.vip if saved else None


def _find_conflicts(vip: str) -> tuple[str, ...]:
    if not arp_sysctls.list_wanted_sysctls(vip):
        return ()
    return tuple(arp_sysctls.find_conflicts(sysctl.read_by_interface))


def _warn_of_other_entries(context: Context, others: tuple[InterfaceAddress, ...]) -> None:
    context.log.warning(*map(_describe_other_entry, others))


def _describe_other_entry(other: InterfaceAddress) -> str:
    return f"{other.address}/{other.prefix} is on lo: none of ours, which has another prefix"


def _require_family(vip: str) -> None:
    if ":" in vip and (
        not os.path.exists(f"/proc/sys/{_NO_IPV6}") or sysctl.read_value(_NO_IPV6) != "0"
    ):
        raise BadArgument(f"vip={vip}: IPv6 is disabled on lo (sysctl {_NO_IPV6})")


AGENT = Agent(
    name="lvsdr-realsvr",
    version=__version__,
    short="LVS real server: the virtual IP on lo, unseen by ARP",
    long=(
        "Prepares a node to be a real server of direct routing: it accepts packets to the virtual "
        "IP, but does not answer ARP for it, so that they arrive by way of the director only. "
        "Meant to be cloned. Nothing else on lo is touched, several resources may run side by "
        "side, and so may a director of the same virtual IP. Order it to start and to stop before "
        "the service that is balanced: with drain_delay and drain_timeout, clients of a node on "
        "standby can end their sessions, and no new connection is lost."
    ),
    parameters=PARAMETERS,
    actions=(
        Action("start", start, "20s"),
        Action("stop", stop, "20s"),
        Action("monitor", monitor, "20s", interval="10s", depth="0"),
        Action("reload-agent", guard_reload(reload_agent, monitor), "20s"),
    ),
    validate_environment=validate_environment,
    still_serves=still_serves,
    is_active=lambda context: bool(_find_present_addresses(context)),
)
