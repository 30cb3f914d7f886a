"""The health checks in one cycle: the counts of the check script, and the watcher's results.

The watcher makes the checks of ``realserver_check`` and stores their counts.  A cycle calls the
check script, counts its answers, and judges by both.
"""

from __future__ import annotations

import time
from math import inf

from ...pool.check_history import parse_board, render_board
from ...pool.check_verdict import count_script, judge_all
from ...pool.model import Candidate, Outcome, Verdict
from ...system.saved_facts import load_facts, render_facts
from ...values.light_typing import NamedTuple
from ...watcher.control import read_record
from ...watcher.facts import CHECKS, build_paths, digest_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from ...ocf.context import Context
    from ...pool.check_history import Board
    from ...pool.model import Located, Script
    from ...values.facts import Facts
    from .settings import DirectorSettings

SCRIPT_COUNTS = "script-checks"
"""The kind of the file with the counts of the check script."""


class CheckTargets(NamedTuple):
    """The hosts that the watcher checks."""

    addresses: Mapping[str, str]
    """The address of each host."""
    reserves: Collection[str]
    """The hosts among them that are no candidates, but usable fallbacks."""


class CycleChecks:
    """The checks of one cycle; without a context, nothing was counted before."""

    def __init__(self, settings: DirectorSettings, context: Context | None = None) -> None:
        self._settings = settings
        self._context = context
        self._counts: Board = {}
        self.targets: CheckTargets | None = None
        """The hosts to check; None if the cluster or the source of the candidates is unknown."""

    def count_answers(
        self, before: Sequence[Candidate], after: list[Candidate], *, interim: bool = False
    ) -> list[Candidate]:
        """Return the candidates, judged by the counted answers of the check script.

        ``before`` and ``after`` are the candidates before and after its call.  The counts before
        this cycle hold for each call of this method: the last one replaces the others.  A failure
        that may be the checker's own is judged after all answers are there; ``interim`` is true
        before.
        """
        script = self._settings.spec.check_script
        if script is None:
            return after
        counting = self._settings.counting._replace(max_age=inf, admits=True)
        before_this_cycle = parse_board(self._load(SCRIPT_COUNTS), _name_script(script))
        now = time.monotonic()
        self._counts, judged = count_script(before, after, before_this_cycle, counting, now)
        return [_doubt_uncertain_failure(candidate) for candidate in judged] if interim else judged

    def judge_servers(
        self, located: list[Located], fallback: Sequence[Located]
    ) -> tuple[list[Located], list[str]]:
        """Return the real servers, judged by the watcher's results, and the complaints."""
        if not self._settings.check:
            return located, []
        results = self._load(CHECKS)
        judgement = judge_all(
            [Candidate(server.host, server.verdict) for server in located],
            parse_board(results, self._settings.check),
            self._settings.counting,
            time.monotonic(),
            [server.host for server in fallback if _is_usable(server)],
        )
        judged = [
            server._replace(verdict=candidate.verdict)
            for server, candidate in zip(located, judgement.candidates)
        ]
        return judged, [*judgement.complaints, *self._find_missing_results(results)]

    def conclude(
        self, before: Sequence[Candidate], located: Sequence[Located], fallback: Sequence[Located]
    ) -> None:
        """Choose the hosts to check from now on: those that are IN by the sources, and reserves."""
        wanted_hosts = {c.host for c in before if c.verdict.outcome is Outcome.IN}
        candidates = {s.host: s.address for s in located if s.host in wanted_hosts}
        reserves = {
            s.host: s.address for s in fallback if _is_usable(s) and s.host not in wanted_hosts
        }
        addresses = {h: a for h, a in {**reserves, **candidates}.items() if a is not None}
        self.targets = CheckTargets(addresses, frozenset(reserves))

    def save_counts(self) -> tuple[str, ...]:
        """Save the counts of the check script; return the problem if that fails."""
        script = self._settings.spec.check_script
        if self._context is None:
            return ()
        if script is None:
            self._context.forget(SCRIPT_COUNTS)  # another script begins anew
            return ()
        if self.targets is None:
            return ()
        facts = render_board(self._counts, _name_script(script))
        return self._context.save(SCRIPT_COUNTS, render_facts(SCRIPT_COUNTS, facts))

    def _load(self, kind: str) -> Facts:
        """Return the facts of a file of this resource; empty without any of this boot."""
        if self._context is None:
            return {}
        return load_facts(self._context.build_path(kind), kind, dict) or {}

    def _find_missing_results(self, results: Facts) -> Iterator[str]:
        """Yield a sentence if no watcher makes the checks; start and reload-agent start one."""
        context, check = self._context, self._settings.check
        if context is None or context.action not in ("monitor", "reconcile"):
            return
        record = read_record(build_paths(context.environ, context.agent).record)
        if record is None:
            yield "no watcher makes the health checks: the cluster's state alone counts"
            return
        age = time.monotonic() - record.begun
        if results.get("check") != [check] and age > self._settings.counting.max_age:
            yield (
                "the watcher has stored no result of a health check: "
                "the cluster's state alone counts"
            )


def _name_script(script: Script) -> str:
    """Return the name of a script's counts: without its arguments, which may contain secrets."""
    arguments = "\0".join(script.argv)
    return f"{script.label} {digest_text(arguments)}"


def _doubt_uncertain_failure(candidate: Candidate) -> Candidate:
    """Return the candidate, as UNKNOWN if its failure is not certain."""
    if candidate.verdict.certain:
        return candidate
    return candidate._replace(verdict=Verdict(Outcome.UNKNOWN, candidate.verdict.reason))


def _is_usable(fallback: Located) -> bool:
    is_in = fallback.verdict.outcome is Outcome.IN
    return is_in and fallback.weight > 0 and fallback.address is not None
