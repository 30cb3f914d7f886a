"""The agent vip with a gate: a promotable clone of which the leader's instance has the address.

Every instance watches the store.  The store's answers alone decide its actions, not the role that
Pacemaker has given it.  Its exit codes let Pacemaker follow (docs/decisions/023).
"""

from __future__ import annotations

from .... import leader
from ....errors import ExitCode, LvsdrError, SourceUnavailable
from ....ocf.actions import Action, unless_broken
from ....ocf.context import Context
from ....system import crm
from .. import plain
from ..place import AddressSearch, choose_destination, search_without_ban
from ..plain import require_means
from ..plain import stop as release_address
from ..saved_place import recall
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
    require_means(context)
    context.require_binary(crm.CRM_ATTRIBUTE, "pacemaker-cli-utils")
    choose_destination(context, wanted)
    watch = open_watch(context)
    release_address(context)
    with context.locked():
        decision = watch.query_and_decide(holding=False)
    if not is_started(context):
        raise LvsdrError(f"cannot start without a state file: cannot write {context.file('gate')}")
    _log_warnings(context, _set_score(context, choose_result(decision, holding=False).score))
    if "OCF_RESKEY_CRM_meta_on_node" in context.environ and not _is_promotable(context):
        context.log.warning(
            "dcs_type is set, but the resource is not promotable, so no node gets the address: "
            "make it a promotable clone"
        )


def monitor(context: Context) -> ExitCode:
    """Release the address at once unless this node may have it; return the instance's state."""
    search = search_without_ban(context)
    holding = search.location is not None
    if context.is_probe:
        return _probe(context, search)
    if not holding and not is_started(context):
        return _report_not_started(context)
    with context.locked():
        decision = open_watch_despite_errors(context).query_and_decide(holding=holding)
    result = choose_result(decision, holding=holding)
    try:
        if result.release:
            release_address(context)
    finally:
        score_problems = _set_score(context, result.score)
    if result.release:
        context.log.exit_reason(f"address released: {decision.reason}")
        return result.code
    problems = [*([decision.reason] if decision.degraded else []), *score_problems]
    if not holding:
        return _check_released(context, search, problems)
    return _check_held(context, problems, confirmed=decision.confirmed_at is not None)


def promote(context: Context) -> ExitCode | None:
    """Return when the address works here; raise LvsdrError if this node does not lead."""
    wanted = read_settings(context.values)
    watch = open_watch(context)
    require_means(context)
    if not is_started(context):
        return _report_not_started(context)
    try:
        with context.locked():
            _take_when_leading(context, watch, wanted)
    except LvsdrError:
        # Without a score, Pacemaker promotes only after a monitor finds that this node leads.
        _log_warnings(context, _set_score(context, None))
        release_address(context)
        raise
    return None


def demote(context: Context) -> ExitCode | None:
    """Release the address, if it is here, and go on watching."""
    held = search_without_ban(context).location is not None
    release_address(context)
    if held or is_started(context):
        return None
    return _report_not_started(context)


def stop(context: Context) -> None:
    """Release the address, if it is here, and stop watching."""
    release_address(context)
    if is_started(context):
        _log_warnings(context, _set_score(context, None))
    context.forget("gate")


def reload_agent(context: Context) -> None:
    """Apply the current parameters; the next monitor queries the store with them."""
    open_watch(context)
    read_settings(context.values)
    if search_without_ban(context).location is not None or not is_started(context):
        plain.reload_agent(context)


def validate_environment(context: Context) -> None:
    """Raise LvsdrError if this node cannot run the resource or query the store."""
    plain.validate_environment(context)
    context.require_binary(crm.CRM_ATTRIBUTE, "pacemaker-cli-utils")
    gate = read_gate(context.values, find_node_name(context))
    leader.query_store(leader.open_store(gate.kind, gate.settings), context.deadline.limit_to(2.0))


def _take_when_leading(context: Context, watch: LeaderWatch, wanted: AddressSettings) -> None:
    from .. import claim

    path = context.file("state")
    place, interfaces = choose_destination(context, wanted)
    interface = claim.set_up_interface(place, interfaces, wanted, context)
    there = bool(interface.find_entries(place.address))
    watch.await_leadership(holding=there)
    claim.end_announcements(path)
    claim.leave_old_place(recall(path).place, place, interfaces, context)
    if not there:
        claim.refuse_conflict(place, interface, interfaces, wanted, context.deadline)
        watch.confirm()  # the probes on the segment took a second
    claim.take_address(place, interface, wanted, context)


def _report_not_started(context: Context) -> ExitCode:
    context.log.exit_reason("the instance is not started on this node")
    return ExitCode.NOT_RUNNING


def _probe(context: Context, search: AddressSearch) -> ExitCode:
    """Return the state of the address on this node; a probe does not query the store."""
    if search.location is None:
        return ExitCode.SUCCESS if is_started(context) else ExitCode.NOT_RUNNING
    problem = find_misplacement(*search.location, search.wanted)
    if problem is not None:
        raise LvsdrError(problem)
    return ExitCode.RUNNING_PROMOTED


def _check_held(context: Context, reasons: list[str], *, confirmed: bool) -> ExitCode:
    """Check an address that stays, as the agent without a gate does, and return the exit code.

    A missing link is no reason to release the address: no other node may have it.
    """
    code = plain.monitor(context, confirmed=confirmed)
    if reasons:
        context.log.exit_reason("; ".join(reasons), logged=False)
    return ExitCode.DEGRADED_PROMOTED if reasons or code else ExitCode.RUNNING_PROMOTED


def _check_released(context: Context, search: AddressSearch, reasons: list[str]) -> ExitCode:
    if recall(context.file("state")).place is not None:
        context.log.exit_reason(f"address lost without a release: {search.absence}")
        return ExitCode.FAILED_PROMOTED
    if reasons:
        context.log.exit_reason("; ".join(reasons), logged=False)
        return ExitCode.DEGRADED
    return ExitCode.SUCCESS


def _set_score(context: Context, score: int | None) -> list[str]:
    """Set the promotion score; return the reason if that failed."""
    resource = context.environ.get("OCF_RESOURCE_INSTANCE") or context.agent
    try:
        crm.set_promotion_score(resource, score, context.deadline)
    except SourceUnavailable as error:
        return [str(error)]
    return []


def _log_warnings(context: Context, reasons: list[str]) -> None:
    for reason in reasons:
        context.log.warning(reason)


def _is_promotable(context: Context) -> bool:
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
