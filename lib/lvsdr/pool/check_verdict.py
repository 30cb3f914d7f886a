"""The verdict from Pacemaker's verdict and the counted checks of all candidates.  Pure.

A check only takes away from Pacemaker's IN:

- below ``fall`` failures, Pacemaker's verdict stands;
- from there on, refused connections are FAILED.  Silence is WITHDRAWN, so that a loaded server
  keeps its sessions, and FAILED after ``fall`` more failures;
- an answer that the host is not wanted is WITHDRAWN at once;
- a host that comes back stays as it is (UNKNOWN) until ``rise`` successes;
- results that are too old do not count, and degrade the pool.

Failures need a witness: another candidate that is up, or a reserve that answers, with a check that
began after the first failure of this host.  The last failed check of this host must have begun
after the first answer of the witness: else the fault that is over for the witness may be over here,
too.  Without a witness the network of the checking node may be at fault: UNKNOWN.  So the witness
serves, and checks alone never empty the pool (decision 050).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..values.light_typing import NamedTuple
from .check_history import Board, CheckResult, CheckState, Counting, Reply, begin_state, record
from .model import Candidate, Outcome, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SCRIPT_REPLIES = {
    Outcome.IN: Reply.FIT,
    Outcome.WITHDRAWN: Reply.UNWANTED,
    Outcome.FAILED: Reply.REFUSED,
    Outcome.UNKNOWN: Reply.NONE,
}


class Judgement(NamedTuple):
    """The candidates with their final verdicts, and the sentences for a degraded pool."""

    candidates: list[Candidate]
    complaints: list[str]


def judge_all(
    candidates: Sequence[Candidate],
    board: Board,
    counting: Counting,
    now: float,
    reserves: Collection[str] = (),
) -> Judgement:
    """Return the verdicts on all candidates; a host that is not on the board keeps its own.

    ``reserves`` are the fallbacks that would serve if no candidate did.  Their checks do not change
    their own verdicts.
    """
    fit = {c.host for c in candidates if c.verdict.outcome is Outcome.IN}
    judged, complaints = [], []
    for candidate in candidates:
        verdict, state = candidate.verdict, board.get(candidate.host)
        if state is not None and verdict.outcome is Outcome.IN:
            others = (fit - {candidate.host}, set(reserves) - fit - {candidate.host})
            witnessed = _has_witness(state, board, others, counting, now)
            verdict = judge(verdict, state, witnessed, counting, now)
            complaint = _complain(state, counting, now)
            complaints += [f"{candidate.host}: {complaint}"] if complaint else []
        judged.append(candidate._replace(verdict=verdict))
    return Judgement(judged, complaints)


def list_opinions(
    board: Board, counting: Counting, now: float, reserves: Collection[str] = ()
) -> Mapping[str, Outcome]:
    """Return the outcome for each host that Pacemaker regards as IN, without the reserves.

    A reconcile is due when it changes.
    """
    verdict = Verdict(Outcome.IN, "")
    candidates = [Candidate(host, verdict) for host in board if host not in reserves]
    judged = judge_all(candidates, board, counting, now, reserves).candidates
    return {candidate.host: candidate.verdict.outcome for candidate in judged}


def _has_witness(
    state: CheckState,
    board: Board,
    others: tuple[Collection[str], Collection[str]],
    counting: Counting,
    now: float,
) -> bool:
    """Test whether another host shows that this node can reach real servers.

    ``others`` are candidates, which must be up, and reserves, which only have to answer: a fallback
    is often the primary, which is unwanted as a candidate.
    """
    candidates, reserves = others
    found = [board[host] for host in candidates if host in board and not board[host].down]
    found += [board[host] for host in reserves if host in board]
    return any(
        _answers(other, counting, now)
        and other.last.began > state.failed_at
        and other.answers_since <= state.last.began
        for other in found
    )


def _answers(state: CheckState, counting: Counting, now: float) -> bool:
    """Test whether the last result of a host is fresh, and an answer."""
    answered = not state.failures and state.last.reply is not Reply.NONE
    return answered and not is_stale(state, counting, now)


def is_stale(state: CheckState, counting: Counting, now: float) -> bool:
    """Test whether the last result is too old to count."""
    return now - state.last.ended > counting.max_age


def judge(
    pacemaker: Verdict, state: CheckState, witnessed: bool, counting: Counting, now: float
) -> Verdict:
    """Return the verdict on one host."""
    if pacemaker.outcome is not Outcome.IN:
        return pacemaker
    if state.problem and counting.admits:
        return Verdict(Outcome.UNKNOWN, state.problem)
    if state.last.reply is Reply.NONE or is_stale(state, counting, now):
        return pacemaker
    if state.last.reply is Reply.UNWANTED:
        return Verdict(Outcome.WITHDRAWN, state.last.reason)
    if state.failures >= counting.fall:
        return _judge_failures(state, witnessed, counting)
    progress = describe_counts(state, counting)
    if state.down or (state.failures and counting.admits and not state.proven):
        return Verdict(Outcome.UNKNOWN, progress, certain=False)
    if state.failures:
        return pacemaker._replace(reason=f"{pacemaker.reason}; {progress}")
    return pacemaker._replace(reason=state.last.reason) if counting.admits else pacemaker


def _judge_failures(state: CheckState, witnessed: bool, counting: Counting) -> Verdict:
    reason = describe_counts(state, counting)
    if not witnessed:
        doubt = "no check of another candidate has succeeded since, so the fault may be here"
        return Verdict(Outcome.UNKNOWN, f"{reason}; {doubt}", certain=False)
    lasting = state.refusals >= counting.fall or state.failures >= 2 * counting.fall
    outcome = Outcome.FAILED if lasting else Outcome.WITHDRAWN
    return Verdict(outcome, reason, certain=False)


def describe_counts(state: CheckState, counting: Counting) -> str:
    """Return the counts of a host and its last result, for the log and the explanation.

    >>> failed = CheckState(CheckResult(Reply.REFUSED, "tcp: refused", 1, 2), failures=2)
    >>> describe_counts(failed, Counting(3, 2, 3.0))
    '2 of 3 failures: tcp: refused'
    >>> describe_counts(failed._replace(failures=0, successes=1, down=True), Counting(3, 2, 3.0))
    '1 of 2 successes: tcp: refused'
    """
    reason = state.last.reason
    if state.failures >= counting.fall:
        return f"{state.failures} failures: {reason}"
    if state.failures:
        return f"{state.failures} of {counting.fall} failures: {reason}"
    if state.down:
        return f"{state.successes} of {counting.rise} successes: {reason}"
    return reason


def _complain(state: CheckState, counting: Counting, now: float) -> str:
    """Return why a check does not do its work; an empty text if it does.

    A problem counts when there is no fresh result any more.  A script's problem is in its verdict.
    """
    if is_stale(state, counting, now):
        why = f" ({state.problem})" if state.problem else ""
        # Without the age: a reason that changes in each cycle would be logged in each.
        return f"no recent check result{why}; the cluster's state alone counts"
    if state.last.reply is Reply.BUSY:
        return f"alive, but not checked further: {state.last.reason}"
    return ""


def count_script(
    before: Sequence[Candidate],
    after: Sequence[Candidate],
    board: Board,
    counting: Counting,
    now: float,
) -> tuple[dict[str, CheckState], list[Candidate]]:
    """Return the new counts and the verdicts after one call of the check script for each host.

    ``before`` and ``after`` are the candidates without and with the verdicts of the script.  The
    script was called for the hosts that were IN; all other counts are dropped.
    """
    answers = {candidate.host: candidate.verdict for candidate in after}
    counts: dict[str, CheckState] = {}
    for host in (c.host for c in before if c.verdict.outcome is Outcome.IN):
        answer = answers[host]
        reply = _SCRIPT_REPLIES[answer.outcome]
        if reply is Reply.REFUSED and answer.silent:
            reply = Reply.SILENT
        result = CheckResult(reply, answer.reason, now, now)
        counts[host] = record(board.get(host) or begin_state(now), result, counting)
    return counts, judge_all(before, counts, counting, now).candidates
