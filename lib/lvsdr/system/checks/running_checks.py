"""The checks of all hosts, side by side, for the event loop of the watcher.

The loop polls ``descriptors()`` until ``due()`` and passes the ready ones to ``advance``, which
returns the results that have come.  Nothing here waits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from ...pool.check_history import CheckResult, Reply, compute_max_age
from ...postgres.lag import Limits
from ...postgres.lag_history import LagHistory, Positions, add_positions, explain_lag, keep_hosts
from .host_check import Checker, HostCheck
from .tcp_check import TcpChecker


class CheckSettings(NamedTuple):
    """The settings of the checks, from the parameters."""

    kind: str
    """``tcp`` or ``postgres``."""
    port: int
    interval: float
    timeout: float
    conninfo: str = ""
    max_lag: Limits = Limits()

    @property
    def max_age(self) -> float:
        """The seconds for which a result counts."""
        return compute_max_age(self.interval, self.timeout)


class RunningChecks:
    """The running checks; ``behind`` are the hosts that were withdrawn because of their lag.

    Raises InvalidParameters or NotInstalled if no check can be made.
    """

    def __init__(self, settings: CheckSettings, behind: Collection[str] = ()) -> None:
        open_checker(settings, "localhost", "127.0.0.1")  # also imports all modules now
        self._settings = settings
        self._addresses: dict[str, str] = {}
        self._checks: dict[str, HostCheck] = {}
        self._lag = LagHistory(behind=frozenset(behind))

    @property
    def hosts(self) -> Collection[str]:
        """The hosts that are checked."""
        return self._checks.keys()

    def keep(self, addresses: Mapping[str, str], now: float) -> list[str]:
        """Check exactly these hosts, by their addresses; return the hosts whose checks are new.

        A host with another address than before is new.
        """
        for host in list(self._checks):
            if addresses.get(host) != self._addresses[host]:
                self._checks.pop(host).close()
        new = [host for host in addresses if host not in self._checks]
        for host in new:
            checker = open_checker(self._settings, host, addresses[host])
            settings = self._settings
            self._checks[host] = HostCheck(checker, settings.interval, settings.timeout, now)
        self._addresses = dict(addresses)
        self._lag = keep_hosts(self._lag, self._addresses)
        return new

    def descriptors(self) -> dict[int, int]:
        """Return the descriptors to poll, with the events of ``select.poll``."""
        checks = self._checks.values()
        return {check.fileno(): check.events for check in checks if check.fileno() >= 0}

    def due(self) -> float | None:
        """Return the time at which ``advance`` is due without an event; None without hosts."""
        return min((check.due for check in self._checks.values()), default=None)

    def advance(self, ready: Collection[int], now: float) -> list[tuple[str, CheckResult]]:
        """Let all checks go on, and return the results that have come."""
        results = []
        # A check may close a descriptor, and another one open it again.
        readiness = {host: check.fileno() in ready for host, check in self._checks.items()}
        for host, check in self._checks.items():
            found = check.advance(now, readiness[host])
            if found is not None:
                result, positions = found
                results.append((host, self._with_lag(host, result, positions)))
        return results

    def _with_lag(self, host: str, result: CheckResult, positions: Positions | None) -> CheckResult:
        """Return the result; a standby that is too far behind is unwanted."""
        limits = self._settings.max_lag
        if positions is None or limits == Limits():
            return result
        age = self._settings.max_age
        self._lag = add_positions(self._lag, host, positions, result.ended, limits, age)
        reason = explain_lag(self._lag, host, limits) if positions.in_recovery else ""
        return result._replace(reply=Reply.UNWANTED, reason=reason) if reason else result

    def close(self) -> None:
        """End all checks."""
        for check in self._checks.values():
            check.close()
        self._checks.clear()


def open_checker(settings: CheckSettings, host: str, address: str) -> Checker:
    """Return the checker of a host; raise InvalidParameters or NotInstalled."""
    if settings.kind == "tcp":
        return TcpChecker(address, settings.port)
    from .postgres_check import PostgresChecker  # psycopg is large

    return PostgresChecker(host, address, settings.port, settings.conninfo)
