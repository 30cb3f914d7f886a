"""The kernel settings that hide the virtual IP from ARP: claims, checks and conflicts.

The kernel's Documentation/networking/ip-sysctl.rst defines the values.  It also says that the
larger value of ``all`` and the interface counts.  The effect of larger values was measured: see the
cases of the lab.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...errors import LvsdrError
from ...ocf.context import Context
from ...system import sysctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

IGNORE, ANNOUNCE = "arp_ignore", "arp_announce"
_PLACES = ("all", "lo")
_VALUES = {IGNORE: "1", ANNOUNCE: "2"}
# arp_ignore: 2 answers in fewer cases than 1, and 8 never answers.  3 answers for addresses of any
# interface.  4 to 7 and values above 8 mean the same as 0.
_AS_GOOD = {IGNORE: ("1", "2", "8"), ANNOUNCE: ("2",)}
_CONSEQUENCE = {
    IGNORE: "this node may answer ARP for the virtual IP",
    ANNOUNCE: "its ARP requests may come from the virtual IP",
}


def build_name(place: str, setting: str) -> str:
    """Return the name of a setting below /proc/sys."""
    return f"net/ipv4/conf/{place}/{setting}"


ESSENTIAL = frozenset(build_name("all", setting) for setting in _VALUES)
"""The settings that hide the address; those of lo do not apply to packets on other interfaces."""

AS_GOOD = {
    build_name(place, setting): good for setting, good in _AS_GOOD.items() for place in _PLACES
}
"""The values of each setting that work as well as the wanted one."""


def list_wanted(vip: str) -> dict[str, str]:
    """Return the settings that hide the address; none for IPv6.

    The kernel answers neighbour solicitations only for addresses of the receiving interface.
    """
    if ":" in vip:
        return {}
    return {
        build_name(place, setting): value for setting, value in _VALUES.items() for place in _PLACES
    }


def hide_address(context: Context, vip: str) -> None:
    """Hide the address from ARP; raise LvsdrError if the node would still answer for it.

    If /proc/sys is read-only, as in a container, other values that work as well are accepted.
    """
    wanted = list_wanted(vip)
    if not wanted:
        return
    claims = context.claim_sysctls(wanted, AS_GOOD)
    context.log.warning(*claims.trouble)
    wrong = [text for name, text in _describe_differing(vip).items() if name in ESSENTIAL]
    if wrong:
        raise LvsdrError("; ".join((*wrong, *claims.unset.values())))


def find_broken(vip: str) -> list[str]:
    """Return a sentence for each wrong setting that is essential or that a restart could repair."""
    return [
        text
        for name, text in _describe_differing(vip).items()
        if name in ESSENTIAL or sysctl.is_writable(name)
    ]


def _describe_differing(vip: str) -> dict[str, str]:
    wanted = list_wanted(vip)
    now = sysctl.find_differing(wanted, acceptable_values=AS_GOOD)
    return {name: f"{name} is {value}, not {wanted[name]}" for name, value in now.items()}


def find_conflicts(read: Callable[[str], Mapping[str, str]]) -> Iterator[str]:
    """Yield a sentence for each interface whose own setting defeats that of ``all``.

    ``read`` returns the values of a setting by interface.  A conflict of ``default`` concerns every
    future interface.  Interface lo does not matter: no packet from outside arrives there.
    """
    for setting, good in _AS_GOOD.items():
        values = read(setting)
        value_of_all = values.get("all", "")
        least = int(value_of_all if value_of_all in good else _VALUES[setting])
        for interface, own in values.items():
            if interface not in _PLACES and str(max(least, int(own))) not in good:
                larger = f"{build_name(interface, setting)}={own} defeats {_VALUES[setting]} of all"
                yield f"{larger}: {_CONSEQUENCE[setting]}"
