"""The agent vip with a gate: a promotable clone of which the leader's instance has the address.

Every instance watches the store.  The store's answers alone decide its actions, not the role that
Pacemaker has given it.  Its exit codes let Pacemaker follow (docs/decisions/023).
"""

from __future__ import annotations

from collections.abc import Callable

from .... import leader
from ....errors import ExitCode, LvsdrError, NotInstalled, SourceUnavailable
from ....ocf.agent import Action
from ....ocf.context import Context
from ....ocf.reload import unless_broken
from ....system import crm
from ....values.light_typing import TypeVar
from .. import PLAIN
from .. import monitor as monitor_plain
from .. import reload_agent as reload_plain
from .. import start as start_plain
from .. import still_serves as still_serves_plain
from .. import stop as release
from .. import validate_environment as validate_plain
from ..place import Sight, asked, destination, look
from ..saved_place import Memory, recall, store
from ..settings import Settings, misplaced, settings
from .leadership import Watch, node, outcome, started, watch, watch_anyway
from .parameters import PARAMETERS, TYPE
from .settings import gate

T = TypeVar("T")


def start(context: Context) -> None:
    """Start to watch the store, and remove an address that was left on this node."""
    wanted = settings(context.values)
    context.require_root("change the addresses of an interface")
    context.require_binary("ip", "iproute2")
    context.require_binary(crm.CRM_ATTRIBUTE, "pacemaker-cli-utils")
    destination(context, wanted)
    watching = watch(context)
    release(context)
    with context.locked():
        decision = watching.look(holding=False)
    if not started(context):
        raise LvsdrError(f"{context.file('gate')} could not be written")
    _warn(context, _prefer(context, outcome(decision, holding=False).score))
    if "OCF_RESKEY_CRM_meta_on_node" in context.environ and not _promotable(context):
        context.log.warning("dcs_type is set, but nobody promotes this: make it a promotable clone")


def monitor(context: Context) -> ExitCode:
    """Release the address at once unless this node may have it; return the instance's state."""
    sight = _sight(context)
    holding = sight.found is not None
    if context.is_probe:
        return _as_probed(context, sight)
    if not holding and not started(context):
        context.log.exit_reason("not started here")
        return ExitCode.NOT_RUNNING
    with context.locked():
        decision = watch_anyway(context).look(holding=holding)
    found = outcome(decision, holding=holding)
    try:
        if found.release:
            release(context)
    finally:
        unset = _prefer(context, found.score)
    if found.release:
        context.log.exit_reason(f"address released: {decision.reason}")
        return found.code
    reasons = [*([decision.reason] if decision.degraded else []), *unset]
    confirmed = decision.asked is not None
    return _kept(context, reasons, confirmed) if holding else _unpromoted(context, sight, reasons)


def promote(context: Context) -> ExitCode | None:
    """Return when the address works here; raise LvsdrError if this node does not lead."""
    wanted = settings(context.values)
    watching = watch(context)
    context.require_root("change the addresses of an interface")
    context.require_binary("ip", "iproute2")
    if not started(context):
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
    if held or started(context):
        return None
    context.log.exit_reason("not started here")
    return ExitCode.NOT_RUNNING


def stop(context: Context) -> None:
    """Release the address, if it is here, and stop watching."""
    release(context)
    if started(context):
        _warn(context, _prefer(context, None))
    context.forget("gate")


def reload_agent(context: Context) -> None:
    """Apply the current parameters; the next monitor queries the store with them."""
    watch(context)
    settings(context.values)
    if _sight(context).found is not None or not started(context):
        reload_plain(context)


def validate_environment(context: Context) -> None:
    """Raise LvsdrError if this node cannot run the resource or query the store."""
    validate_plain(context)
    context.require_binary(crm.CRM_ATTRIBUTE, "pacemaker-cli-utils")
    found = gate(context.values, node(context))
    leader.ask(leader.open_store(found.kind, found.settings), context.deadline.sooner(2.0))


def _take(context: Context, watching: Watch, wanted: Settings) -> None:
    from .. import announcing, claim

    path = context.file("state")
    place, interfaces = destination(context, wanted)
    interface = claim.linked(place, interfaces, wanted, context)
    there = bool(interface.having(place.address))
    watching.await_leadership(holding=there)
    announcing.end(path)
    claim.leave(recall(path).place, place, interfaces, context)
    if not there:
        claim.refuse_conflict(place, interface, interfaces, wanted, context.deadline)
        watching.confirm()  # the probes on the segment took a second
    store(path, Memory(place))  # stop needs the place, even if this run is killed next
    claim.keep_sysctls(place, context)
    claim.bring(place, interface, wanted, context)
    announcing.announce(path, place, interface, wanted.arp_count, wanted.arp_interval)


def _sight(context: Context) -> Sight:
    try:
        return look(context, recall(context.file("state")), asked(context))
    except NotInstalled as error:  # NotInstalled would ban the resource from this node for good
        raise LvsdrError(f"cannot look for the address: {error}") from None


def _as_probed(context: Context, sight: Sight) -> ExitCode:
    """Return the state of the address on this node; a probe does not query the store."""
    if sight.found is None:
        return ExitCode.SUCCESS if started(context) else ExitCode.NOT_RUNNING
    problem = misplaced(*sight.found, asked(context))
    if problem is not None:
        raise LvsdrError(problem)
    return ExitCode.RUNNING_PROMOTED


def _kept(context: Context, reasons: list[str], confirmed: bool) -> ExitCode:
    """Check an address that stays, as the agent without a gate does, and return the exit code.

    A missing link is no reason to release the address: no other node may have it.
    """
    code = monitor_plain(context, confirmed=confirmed)
    if reasons:
        context.log.exit_reason("; ".join(reasons), logged=False)
    return ExitCode.DEGRADED_PROMOTED if reasons or code else ExitCode.RUNNING_PROMOTED


def _unpromoted(context: Context, sight: Sight, reasons: list[str]) -> ExitCode:
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
        crm.set_promotion_score(resource, score, context.deadline)
    except SourceUnavailable as error:
        return [str(error)]
    return []


def _warn(context: Context, reasons: list[str]) -> None:
    for reason in reasons:
        context.log.warning(reason)


def _promotable(context: Context) -> bool:
    names = ("promotable", "promoted_max")
    return any(f"OCF_RESKEY_CRM_meta_{name}" in context.environ for name in names)


def _with_a_gate(context: Context) -> bool:
    return context.environ.get(f"OCF_RESKEY_{TYPE.name}", "").strip() not in ("", "none")


def _either(plain: Callable[[Context], T], gated: Callable[[Context], T]) -> Callable[[Context], T]:
    return lambda context: (gated if _with_a_gate(context) else plain)(context)


def _not_promotable(_: Context) -> ExitCode:
    """Return the exit code of an unknown action: without a gate there is no promotion."""
    print(AGENT.usage(), end="")
    return ExitCode.ERR_UNIMPLEMENTED


_MONITOR = _either(monitor_plain, monitor)
_RELOAD = _either(reload_plain, reload_agent)

AGENT = PLAIN._replace(
    parameters=PARAMETERS,
    actions=(
        Action("start", _either(start_plain, start), "20s"),
        Action("stop", _either(release, stop), "20s"),
        Action("monitor", _MONITOR, "20s", interval="10s", depth="0"),
        Action("monitor", monitor, "20s", interval="3s", depth="0", role="Promoted"),
        Action("promote", _either(_not_promotable, promote), "30s"),
        Action("demote", _either(_not_promotable, demote), "20s"),
        Action("reload-agent", unless_broken(_RELOAD, _MONITOR), "20s"),
    ),
    validate_environment=_either(validate_plain, validate_environment),
    # An address behind a gate stays only while the store's answers allow it (docs/decisions/018).
    still_serves=_either(still_serves_plain, lambda _: False),
)
"""The agent with all of its actions and parameters."""
