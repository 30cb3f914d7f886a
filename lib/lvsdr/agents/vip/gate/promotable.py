"""The agent vip with a gate: a promotable clone of which the leader's instance has the address.

Every instance watches the store.  The store's answers alone decide its actions, not the role that
Pacemaker has given it.  Its exit codes let Pacemaker follow (docs/decisions/023).
"""

from __future__ import annotations

from .... import leader
from ....errors import ExitCode, LvsdrError, NotInstalled, SourceUnavailable
from ....ocf.agent import Action
from ....ocf.context import Context
from ....ocf.reload import unless_broken
from ....system import promotion
from .. import plain
from ..place import AddressSearch, choose_destination, parse_wanted_place, search_address
from ..plain import stop as release
from ..saved_place import SavedPlace, recall, store
from ..settings import AddressSettings, find_misplacement, read_settings
from .leadership import (
    LeaderWatch,
    choose_result,
    find_node_name,
    is_started,
    open_watch,
    open_watch_despite_errors,
)
from .parameter_rules import PARAMETERS
from .settings import read_gate


def start(context: Context) -> None:
    """Start to watch the store, and remove an address that was left on this node."""
    wanted = read_settings(context.values)
    context.require_root("change the addresses of an interface")
    context.require_binary("ip", "iproute2")
    context.require_binary(promotion.PROGRAM, "pacemaker-cli-utils")
    choose_destination(context, wanted)
    watching = open_watch(context)
    release(context)
    with context.locked():
        decision = watching.query_and_decide(holding=False)
    if not is_started(context):
        raise LvsdrError(f"{context.file('gate')} could not be written")
    _warn(context, _prefer(context, choose_result(decision, holding=False).score))
    if "OCF_RESKEY_CRM_meta_on_node" in context.environ and not _promotable(context):
        context.log.warning("dcs_type is set, but nobody promotes this: make it a promotable clone")


def monitor(context: Context) -> ExitCode:
    """Release the address at once unless this node may have it; return the instance's state."""
    sight = _sight(context)
    holding = sight.found is not None
    if context.is_probe:
        return _as_probed(context, sight)
    if not holding and not is_started(context):
        context.log.exit_reason("not started here")
        return ExitCode.NOT_RUNNING
    with context.locked():
        decision = open_watch_despite_errors(context).query_and_decide(holding=holding)
    found = choose_result(decision, holding=holding)
    try:
        if found.release:
            release(context)
    finally:
        unset = _prefer(context, found.score)
    if found.release:
        context.log.exit_reason(f"address released: {decision.reason}")
        return found.code
    reasons = [*([decision.reason] if decision.degraded else []), *unset]
    confirmed = decision.confirmed_at is not None
    return _kept(context, reasons, confirmed) if holding else _unpromoted(context, sight, reasons)


def promote(context: Context) -> ExitCode | None:
    """Return when the address works here; raise LvsdrError if this node does not lead."""
    wanted = read_settings(context.values)
    watching = open_watch(context)
    context.require_root("change the addresses of an interface")
    context.require_binary("ip", "iproute2")
    if not is_started(context):
        context.log.exit_reason("not started here")
        return ExitCode.NOT_RUNNING
    try:
        with context.locked():
            _take(context, watching, wanted)
    except LvsdrError:
        # Without a score, Pacemaker promotes only after a monitor finds that this node leads.
        _warn(context, _prefer(context, None))
        release(context)
        raise
    return None


def demote(context: Context) -> ExitCode | None:
    """Release the address, if it is here, and go on watching."""
    held = _sight(context).found is not None
    release(context)
    if held or is_started(context):
        return None
    context.log.exit_reason("not started here")
    return ExitCode.NOT_RUNNING


def stop(context: Context) -> None:
    """Release the address, if it is here, and stop watching."""
    release(context)
    if is_started(context):
        _warn(context, _prefer(context, None))
    context.forget("gate")


def reload_agent(context: Context) -> None:
    """Apply the current parameters; the next monitor queries the store with them."""
    open_watch(context)
    read_settings(context.values)
    if _sight(context).found is not None or not is_started(context):
        plain.reload_agent(context)


def validate_environment(context: Context) -> None:
    """Raise LvsdrError if this node cannot run the resource or query the store."""
    plain.validate_environment(context)
    context.require_binary(promotion.PROGRAM, "pacemaker-cli-utils")
    found = read_gate(context.values, find_node_name(context))
    leader.ask(leader.open_store(found.kind, found.settings), context.deadline.sooner(2.0))


def _take(context: Context, watching: LeaderWatch, wanted: AddressSettings) -> None:
    from .. import claim

    path = context.file("state")
    place, interfaces = choose_destination(context, wanted)
    interface = claim.set_up_interface(place, interfaces, wanted, context)
    there = bool(interface.having(place.address))
    watching.await_leadership(holding=there)
    claim.end_announcements(path)
    claim.leave_old_place(recall(path).place, place, interfaces, context)
    if not there:
        claim.refuse_conflict(place, interface, interfaces, wanted, context.deadline)
        watching.confirm()  # the probes on the segment took a second
    store(path, SavedPlace(place))  # stop needs the place, even if this run is killed next
    claim.keep_sysctls(place, context)
    claim.establish_address(place, interface, wanted, context)
    claim.announce_address(path, place, interface, wanted.arp_count, wanted.arp_interval)


def _sight(context: Context) -> AddressSearch:
    try:
        return search_address(context, recall(context.file("state")), parse_wanted_place(context))
    except NotInstalled as error:  # NotInstalled would ban the resource from this node for good
        raise LvsdrError(f"cannot look for the address: {error}") from None


def _as_probed(context: Context, sight: AddressSearch) -> ExitCode:
    """Return the state of the address on this node; a probe does not query the store."""
    if sight.found is None:
        return ExitCode.SUCCESS if is_started(context) else ExitCode.NOT_RUNNING
    problem = find_misplacement(*sight.found, parse_wanted_place(context))
    if problem is not None:
        raise LvsdrError(problem)
    return ExitCode.RUNNING_PROMOTED


def _kept(context: Context, reasons: list[str], confirmed: bool) -> ExitCode:
    """Check an address that stays, as the agent without a gate does, and return the exit code.

    A missing link is no reason to release the address: no other node may have it.
    """
    code = plain.monitor(context, confirmed=confirmed)
    if reasons:
        context.log.exit_reason("; ".join(reasons), logged=False)
    return ExitCode.DEGRADED_PROMOTED if reasons or code else ExitCode.RUNNING_PROMOTED


def _unpromoted(context: Context, sight: AddressSearch, reasons: list[str]) -> ExitCode:
    if recall(context.file("state")).place is not None:
        context.log.exit_reason(f"not released here, but gone: {sight.absence}")
        return ExitCode.FAILED_PROMOTED
    if reasons:
        context.log.exit_reason("; ".join(reasons), logged=False)
        return ExitCode.DEGRADED
    return ExitCode.SUCCESS


def _prefer(context: Context, score: int | None) -> list[str]:
    """Set the promotion score; return the reason if that failed."""
    resource = context.environ.get("OCF_RESOURCE_INSTANCE") or context.agent
    try:
        promotion.prefer(resource, score, context.deadline)
    except SourceUnavailable as error:
        return [str(error)]
    return []


def _warn(context: Context, reasons: list[str]) -> None:
    for reason in reasons:
        context.log.warning(reason)


def _promotable(context: Context) -> bool:
    names = ("promotable", "promoted_max")
    return any(f"OCF_RESKEY_CRM_meta_{name}" in context.environ for name in names)


def _refuse_promotion(_: Context) -> ExitCode:
    """Return the exit code of an unknown action: without a gate there is no promotion."""
    print(AGENT.usage(), end="")
    return ExitCode.ERR_UNIMPLEMENTED


def _without_gate(action: Action) -> Action:
    handlers = {one.name: one.handler for one in plain.AGENT.actions}
    return action._replace(handler=handlers.get(action.name, _refuse_promotion))


AGENT = plain.AGENT._replace(
    parameters=PARAMETERS,
    actions=(
        Action("start", start, "20s"),
        Action("stop", stop, "20s"),
        Action("monitor", monitor, "20s", interval="10s", depth="0"),
        Action("monitor", monitor, "20s", interval="3s", depth="0", role="Promoted"),
        Action("promote", promote, "30s"),
        Action("demote", demote, "20s"),
        Action("reload-agent", unless_broken(reload_agent, monitor), "20s"),
    ),
    validate_environment=validate_environment,
    # An address behind a gate stays only while the store's answers allow it (docs/decisions/018).
    still_serves=lambda _: False,
)
"""The agent with a gate."""

AGENT_WITHOUT_GATE = AGENT._replace(
    actions=tuple(map(_without_gate, AGENT.actions)),
    validate_environment=plain.AGENT.validate_environment,
    still_serves=plain.AGENT.still_serves,
)
"""The agent without a gate that describes and checks all parameters."""
