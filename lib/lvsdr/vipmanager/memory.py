"""What one daemon leaves to the next, and who may have an address: files in a directory.

A daemon that is killed, or told to leave the address, cannot give it back.  The next one adopts it,
and goes on counting the grace where the other has left off.
"""

from __future__ import annotations

import os

from ..errors import LvsdrError
from ..system import state

# Seconds by which what is stored may be too old: that makes a grace too short, never too long.
_SELDOM = 0.5


def lock(directory: str, address: str) -> int:
    """A descriptor that keeps every other daemon from this address until it is closed.

    Raises LvsdrError if another has it, or it cannot be had at all.
    """
    descriptor = state.lock(os.path.join(directory, f"{address}.lock"))
    if descriptor is None:
        raise LvsdrError(f"{address} is managed by another vip-manager on this host already")
    return descriptor


class Confirmation:
    """The time when the store last confirmed this node, stored for the next daemon."""

    def __init__(self, directory: str, address: str) -> None:
        self._directory = directory
        self._address = address
        self._stored: float | None = None
        self._fresh = True

    def store(self, confirmed: float | None) -> None:
        """Store it now and then; raises LvsdrError."""
        new = -1.0 if confirmed is None else confirmed
        if self._stored is None or new - self._stored >= _SELDOM or new < 0:
            if self._stored != new:
                remember(self._directory, self._address, confirmed)
            self._stored = new

    def forget(self) -> None:
        """Leave nothing to the next daemon."""
        if self._stored is not None or self._fresh:
            forget(self._directory, self._address)
        self._stored, self._fresh = None, False


def remember(directory: str, address: str, confirmed: float | None) -> None:
    """Store when the question was asked that was last answered by naming this node."""
    document = {"boot": state.boot_id(), "confirmed": confirmed}
    path = _path(directory, address)
    try:
        state.write(path, document)
    except OSError as error:  # of a full disk the error does not name the file
        raise LvsdrError(f"cannot write {path}: {error.strerror}") from None


def remembered(directory: str, address: str, now: float) -> float | None:
    """That time, if it was stored during this boot, and not by a clock that is ahead of this one.

    A container has a clock of its own.
    """
    stored = state.read(_path(directory, address))
    confirmed = stored.get("confirmed")
    if stored.get("boot") != state.boot_id() or not isinstance(confirmed, (int, float)):
        return None
    return float(confirmed) if confirmed <= now else None


def forget(directory: str, address: str) -> None:
    state.remove(_path(directory, address))


def _path(directory: str, address: str) -> str:
    return os.path.join(directory, f"{address}.json")
