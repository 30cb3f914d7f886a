"""The events of one address: counts, and lines of the log."""

from __future__ import annotations

from ..values.light_typing import NamedTuple
from .log import DaemonLog
from .wanted_addresses import WantedAddress


class EventCounts(NamedTuple):
    """Numbers of events since the daemon began."""

    taken: int = 0
    released: int = 0
    restored: int = 0
    conflicts: int = 0
    failures: int = 0


class AddressLog:
    """Counts and log lines of one address; an obstacle is logged when it changes."""

    def __init__(self, log: DaemonLog) -> None:
        self.counts = EventCounts()
        self._log = log
        self._logged_trouble = ""

    def count(self, event: str) -> None:
        """Increment the count of an event, which is a field of EventCounts."""
        self.counts = self.counts._replace(**{event: getattr(self.counts, event) + 1})

    def log_change(self, event: str, wanted: WantedAddress, reason: str) -> None:
        self._log.info(event, address=wanted, interface=wanted.interface, reason=reason)

    def log_conflict(self, wanted: WantedAddress, mac: str) -> None:
        """Count and log another host's claim."""
        self.count("conflicts")
        reason = f"{mac} claims the address, too"
        self._log.warning("conflict", address=wanted, interface=wanted.interface, reason=reason)

    def log_warning(self, event: str, wanted: WantedAddress, reason: object) -> None:
        self._log.warning(event, address=wanted, reason=reason)

    def log_trouble(self, wanted: WantedAddress, trouble: str, *, change_logged: bool) -> None:
        """Log an obstacle when it changes, or its end if no change was logged in this turn."""
        previous, self._logged_trouble = self._logged_trouble, trouble
        if trouble and trouble != previous:
            self._log.warning("waiting", address=wanted, interface=wanted.interface, reason=trouble)
        elif previous and not trouble and not change_logged:
            self.log_change("resolved", wanted, previous)
