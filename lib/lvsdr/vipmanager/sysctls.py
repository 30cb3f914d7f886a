"""The kernel settings that an address needs: set with it, and restored after it."""

from __future__ import annotations

from collections.abc import Iterable

from ..address.interfaces import Place
from ..errors import LvsdrError
from ..system.net import ip_address
from ..system.sysctl import Claims
from ..values.deadline import Deadline
from .log import DaemonLog
from .wanted_addresses import WantedAddress

_SECONDS = 10.0  # the deadline for all settings


class AddressSysctls:
    """The settings of one address, with their changes and troubles in the log."""

    def __init__(self, wanted: WantedAddress, directory: str, log: DaemonLog) -> None:
        self._wanted = wanted
        self._directory = directory
        self._log = log

    def claim(self, place: Place) -> None:
        """Set the settings; a failure is a warning, because the address is more important."""
        try:
            claims = self._open_claims()
            self._log_changes(ip_address.claim_sysctls(place, claims), claims)
        except (LvsdrError, OSError) as error:  # for example in a container
            self._log.warning("sysctl", address=self._wanted, reason=error)

    def release(self) -> None:
        """Restore the settings that only this address has claimed; raise LvsdrError or OSError."""
        claims = self._open_claims()
        self._log_changes(claims.release(), claims)

    def _log_changes(self, changes: Iterable[str], claims: Claims) -> None:
        for change in changes:
            self._log.info("sysctl", address=self._wanted, reason=change)
        for trouble in claims.trouble:
            self._log.warning("sysctl", address=self._wanted, reason=trouble)

    def _open_claims(self) -> Claims:
        owner = f"vip-manager {self._wanted.address}"
        return Claims(self._directory, owner, Deadline.after(_SECONDS))
