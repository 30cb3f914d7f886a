"""The addresses of one daemon, each with its lock."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..errors import LvsdrError
from . import saved_addresses
from .address_defence import AddressGuard
from .address_machine import ProbeResult, find_required_query_start
from .conflict_probe import ConflictProbe
from .log import DaemonLog
from .managed_address import BackgroundWork, ManagedAddress
from .wanted_addresses import WantedAddress

_TRIES = 3  # attempts to remove an address at the end


class AddressSet:
    """All configured addresses, and their locks."""

    def __init__(self, directory: str, log: DaemonLog, work: BackgroundWork) -> None:
        self.addresses: list[ManagedAddress] = []
        self._directory = directory
        self._log = log
        self._work = work
        self._locks: dict[str, int] = {}

    def begin(self, wanted: Sequence[WantedAddress]) -> None:
        """Lock all addresses; raise LvsdrError if another daemon has one of them."""
        self._locks = self._lock(wanted)
        self.addresses = [self._create(address) for address in wanted]

    def change(self, wanted: Sequence[WantedAddress]) -> None:
        """Change to other addresses; raise LvsdrError if that is not possible."""
        current = {_identify_place(address.wanted): address for address in self.addresses}
        self._locks.update(
            self._lock([address for address in wanted if address.address not in self._locks])
        )
        for place in current.keys() - set(map(_identify_place, wanted)):
            current[place].release("it is no longer configured")
            current[place].remove_traces()
        for name in self._locks.keys() - {address.address for address in wanted}:
            os.close(self._locks.pop(name))
        self.addresses = [
            self._adopt(current.get(_identify_place(address)), address) for address in wanted
        ]

    @property
    def required_query_start(self) -> float | None:
        """Return the latest time after which a query must start before an announcement."""
        times = [find_required_query_start(address.progress) for address in self.addresses]
        return max((time for time in times if time is not None), default=None)

    def record_probe_result(self, probe: ConflictProbe, result: ProbeResult) -> None:
        """Record the result of a probe at the address for which the probe was made."""
        for address in self.addresses:
            address.record_probe_result(probe, result)

    def record_claim(self, guard: AddressGuard, mac: str) -> None:
        """Record another host's claim at the address that this guard covers."""
        for address in self.addresses:
            address.record_claim(guard, mac)

    def release(self, reason: str) -> bool:
        """Remove every address from this host; return False if one of them stays."""
        remaining = self.addresses
        for _ in range(_TRIES):
            remaining = [address for address in remaining if not self._try_release(address, reason)]
        return not remaining

    def remove_traces(self) -> None:
        """Remove the state files and sysctls of all addresses."""
        for address in self.addresses:
            address.remove_traces()

    def _try_release(self, address: ManagedAddress, reason: str) -> bool:
        try:
            address.release(reason)
        except (LvsdrError, OSError) as error:
            self._log.error("failed", address=address.wanted, reason=error)
            return False
        return True

    def _create(self, wanted: WantedAddress) -> ManagedAddress:
        return ManagedAddress(wanted, self._directory, self._log, self._work)

    def _adopt(self, current: ManagedAddress | None, wanted: WantedAddress) -> ManagedAddress:
        if current is None:
            return self._create(wanted)
        current.wanted = wanted
        return current

    def _lock(self, wanted: Sequence[WantedAddress]) -> dict[str, int]:
        """Return a lock for each address; raise LvsdrError, with none locked."""
        locks: dict[str, int] = {}
        try:
            for address in wanted:
                locks[address.address] = saved_addresses.lock_address(
                    self._directory, address.address
                )
        except LvsdrError:
            for descriptor in locks.values():
                os.close(descriptor)
            raise
        return locks


def _identify_place(wanted: WantedAddress) -> tuple[str, str]:
    return wanted.address, wanted.interface
