"""The agent lvsdr-realsvr: the virtual IP on lo of a real server, hidden from ARP."""

from __future__ import annotations

import os

from ... import __version__
from ...errors import (
    BadArgument,
    ExitCode,
    InvalidParameters,
    LvsdrError,
    OutOfOrder,
)
from ...ocf.actions import Action, unless_broken
from ...ocf.agent import Agent
from ...ocf.context import Context
from ...ocf.parameters import ParameterSet, Values
from ...system import sysctl
from ...system.net import loopback
from ...system.net.netlink import Address
from . import arp, silence
from .drain import NO_PATIENCE, Patience, drain
from .memory import Memory, recall, rendered
from .parameters import DRAIN_DELAY, DRAIN_TIMEOUT, NIC_LO, PARAMETERS, VIP

_NO_IPV6 = "net/ipv6/conf/lo/disable_ipv6"


def start(context: Context) -> None:
    """Silence ARP first, then put the address on lo; adopt an address that is already there."""
    values = context.values
    vip = values[VIP]
    context.require_root("change the addresses of lo")
    context.require_binary("ip")
    _require_family(vip)
    with context.locked():
        silence.keep(context, vip)
        context.log.warning(*_conflicts(vip))
        context.log.warning(*context.save("state", rendered(Memory(vip, _patience(values)))))
        if not loopback.is_up():
            loopback.bring_up(context.deadline)
            context.log.info("lo was down: brought up")
        _provide(context, vip, values[NIC_LO])


def _provide(context: Context, vip: str, label: str) -> None:
    found = loopback.look(vip)
    if found.ours is None:
        loopback.put(vip, label, context.deadline)
        context.log.info(f"{vip} put on lo")
    else:
        labelled = f" with label {found.ours.label}" if found.ours.label else ""
        context.log.info(f"{vip} is on lo already{labelled}: adopted")
    _tell_of(context, found.others)


def monitor(context: Context) -> ExitCode | None:
    """Check that the address is on lo and hidden.

    A probe on a node without a start in this boot only looks for the address.
    """
    vip = _vip(context)
    found = loopback.look(vip) if vip else None
    if vip is None or found is None or found.ours is None:
        if found is not None and not context.is_probe:
            _tell_of(context, found.others)
        return ExitCode.NOT_RUNNING
    if context.is_probe and recall(context.file("state")) is None:
        return None
    _require_order(vip)
    return None if context.is_probe else context.degraded(_broken_parameters(context))


def _require_order(vip: str) -> None:
    """Raise OutOfOrder with every difference from the state that start left."""
    problems = silence.broken(vip)
    if not loopback.is_up():
        problems.append("lo is down")
    if problems:
        raise OutOfOrder("; ".join(problems))


def still_serves(context: Context) -> bool:
    """Test whether the address is on lo; the ARP settings cannot be read any more."""
    vip = _vip(context)
    return vip is not None and loopback.look(vip).ours is not None


def _broken_parameters(context: Context) -> tuple[str, ...]:
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
    if loopback.look(values[VIP]).ours is None:
        raise LvsdrError(f"{values[VIP]} is not on lo: there is nothing to be reloaded")
    with context.locked() as unlocked:
        silence.keep(context, values[VIP])
        memory = Memory(values[VIP], _patience(values))
        context.log.warning(*unlocked, *context.save("state", rendered(memory)))


def stop(context: Context) -> None:
    """Wait for director and connections, remove the address, then restore the ARP settings."""
    with context.locked_to_stop():  # the ip(8) of a killed start may still add the address
        there = _there(context)
        if there:
            context.require_root("change the addresses of lo")
            context.require_binary("ip")
            patience = _patience_of_stop(context, recall(context.file("state")))
            for vip in there:
                _remove(context, vip, patience)
    context.release_sysctls()
    context.forget("state")


def _there(context: Context) -> list[str]:
    """Return the addresses on lo to be removed: the parameter's, and the one that start stored."""
    memory = recall(context.file("state"))
    vips = dict.fromkeys(filter(None, (_vip(context), memory and memory.vip)))
    return [vip for vip in vips if loopback.look(vip).ours is not None]


def _remove(context: Context, vip: str, patience: Patience) -> None:
    try:
        drain(vip, patience, context.deadline, context.log)
    except Exception as error:  # a failed count must not keep the address
        context.log.warning(f"{vip}: connections not waited for: {error}")
    loopback.take_away(vip, context.deadline)
    context.log.info(f"{vip} removed from lo")
    _tell_of(context, loopback.look(vip).others)


def _patience(values: Values) -> Patience:
    return Patience(values[DRAIN_DELAY], values[DRAIN_TIMEOUT])


def _patience_of_stop(context: Context, memory: Memory | None) -> Patience:
    """Return the waiting times of stop; no delay unless the node leaves service (decision 017).

    A failover that waits for this stop must not be delayed.
    """
    try:
        patience = _patience(ParameterSet((DRAIN_DELAY, DRAIN_TIMEOUT)).parse(context.environ))
    except InvalidParameters:
        patience = memory.patience if memory else NO_PATIENCE
    if patience.delay:
        from .leaving import is_leaving

        if not is_leaving(context.environ.get("OCF_RESKEY_CRM_meta_on_node"), context.deadline):
            return patience._replace(delay=0.0)
    return patience


def validate_environment(context: Context) -> None:
    """Raise BadArgument or NotInstalled if this node cannot run the resource.

    It needs ip(8) and the address family.  No interface setting and no other entry for the address
    may defeat the agent's work.
    """
    vip = context.values[VIP]
    context.require_binary("ip")
    _require_family(vip)
    problems = [*_conflicts(vip), *map(_in_the_way, loopback.look(vip).others)]
    if problems:
        raise BadArgument("; ".join(problems))


def _vip(context: Context) -> str | None:
    """Return the address in the parameters; if they are broken, the one that start stored."""
    try:
        return ParameterSet((VIP,)).parse(context.environ)[VIP]
    except InvalidParameters:
        memory = recall(context.file("state"))
        return memory.vip if memory else None


def _conflicts(vip: str) -> tuple[str, ...]:
    return tuple(arp.conflicts(sysctl.of_interfaces)) if arp.wanted(vip) else ()


def _tell_of(context: Context, others: tuple[Address, ...]) -> None:
    context.log.warning(*map(_in_the_way, others))


def _in_the_way(other: Address) -> str:
    return f"{other.address}/{other.prefix} is on lo: none of ours, which has another prefix"


def _require_family(vip: str) -> None:
    if ":" in vip and (
        not os.path.exists(f"/proc/sys/{_NO_IPV6}") or sysctl.value(_NO_IPV6) != "0"
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
        "standby finish what they are at, and no new ones are lost."
    ),
    parameters=PARAMETERS,
    actions=(
        Action("start", start, "20s"),
        Action("stop", stop, "20s"),
        Action("monitor", monitor, "20s", interval="10s", depth="0"),
        Action("reload-agent", unless_broken(reload_agent, monitor), "20s"),
    ),
    validate_environment=validate_environment,
    still_serves=still_serves,
    is_active=lambda context: bool(_there(context)),
)
