"""The kernel settings that hide the virtual IP from ARP: claims and checks."""

from __future__ import annotations

from ...errors import LvsdrError
from ...ocf.context import Context
from ...system import sysctl
from . import arp


def keep(context: Context, vip: str) -> None:
    """Hide the address from ARP; raise LvsdrError if the node would still answer for it.

    If /proc/sys is read-only, as in a container, other values that work as well are accepted.
    """
    wanted = arp.wanted(vip)
    if not wanted:
        return
    claims = context.claim_sysctls(wanted, arp.AS_GOOD)
    context.log.warning(*claims.trouble)
    loud = [text for name, text in _differing(vip).items() if name in arp.ESSENTIAL]
    if loud:
        raise LvsdrError("; ".join((*loud, *claims.unset.values())))


def broken(vip: str) -> list[str]:
    """Return a sentence for each wrong setting that is essential or that a restart could repair."""
    return [
        text
        for name, text in _differing(vip).items()
        if name in arp.ESSENTIAL or sysctl.writable(name)
    ]


def _differing(vip: str) -> dict[str, str]:
    wanted = arp.wanted(vip)
    now = sysctl.differing(wanted, as_good=arp.AS_GOOD)
    return {name: f"{name} is {value}, not {wanted[name]}" for name, value in now.items()}
