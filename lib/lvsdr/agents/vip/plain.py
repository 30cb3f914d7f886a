"""The agent vip without a gate: an address that moves with a resource, and its announcement."""

from __future__ import annotations

from ... import __version__
from ...address.interfaces import Interface
from ...errors import ExitCode, InvalidParameters, LvsdrError, OutOfOrder
from ...ocf.actions import Action, guard_reload
from ...ocf.agent import Agent
from ...ocf.context import Context
from ...system import locking
from .parameters import PARAMETERS
from .place import choose_destination, parse_wanted_place, search_address, search_without_ban
from .saved_place import SavedPlace, recall
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
    require_means(context)
    path = context.build_path("state")
    with context.hold_lock():
        claim.end_announcements(path)
        place, interfaces = choose_destination(context, wanted)
        claim.leave_old_place(recall(path).place, place, interfaces, context)
        interface = claim.set_up_interface(place, interfaces, wanted, context)
        if not interface.find_entries(place.address):
            claim.refuse_conflict(place, interface, interfaces, wanted, context.deadline)
        claim.take_address(place, interface, wanted, context)


def monitor(context: Context, *, confirmed: bool = True) -> ExitCode | None:
    """Check that the address is in its place; a probe only looks, and needs no program for that.

    The address is announced again only if ``confirmed``: otherwise another node may have it.
    """
    search = search_without_ban(context)
    if search.location is None:
        return _report_absence(context, search.absence)
    place, interface = search.location
    problem = find_misplacement(place, interface, search.wanted)
    if problem is not None:
        raise OutOfOrder(problem)
    if context.is_probe:
        return None
    try:
        wanted = read_settings(context.values)
    except InvalidParameters as error:
        return context.report_degradation(
            [f"{problem_text}: address left as it is" for problem_text in error.problems]
        )
    if wanted.check_link and not interface.carrier:
        return _report_absence(context, f"no carrier on {interface.name}")
    problems = _refresh_neighbours(context, place, interface, wanted) if confirmed else []
    return context.report_degradation([*problems, *find_differences(place, interface, wanted)])


def reload_agent(context: Context) -> None:
    """Apply the current parameters in place."""
    from . import claim

    wanted = read_settings(context.values)
    require_means(context)
    path = context.build_path("state")
    with context.hold_lock():
        search = search_address(context)
        if search.location is None:
            raise LvsdrError(f"cannot reload: {search.absence}")
        place, interface = search.location
        require_label(wanted, place.device)
        if claim.establish_address(place, interface, wanted, context):
            claim.announce_address(path, place, interface, 1, wanted.arp_interval)


def stop(context: Context) -> None:
    """Delete the address, check that it is gone, and restore the kernel's settings."""
    from . import claim

    path = context.build_path("state")
    with context.hold_lock_to_stop():  # the ip(8) of a killed start may still add the address
        location = search_address(context).location
        if location is not None or recall(path) != SavedPlace():
            context.require_root("change the addresses of an interface")
            claim.end_announcements(path)
        if location is not None:
            place, interface = location
            claim.remove_address(place.address, interface, context)
    context.release_sysctls()
    context.forget("state")


def require_means(context: Context) -> None:
    """Raise LvsdrError if this process cannot change addresses."""
    context.require_root("change the addresses of an interface")
    context.require_binary("ip", "iproute2")


def validate_environment(context: Context) -> None:
    """Raise BadArgument or NotInstalled if this node cannot run the resource.

    It needs ip(8), an interface, and a network that contains the address.
    """
    wanted = read_settings(context.values)
    context.require_binary("ip", "iproute2")
    choose_destination(context, wanted)


def _refresh_neighbours(
    context: Context, place: Place, interface: Interface, wanted: AddressSettings
) -> list[str]:
    """Announce the address again if configured; return the reason if that failed."""
    if not wanted.arp_count_refresh:
        return []
    from . import claim

    path, times = context.build_path("state"), wanted.arp_count_refresh
    try:
        with locking.locked(context.build_path("lock"), context.deadline.limit_to(0)):
            claim.end_announcements(path)
            claim.announce_address(path, place, interface, times, wanted.arp_interval)
    except LvsdrError as error:
        return [f"not announced: {error}"]
    return []


def still_serves(context: Context) -> bool:
    """Test whether an interface has the started address; this needs no program."""
    from ...system.net.own_addresses import has_address, list_addresses

    place, wanted = recall(context.build_path("state")).place, parse_wanted_place(context)
    if place is not None:
        return has_address(place.device, place.address)
    entries_elsewhere = (found.address for found in list_addresses() if found.device != "lo")
    return wanted is not None and wanted.address in entries_elsewhere


def _report_absence(context: Context, reason: str) -> ExitCode:
    if not context.is_probe:
        context.log.exit_reason(reason)
    return ExitCode.NOT_RUNNING


AGENT = Agent(
    name="vip",
    version=__version__,
    short="Virtual IP address",
    long=(
        "Manages an IPv4 or IPv6 address on an interface of this node. Start first checks whether "
        "another host on the segment has the address, then adds it and announces it to all "
        "neighbours. The same address on the loopback interface, as on a real server of direct "
        "routing, is ignored and left unchanged."
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
    is_active=still_serves,
)
