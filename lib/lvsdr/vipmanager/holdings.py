"""The addresses of one daemon: a lock and a holder for each."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..errors import LvsdrError
from . import saved_addresses
from .address_machine import Finding, unproven
from .conflict_probe import Asking
from .guarding import Guard
from .holder import Holder, Threads
from .log import Log
from .wanted_addresses import WantedAddress

_TRIES = 3  # attempts to remove an address at the end


class Holdings:
    """Locks and holders of all configured addresses."""

    def __init__(self, directory: str, log: Log, threads: Threads) -> None:
        self.holders: list[Holder] = []
        self._directory = directory
        self._log = log
        self._threads = threads
        self._locks: dict[str, int] = {}

    def begin(self, wanted: Sequence[WantedAddress]) -> None:
        """Lock all addresses; raise LvsdrError if another daemon has one of them."""
        self._locks = self._locked(wanted)
        self.holders = [self._holder(one) for one in wanted]

    def change(self, wanted: Sequence[WantedAddress]) -> None:
        """Switch to other addresses; raise LvsdrError if that is not possible."""
        known = {_place(holder.wanted): holder for holder in self.holders}
        self._locks.update(self._locked([one for one in wanted if one.address not in self._locks]))
        for place in known.keys() - set(map(_place, wanted)):
            known[place].release("it is no longer configured")
            known[place].tidy()
        for address in self._locks.keys() - {one.address for one in wanted}:
            os.close(self._locks.pop(address))
        self.holders = [self._adjusted(known.get(_place(one)), one) for one in wanted]

    @property
    def unproven(self) -> float | None:
        """Return the latest time after which a query must start before an announcement."""
        times = [unproven(holder.progress) for holder in self.holders]
        return max((time for time in times if time is not None), default=None)

    def found(self, question: Asking, finding: Finding) -> None:
        """Record the result of a search at the address for which it was made."""
        for holder in self.holders:
            holder.found(question, finding)

    def claimed(self, guard: Guard, mac: str) -> None:
        """Record another host's claim at the address that this guard covers."""
        for holder in self.holders:
            holder.claimed(guard, mac)

    def release(self, reason: str) -> bool:
        """Remove every address from this host; return False if one of them stays."""
        left = self.holders
        for _ in range(_TRIES):
            left = [holder for holder in left if not self._released(holder, reason)]
        return not left

    def tidy(self) -> None:
        """Remove the other traces of all addresses."""
        for holder in self.holders:
            holder.tidy()

    def _released(self, holder: Holder, reason: str) -> bool:
        try:
            holder.release(reason)
        except (LvsdrError, OSError) as error:
            self._log.error("failed", address=holder.wanted, reason=error)
            return False
        return True

    def _holder(self, wanted: WantedAddress) -> Holder:
        return Holder(wanted, self._directory, self._log, self._threads)

    def _adjusted(self, known: Holder | None, wanted: WantedAddress) -> Holder:
        if known is None:
            return self._holder(wanted)
        known.wanted = wanted
        return known

    def _locked(self, wanted: Sequence[WantedAddress]) -> dict[str, int]:
        """Return a lock for each address; raise LvsdrError, with none locked."""
        locks: dict[str, int] = {}
        try:
            for one in wanted:
                locks[one.address] = saved_addresses.lock(self._directory, one.address)
        except LvsdrError:
            for descriptor in locks.values():
                os.close(descriptor)
            raise
        return locks


def _place(wanted: WantedAddress) -> tuple[str, str]:
    return wanted.address, wanted.interface
