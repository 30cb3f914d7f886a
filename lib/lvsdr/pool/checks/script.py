"""The user's own check: ``realserver_check_active_real_server_script``.

The script is called with the candidate appended, for all candidates side by side.  ``t`` means fit,
``f`` means alive but not wanted; a failure or a timeout means a failed real server.  A script that
cannot be started, or prints another text, gives no verdict on any real server.  These are the
verdicts of one call; ``check_verdict.count_script`` counts them.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...system.process.run import PARALLEL, Result, Terms, run_all
from ..model import Candidate, CheckLimits, Outcome, PoolSpec, Script, Verdict

_OUTPUT_LIMIT = 1024 * 1024
_SHELL_CANNOT_RUN = (126, 127)  # POSIX shell: found but not executable, not found


def check_candidates(
    candidates: list[Candidate], spec: PoolSpec, limits: CheckLimits
) -> list[Candidate]:
    """Return the candidates; those that were IN have the script's verdict."""
    script = spec.check_script
    if script is None:
        return candidates
    from ...system.process.fork import spawn_tied  # its imports are too costly without a script

    hosts = [candidate.host for candidate in candidates if candidate.verdict.outcome is Outcome.IN]

    def judge_candidates(results: Mapping[int, Result]) -> list[Candidate]:
        late_verdict = Verdict(Outcome.UNKNOWN, f"{script.label} has not answered yet")
        verdicts_by_host = {
            host: judge_result(script, results[index]) if index in results else late_verdict
            for index, host in enumerate(hosts)
        }
        return [
            candidate._replace(verdict=verdicts_by_host.get(candidate.host, candidate.verdict))
            for candidate in candidates
        ]

    def pass_interim(results: Mapping[int, Result]) -> None:
        if limits.receive_interim is not None:
            limits.receive_interim(judge_candidates(results))

    rounds = max(1, -(-len(hosts) // PARALLEL))
    results = run_all(
        [(*script.argv, host) for host in hosts],
        limits.deadline,
        timeout=limits.limit_timeout(script.timeout, rounds),
        limit=_OUTPUT_LIMIT,
        terms=Terms(limits.answer_timeout / rounds, pass_interim, spawn_tied),
    )
    return judge_candidates(dict(enumerate(results)))


def judge_result(script: Script, result: Result) -> Verdict:
    """Return the verdict of one call."""
    if result.inconclusive or result.status in _SHELL_CANNOT_RUN:
        return Verdict(
            Outcome.UNKNOWN, f"{script.label} gave no answer: {result.describe_failure()}"
        )
    if result.problem or result.status != 0:
        reason = f"{script.label}: {result.describe_failure()}"
        return Verdict(Outcome.FAILED, reason, certain=False, silent=result.problem is not None)
    answer = result.stdout.strip().decode("utf-8", "replace")
    if answer == "t":
        return Verdict(Outcome.IN, f"{script.label} printed t")
    if answer == "f":
        return Verdict(Outcome.WITHDRAWN, f"{script.label} printed f")
    return Verdict(Outcome.UNKNOWN, f"{script.label} printed {answer[:60]!a}, not t or f")
