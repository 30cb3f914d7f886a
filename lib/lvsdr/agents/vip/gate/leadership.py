"""The view of the store in one run: query it, store its answer, and decide on the address."""

from __future__ import annotations

import os
import time

from .... import leader
from ....errors import ExitCode, InvalidParameters, LvsdrError, NotInstalled
from ....leader.gate import (
    Answer,
    HoldDecision,
    LeaderHistory,
    LeaderPolicy,
    Leadership,
    State,
    decide,
    record_answer,
)
from ....ocf.context import Context
from ....values.deadline import Deadline
from ....values.light_typing import NamedTuple
from . import saved_gate
from .saved_gate import SavedGate
from .settings import Gate, read_gate, read_policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LEADS = 1000
KEEPS = 10  # less than the score of the node that the store names by now

_TICK = 0.5  # seconds between two queries of one run


class MonitorResult(NamedTuple):
    """The result of one monitor: its effects, and its exit code for Pacemaker."""

    release: bool
    score: int | None
    """The promotion score; None removes it."""
    code: ExitCode


def choose_result(decision: HoldDecision, *, holding: bool) -> MonitorResult:
    """Return the result of a decision.  Pure.

    An instance that has just released the address reports once more that it is promoted (decision
    023).
    """
    score = (KEEPS if decision.degraded else LEADS) if decision.hold else None
    release = holding and not decision.hold
    if not holding:
        code = ExitCode.DEGRADED if decision.degraded else ExitCode.SUCCESS
    elif release or decision.degraded:
        code = ExitCode.DEGRADED_PROMOTED
    else:
        code = ExitCode.RUNNING_PROMOTED
    return MonitorResult(release, score, code)


class LeaderWatch:
    """The store's answers in this run, together with the answers to earlier runs."""

    def __init__(
        self,
        context: Context,
        question: str,
        policy: LeaderPolicy,
        ask: Callable[[Deadline], Answer],
    ) -> None:
        self.policy = policy
        self._context = context
        self._question = question
        self._ask = ask
        saved = saved_gate.recall(context.file("gate"))
        self._history = saved.history if saved and saved.question == question else LeaderHistory()

    def query_and_decide(self, *, holding: bool) -> HoldDecision:
        """Query the store once, store the answer, and decide.

        An answer that cannot be stored still counts: it may name another leader.  Raise
        NotInstalled if this node cannot query the store.
        """
        answer = self._ask(self._context.deadline.limit_to(self.policy.timeout))
        self._log_change(answer.leadership)
        self._history = record_answer(self._history, answer, self.policy)
        try:
            saved_gate.store(self._context.file("gate"), SavedGate(self._question, self._history))
        except LvsdrError as error:
            self._context.log.warning(str(error))
        return decide(self._history, holding=holding, now=time.monotonic(), policy=self.policy)

    def await_leadership(self, *, holding: bool) -> None:
        """Return once this node may have the address.

        Raise LvsdrError if the store does not name it once ``settle`` is over.  Raise
        DeadlineExceeded if the time of the action is used up.
        """
        patience = self._context.deadline.limit_to(self.policy.settle)
        while True:
            decision = self.query_and_decide(holding=holding)
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
        """Query once more; raise LvsdrError unless this node may have the address at once."""
        decision = self.query_and_decide(holding=False)
        if not decision.hold or time.monotonic() < (decision.not_before or 0.0):
            raise LvsdrError(f"not promoted: {decision.reason}")

    def _log_change(self, current: Leadership) -> None:
        """Log an answer that differs from the last one."""
        latest = self._history.latest
        previous = None if latest is None else (latest.leadership.state, latest.leadership.leader)
        if previous != (current.state, current.leader):
            known = current.state in (State.LEADER, State.FOLLOWER)
            log = self._context.log
            (log.info if known else log.warning)(f"{current.state.value}: {current.reason}")


def open_watch(context: Context) -> LeaderWatch:
    """Return the watch of this run.

    Raise InvalidParameters, or BadArgument if a file with a secret cannot be read.
    """
    gate = read_gate(context.values, find_node_name(context))
    return LeaderWatch(context, gate.question, read_policy(context.values), _make_query(gate))


def open_watch_despite_errors(context: Context) -> LeaderWatch:
    """Return the watch for a node that may have the address already.

    Configuration errors count as "no answer", so that a held address keeps its grace.
    """
    try:
        gate = read_gate(context.values, find_node_name(context))
    except InvalidParameters as error:
        return _open_silent_watch(context, LeaderPolicy(), error)
    except LvsdrError as error:
        return _open_silent_watch(context, read_policy(context.values), error)
    ask = _make_query(gate)

    def query(deadline: Deadline) -> Answer:
        try:
            return ask(deadline)
        except NotInstalled as error:
            return _build_silence(error)

    return LeaderWatch(context, gate.question, read_policy(context.values), query)


def is_started(context: Context) -> bool:
    """Test whether the instance was started in this boot, and not stopped since."""
    return saved_gate.recall(context.file("gate")) is not None


def find_node_name(context: Context) -> str:
    """Return Pacemaker's name of this node, or the host name if Pacemaker passes none."""
    return context.environ.get("OCF_RESKEY_CRM_meta_on_node") or os.uname().nodename


def _make_query(gate: Gate) -> Callable[[Deadline], Answer]:
    store = leader.open_store(gate.kind, gate.settings)
    return lambda deadline: leader.query_store(store, deadline)


def _open_silent_watch(context: Context, policy: LeaderPolicy, error: LvsdrError) -> LeaderWatch:
    """Return a watch without answers; earlier answers still count for the grace."""
    saved = saved_gate.recall(context.file("gate"))
    question = "" if saved is None else saved.question
    return LeaderWatch(context, question, policy, lambda _: _build_silence(error))


def _build_silence(error: LvsdrError) -> Answer:
    now = time.monotonic()
    return Answer(Leadership(State.UNKNOWN, str(error)), now, now)
