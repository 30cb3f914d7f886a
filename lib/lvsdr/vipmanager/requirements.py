"""Requirements on this host, checked before any change."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from ..address.interfaces import Interface
from ..errors import LvsdrError, NotInstalled, NotPermitted
from ..system.daemon import environment
from ..system.net import addresses
from ..system.net.interface_reader import load_pyroute2
from ..values.deadline import Deadline
from .address_machine import find_link_problem
from .configuration import Configuration
from .wanted_addresses import WantedAddress

_NO_IP = "the program ip is missing (packages: Debian iproute2, EL iproute)"
_SECONDS = 10.0  # the deadline of a question


def require_host(configuration: Configuration) -> None:
    """Raise LvsdrError for a flaw that would not end by waiting."""
    load_pyroute2()
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
        raise NotInstalled(_NO_IP)
    for wanted in configuration.addresses:
        flaw = _find_loopback_flaw(wanted, _read_interface(wanted.interface))
        if flaw:
            raise LvsdrError(flaw)


def find_flaws(configuration: Configuration) -> Iterator[str]:
    """Yield each reason why this host cannot have the addresses now, once.

    Raises LvsdrError if ip(8) does not describe an interface.
    """
    try:
        load_pyroute2()
    except LvsdrError as error:
        yield str(error)
    if shutil.which("ip") is None:
        yield _NO_IP
        return
    reported_flaws = set()
    for wanted in configuration.addresses:
        interface = _read_interface(wanted.interface)
        flaw = _find_loopback_flaw(wanted, interface) or find_link_problem(
            interface, wanted.interface
        )
        if flaw and flaw not in reported_flaws:
            reported_flaws.add(flaw)
            yield flaw


def _read_interface(name: str) -> Interface | None:
    return addresses.find_interface(name, Deadline.after(_SECONDS))


def _find_loopback_flaw(wanted: WantedAddress, interface: Interface | None) -> str:
    if interface is None or not interface.loopback:
        return ""
    name, address = wanted.interface, wanted.address
    return f"{name} is a loopback interface, on which no other host can reach {address}"
