"""What this host must have before anything is touched."""

from __future__ import annotations

import shutil

from ..errors import LvsdrError, NotInstalled, NotPermitted
from ..system import links, privileges
from .configuration import Configuration


def require(configuration: Configuration) -> None:
    """Raise LvsdrError for what no waiting would mend."""
    missing = privileges.missing()
    if missing:
        raise NotPermitted(f"needs {' and '.join(missing)}: run it as root, or give it these")
    if shutil.which("ip") is None:
        raise NotInstalled("there is no program ip (package iproute2)")
    for wanted in configuration.wanted:
        interface = links.interface(wanted.interface)
        if interface is not None and interface.loopback:
            raise LvsdrError(
                f"{wanted.interface} is a loopback interface, where nobody would find "
                f"{wanted.address}"
            )
