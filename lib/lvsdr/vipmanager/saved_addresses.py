"""Files for the next daemon, and locks that give an address to one daemon: in one directory.

A daemon that is killed, or configured to keep the address, cannot release it.  The next daemon
adopts the address and continues the grace period of the first.
"""

from __future__ import annotations

import os

from ..errors import LvsdrError
from ..system import locking, small_files
from ..system.saved_facts import load_facts, store_facts
from ..values.facts import get_value

_KIND = "confirmed"
_NEVER = -1.0  # a time before that of any answer

# Seconds by which the stored time may be too old: a grace may be too short, never too long.
_RESOLUTION = 0.5


def lock_address(directory: str, address: str) -> int:
    """Return a descriptor that locks this address against other daemons until it is closed.

    Raises LvsdrError if another daemon has the lock, or if locking is impossible.
    """
    descriptor = locking.lock(os.path.join(directory, f"{address}.lock"))
    if descriptor is None:
        raise LvsdrError(f"{address} is managed by another vip-manager on this host already")
    return descriptor


class SavedConfirmation:
    """The time of the store's last confirmation of this node, stored for the next daemon."""

    def __init__(self, directory: str, address: str) -> None:
        self._path = os.path.join(directory, f"{address}.confirmed")
        self._former_path = os.path.join(directory, f"{address}.json")
        self._stored: float | None = None
        self._may_be_on_disk = True

    def read(self, now: float) -> float | None:
        """Return the stored time, if it is of this boot, and not ahead of this node's clock.

        The time is the start of the last query that was answered with this node's name.  A
        container has a clock of its own.
        """
        confirmed = load_facts(self._path, _KIND, lambda facts: float(get_value(facts, _KIND)))
        if confirmed is None:
            confirmed = _load_json(self._former_path)
        return confirmed if confirmed is not None and 0 <= confirmed <= now else None

    def store(self, confirmed: float | None) -> None:
        """Store the time, at most twice a second; raise LvsdrError."""
        new = _NEVER if confirmed is None else confirmed
        if self._stored is None or new - self._stored >= _RESOLUTION or new < 0:
            if self._stored != new:
                store_facts(self._path, _KIND, ((_KIND, new),))
            self._stored = new

    def delete(self) -> None:
        """Delete the stored time."""
        if self._stored is not None or self._may_be_on_disk:
            small_files.remove(self._former_path)
            small_files.remove(self._path)
        self._stored, self._may_be_on_disk = None, False


def _load_json(path: str) -> float | None:
    """Return the time that an earlier version stored during this boot, as JSON."""
    stored = small_files.read(path)
    confirmed = stored.get("confirmed")
    of_boot = stored.get("boot") == small_files.read_boot_id()
    return float(confirmed) if of_boot and isinstance(confirmed, (int, float)) else None
