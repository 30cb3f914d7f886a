"""Requirements on this host, checked before any change."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from ..address.interfaces import Interface
from ..errors import LvsdrError, NotInstalled, NotPermitted
from ..system.daemon import environment
from ..system.net import links
from .address_machine import find_link_problem
from .configuration import Configuration
from .wanted_addresses import WantedAddress


def require_host(configuration: Configuration) -> None:
    """Raise LvsdrError for a flaw that would not end by waiting."""
    missing_capabilities = environment.find_missing_capabilities()
    if missing_capabilities:
        names = " and ".join(missing_capabilities)
        raise NotPermitted(
            f"the process lacks {names}: run it as root, or grant these capabilities"
        )
    if not environment.programs_may_change_addresses():
        raise NotPermitted(
            "CAP_NET_ADMIN does not reach the program ip, because programs do not inherit the file "
            "capabilities of an interpreter (setcap): grant it as an ambient capability "
            "(AmbientCapabilities= of a unit, or setpriv --inh-caps +net_admin --ambient-caps "
            "+net_admin), or run the process as root"
        )
    if shutil.which("ip") is None:
        raise NotInstalled("the program ip is missing (package iproute2)")
    for wanted in configuration.addresses:
        flaw = _find_loopback_flaw(wanted, links.interface(wanted.interface))
        if flaw:
            raise LvsdrError(flaw)


def find_flaws(configuration: Configuration) -> Iterator[str]:
    """Yield each reason why this host cannot have the addresses now, once.

    Raises LvsdrError if the kernel does not describe an interface.
    """
    if shutil.which("ip") is None:
        yield "the program ip is missing (package iproute2)"
    reported_flaws = set()
    for wanted in configuration.addresses:
        interface = links.interface(wanted.interface)
        flaw = _find_loopback_flaw(wanted, interface) or find_link_problem(
            interface, wanted.interface
        )
        if flaw and flaw not in reported_flaws:
            reported_flaws.add(flaw)
            yield flaw


def _find_loopback_flaw(wanted: WantedAddress, interface: Interface | None) -> str:
    if interface is None or not interface.loopback:
        return ""
    name, address = wanted.interface, wanted.address
    return f"{name} is a loopback interface, on which no other host can reach {address}"
