"""Ask the store, remember what it said for the next run, and decide who has the address."""

from __future__ import annotations

import os
import time

from ... import leader
from ...deadline import Deadline
from ...errors import ExitCode, InvalidParameters, LvsdrError, NotInstalled
from ...gate import Answer, Decision, Leadership, Policy, Standing, State, decide, heard
from ...ocf.context import Context
from ...typed import NamedTuple
from . import standing
from .gate_settings import Gate, gate, policy
from .standing import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LEADS = 1000
KEEPS = 10  # less than the one has that the store names by now

_TICK = 0.5  # seconds between two questions of one run


class Outcome(NamedTuple):
    """What one monitor has to do, and to tell Pacemaker."""

    release: bool
    score: int | None
    """The promotion score; None removes it."""
    code: ExitCode


def outcome(decision: Decision, *, holding: bool) -> Outcome:
    """Pure.  Who has let go says once more that it is promoted: see docs/decisions/023."""
    score = (KEEPS if decision.degraded else LEADS) if decision.hold else None
    release = holding and not decision.hold
    if not holding:
        code = ExitCode.DEGRADED if decision.degraded else ExitCode.SUCCESS
    elif release or decision.degraded:
        code = ExitCode.DEGRADED_PROMOTED
    else:
        code = ExitCode.RUNNING_PROMOTED
    return Outcome(release, score, code)


class Watch:
    """The store as one run of the agent sees it, in the light of what earlier ones heard."""

    def __init__(
        self, context: Context, question: str, policy: Policy, ask: Callable[[Deadline], Answer]
    ) -> None:
        self.policy = policy
        self._context = context
        self._question = question
        self._ask = ask
        record = standing.recall(context.file("gate"))
        same = record is not None and record.question == question
        self._standing = record.standing if record is not None and same else Standing()

    def look(self, *, holding: bool) -> Decision:
        """Ask once, remember the answer, decide; NotInstalled without what it takes to ask.

        An answer that cannot be remembered counts all the same: it may say that another leads.
        """
        answer = self._ask(self._context.deadline.sooner(self.policy.timeout))
        self._tell(answer.leadership)
        self._standing = heard(self._standing, answer, self.policy)
        try:
            standing.store(self._context.file("gate"), Record(self._question, self._standing))
        except LvsdrError as error:
            self._context.log.warning(str(error))
        return decide(self._standing, holding=holding, now=time.monotonic(), policy=self.policy)

    def await_leadership(self, *, holding: bool) -> None:
        """Return once this node may have the address.

        Raises LvsdrError if the store does not name it within ``settle``, or no longer does.
        """
        patience = self._context.deadline.sooner(self.policy.settle)
        while True:
            decision = self.look(holding=holding)
            if not decision.hold or decision.degraded:
                wait = patience.remaining()
                if not wait:
                    raise LvsdrError(f"not promoted: {decision.reason}")
            else:
                wait = (decision.not_before or 0.0) - time.monotonic()
                if wait <= 0:
                    return
            self._context.deadline.require("the store to name this node for long enough")
            time.sleep(min(wait, _TICK))

    def confirm(self) -> None:
        """Ask once more; raises LvsdrError unless this node may have the address at once."""
        decision = self.look(holding=False)
        if not decision.hold or time.monotonic() < (decision.not_before or 0.0):
            raise LvsdrError(f"not promoted: {decision.reason}")

    def _tell(self, said: Leadership) -> None:
        """Log what is news."""
        latest = self._standing.latest
        before = None if latest is None else (latest.leadership.state, latest.leadership.leader)
        if before != (said.state, said.leader):
            known = said.state in (State.LEADER, State.FOLLOWER)
            log = self._context.log
            (log.info if known else log.warning)(f"{said.state.value}: {said.reason}")


def watch(context: Context) -> Watch:
    """Raises InvalidParameters, or BadArgument if a file with a secret cannot be read."""
    found = gate(context.values, node(context))
    return Watch(context, found.question, policy(context.values), _asking(found))


def watch_anyway(context: Context) -> Watch:
    """For whoever may have the address already: what keeps it from asking is no answer, too."""
    try:
        found = gate(context.values, node(context))
    except InvalidParameters as error:
        return _ignorant(context, Policy(), error)
    except LvsdrError as error:
        return _ignorant(context, policy(context.values), error)
    ask = _asking(found)

    def answered(deadline: Deadline) -> Answer:
        try:
            return ask(deadline)
        except NotInstalled as error:
            return _no_answer(error)

    return Watch(context, found.question, policy(context.values), answered)


def started(context: Context) -> bool:
    """Whether the instance was started in this boot, and not stopped since."""
    return standing.recall(context.file("gate")) is not None


def node(context: Context) -> str:
    """The name of this node: Pacemaker's, or the host's where it is not told."""
    return context.environ.get("OCF_RESKEY_CRM_meta_on_node") or os.uname().nodename


def _asking(found: Gate) -> Callable[[Deadline], Answer]:
    store = leader.open_store(found.kind, found.settings)
    return lambda deadline: leader.ask(store, deadline)


def _ignorant(context: Context, policy: Policy, error: LvsdrError) -> Watch:
    """What was heard before still counts for the grace."""
    record = standing.recall(context.file("gate"))
    question = "" if record is None else record.question
    return Watch(context, question, policy, lambda _: _no_answer(error))


def _no_answer(error: LvsdrError) -> Answer:
    now = time.monotonic()
    return Answer(Leadership(State.UNKNOWN, str(error)), now, now)
