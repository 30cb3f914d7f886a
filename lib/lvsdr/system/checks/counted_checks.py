"""The running checks with their counts: the part of the watcher that concerns health checks.

The event loop of the watcher drives it like ``RunningChecks``.  After ``advance`` returned true,
the watcher stores ``facts`` and has the pool reconciled.  The reconcile reads them with
``parse_board`` and judges with ``judge_all``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ...pool.check_history import (
    Board,
    CheckState,
    Counting,
    begin_state,
    name_check,
    parse_board,
    record,
    render_board,
)
from ...pool.check_verdict import list_opinions
from ...pool.model import Outcome
from .running_checks import CheckSettings, RunningChecks


class CountedChecks:
    """The checks of all hosts, and their counts.

    ``stored`` are the facts of an earlier watcher of this boot, or none.  Raises InvalidParameters
    or NotInstalled if no check can be made.
    """

    def __init__(
        self,
        settings: CheckSettings,
        counting: Counting,
        stored: Mapping[str, Collection[str]],
    ) -> None:
        self._counting = counting
        self._name = name_check(settings.kind, settings.port)
        self._stored = parse_board(stored, self._name)
        self._board: dict[str, CheckState] = {}
        self._reserves: Collection[str] = ()
        self._opinions: Mapping[str, Outcome] = {}
        unwanted = [host for host, state in self._stored.items() if state.unwanted]
        self._checks = RunningChecks(settings, unwanted)

    @property
    def board(self) -> Board:
        """The counts of all hosts."""
        return self._board

    def keep(self, addresses: Mapping[str, str], reserves: Collection[str], now: float) -> None:
        """Check exactly these hosts; the counts of all others end.

        ``addresses`` are those of the candidates that Pacemaker regards as IN, and of the usable
        fallbacks, which are the ``reserves``.
        """
        new = self._checks.keep(addresses, now)
        kept = {host: state for host, state in self._board.items() if host not in new}
        for host in new:
            # The counts of an earlier watcher hold for the hosts that it checked, once.
            kept[host] = self._stored.get(host) or begin_state(now)
        self._board = {host: kept[host] for host in addresses}
        self._stored.clear()
        self._reserves = frozenset(reserves)
        opinions = list_opinions(self._board, self._counting, now, self._reserves)
        # A change that another reserve leads to is due, too; a host that comes or leaves is known.
        self._opinions = {host: self._opinions.get(host, opinions[host]) for host in opinions}

    def descriptors(self) -> dict[int, int]:
        """Return the descriptors to poll, with the events of ``select.poll``."""
        return self._checks.descriptors()

    def due(self) -> float | None:
        """Return the time at which ``advance`` is due without an event; None without hosts."""
        return self._checks.due()

    def advance(self, ready: Collection[int], now: float) -> bool:
        """Let all checks go on; return true if they led to another outcome for any host."""
        results = self._checks.advance(ready, now)
        for host, result in results:
            self._board[host] = record(self._board[host], result, self._counting)
        if not results:
            return False
        before = self._opinions
        self._opinions = list_opinions(self._board, self._counting, now, self._reserves)
        return self._opinions != before

    def facts(self) -> list[tuple[str, str]]:
        """Return names and values for the state file."""
        return render_board(self._board, self._name)

    def close(self) -> None:
        """End all checks."""
        self._checks.close()
