"""Files for the next daemon, and locks that give an address to one daemon: in one directory.

A daemon that is killed, or configured to keep the address, cannot release it.  The next daemon
adopts the address and continues the grace period of the first.
"""

from __future__ import annotations

import os

from ..errors import LvsdrError
from ..system import locking, small_files

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
        self._directory = directory
        self._address = address
        self._stored: float | None = None
        self._may_be_on_disk = True

    def store(self, confirmed: float | None) -> None:
        """Store the time, at most twice a second; raise LvsdrError."""
        new = -1.0 if confirmed is None else confirmed
        if self._stored is None or new - self._stored >= _RESOLUTION or new < 0:
            if self._stored != new:
                save_confirmation(self._directory, self._address, confirmed)
            self._stored = new

    def delete(self) -> None:
        """Delete the stored time."""
        if self._stored is not None or self._may_be_on_disk:
            delete_confirmation(self._directory, self._address)
        self._stored, self._may_be_on_disk = None, False


def save_confirmation(directory: str, address: str, confirmed: float | None) -> None:
    """Store the start of the last query that was answered with this node's name."""
    document = {"boot": small_files.boot_id(), "confirmed": confirmed}
    path = _path(directory, address)
    try:
        small_files.write(path, document)
    except OSError as error:  # the error of a full disk does not name the file
        raise LvsdrError(f"cannot write {path}: {error.strerror}") from None


def read_confirmation(directory: str, address: str, now: float) -> float | None:
    """Return the stored time, if it is of this boot, and not ahead of this node's clock.

    A container has a clock of its own.
    """
    stored = small_files.read(_path(directory, address))
    confirmed = stored.get("confirmed")
    if stored.get("boot") != small_files.boot_id() or not isinstance(confirmed, (int, float)):
        return None
    return float(confirmed) if confirmed <= now else None


def delete_confirmation(directory: str, address: str) -> None:
    small_files.remove(_path(directory, address))


def _path(directory: str, address: str) -> str:
    return os.path.join(directory, f"{address}.json")
