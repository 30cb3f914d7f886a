"""The addresses that no real server can have: the virtual IP, network and broadcast addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from ...errors import LvsdrError
from ...pool.host_addresses import fit
from ...pool.model import Resolved
from .settings import DirectorSettings


def usable(
    answers: Mapping[str, Resolved], settings: DirectorSettings, last: Mapping[str, str]
) -> dict[str, Resolved]:
    """Return the answers without the addresses that no real server can have."""
    never = _never(answers.values(), settings, last.values())
    return {question: fit(answer, never) for question, answer in answers.items()}


def _never(
    answers: Iterable[Resolved], settings: DirectorSettings, known: Iterable[str]
) -> dict[str, str]:
    """Return the addresses that no real server can have, each with its reason.

    This host's networks are read only if an answer has a new address.
    """
    never = {settings.key.address: "is the virtual IP itself"}
    if not {address for answer in answers for address in answer.addresses} <= {*known, *never}:
        from ...system.net import netlink

        with suppress(LvsdrError):  # the kernel refuses such an address by itself
            never.update(netlink.of_networks())
    return never
