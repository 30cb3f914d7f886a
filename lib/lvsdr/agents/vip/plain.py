"""The agent vip without a gate: an address that moves with a resource, and its announcement."""

from __future__ import annotations

from collections.abc import Iterator

from ... import __version__
from ...address.interfaces import Interface
from ...errors import ExitCode, InvalidParameters, LvsdrError, NotInstalled, OutOfOrder
from ...ocf.agent import Action, Agent
from ...ocf.context import Context
from ...ocf.reload import unless_broken
from ...system import state
from .parameters import PARAMETERS
from .place import choose_destination, parse_wanted_place, search_address
from .saved_place import SavedPlace, recall, store
from .settings import (
    AddressSettings,
    Place,
    find_differences,
    find_misplacement,
    read_settings,
    require_label,
)


def start(context: Context) -> None:
    """Add the address or adopt it; return when it works and the neighbours are informed."""
    from . import claim

    wanted = read_settings(context.values)
    context.require_root("change the addresses of an interface")
    context.require_binary("ip", "iproute2")
    path = context.file("state")
    with context.locked():
        claim.end_announcements(path)
        place, interfaces = choose_destination(context, wanted)
        claim.leave_old_place(recall(path).place, place, interfaces, context)
        interface = claim.set_up_interface(place, interfaces, wanted, context)
        if not interface.having(place.address):
            claim.refuse_conflict(place, interface, interfaces, wanted, context.deadline)
        store(path, SavedPlace(place))  # stop needs the place, even if this run is killed next
        claim.keep_sysctls(place, context)
        claim.establish_address(place, interface, wanted, context)
        claim.announce_address(path, place, interface, wanted.arp_count, wanted.arp_interval)


def monitor(context: Context, *, confirmed: bool = True) -> ExitCode | None:
    """Check that the address is in its place; a probe only looks, and needs no program for that.

    The address is announced again only if ``confirmed``: otherwise another node may have it.
    """
    wish = parse_wanted_place(context)
    try:
        sight = search_address(context, recall(context.file("state")), wish)
    except NotInstalled as error:  # NotInstalled would ban the resource from this node for good
        raise LvsdrError(f"cannot look for the address: {error}") from None
    if sight.found is None:
        return _not_running(context, sight.absence)
    place, interface = sight.found
    problem = find_misplacement(place, interface, wish)
    if problem is not None:
        raise OutOfOrder(problem)
    if context.is_probe:
        return None
    try:
        wanted = read_settings(context.values)
    except InvalidParameters as error:
        return context.degraded([f"{each}: address left as it is" for each in error.problems])
    if wanted.check_link and not interface.carrier:
        return _not_running(context, f"no carrier on {interface.name}")
    unannounced = _refresh(context, place, interface, wanted) if confirmed else ()
    return context.degraded([*unannounced, *find_differences(place, interface, wanted)])


def reload_agent(context: Context) -> None:
    """Apply the current parameters in place."""
    from . import claim

    wanted = read_settings(context.values)
    context.require_root("change the addresses of an interface")
    context.require_binary("ip", "iproute2")
    path = context.file("state")
    with context.locked():
        sight = search_address(context, recall(path), wanted.wanted_place)
        if sight.found is None:
            raise LvsdrError(f"nothing to be reloaded: {sight.absence}")
        place, interface = sight.found
        require_label(wanted, place.device)
        if claim.establish_address(place, interface, wanted, context):
            claim.announce_address(path, place, interface, 1, wanted.arp_interval)


def stop(context: Context) -> None:
    """Delete the address, check that it is gone, and restore the kernel's settings."""
    from . import claim

    path = context.file("state")
    with context.locked_to_stop():  # the ip(8) of a killed start may still add the address
        memory = recall(path)
        found = search_address(context, memory, parse_wanted_place(context)).found
        if memory != SavedPlace() or found is not None:
            context.require_root("change the addresses of an interface")
            claim.end_announcements(path)
        if found is not None:
            place, interface = found
            claim.remove_address(place.address, interface, context)
    context.release_sysctls()
    context.forget("state")


def validate_environment(context: Context) -> None:
    """Raise BadArgument or NotInstalled if this node cannot run the resource.

    It needs ip(8), an interface, and a network that contains the address.
    """
    wanted = read_settings(context.values)
    context.require_binary("ip", "iproute2")
    choose_destination(context, wanted)


def _refresh(
    context: Context, place: Place, interface: Interface, wanted: AddressSettings
) -> Iterator[str]:
    """Announce the address again if configured; yield the reason if that failed."""
    if wanted.arp_count_refresh:
        from . import claim

        path, interval = context.file("state"), wanted.arp_interval
        try:
            with state.locked(context.file("lock"), context.deadline.sooner(0)):
                claim.end_announcements(path)
                claim.announce_address(path, place, interface, wanted.arp_count_refresh, interval)
        except LvsdrError as error:
            yield f"not announced: {error}"


def still_serves(context: Context) -> bool:
    """Test whether an interface has the started address; this needs no program."""
    from ...system.net import netlink

    place, wish = recall(context.file("state")).place, parse_wanted_place(context)
    if place is not None:
        number = netlink.interface_number(place.device)
        there = (one for one in netlink.addresses() if one.interface == number)
        return any(one.address == place.address for one in there)
    there = (one for one in netlink.addresses() if one.interface != netlink.LOOPBACK)
    return wish is not None and any(one.address == wish.address for one in there)


def _not_running(context: Context, reason: str) -> ExitCode:
    if not context.is_probe:
        context.log.exit_reason(reason)
    return ExitCode.NOT_RUNNING


AGENT = Agent(
    name="vip",
    version=__version__,
    short="Virtual IP address",
    long=(
        "Manages an IPv4 or IPv6 address on an interface of this node. Before it takes the "
        "address it asks the segment whether somebody else has it; afterwards it tells all "
        "neighbours where it is now. The same address on the loopback interface, as a real server "
        "of direct routing has it, is neither mistaken for it nor touched."
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
    is_active=still_serves,
)
