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


def build_sysctl_name(place: str, setting: str) -> str:
    """Return the name of a setting below /proc/sys."""
    return f"net/ipv4/conf/{place}/{setting}"


ESSENTIAL = frozenset(build_sysctl_name("all", setting) for setting in _VALUES)
"""The settings that hide the address; those of lo do not apply to packets on other interfaces."""

AS_GOOD = {
    build_sysctl_name(place, setting): good_values
    for setting, good_values in _AS_GOOD.items()
    for place in _PLACES
}
"""The values of each setting that work as well as the wanted one."""


def list_wanted_sysctls(vip: str) -> dict[str, str]:
    """Return the settings that hide the address; none for IPv6.

    The kernel answers neighbour solicitations only for addresses of the receiving interface.
    """
    if ":" in vip:
        return {}
    return {
        build_sysctl_name(place, setting): value
        for setting, value in _VALUES.items()
        for place in _PLACES
    }


def hide_address(context: Context, vip: str) -> None:
    """Hide the address from ARP; raise LvsdrError if the node would still answer for it.

    If /proc/sys is read-only, as in a container, other values that work as well are accepted.
    """
    wanted_sysctls = list_wanted_sysctls(vip)
    if not wanted_sysctls:
        return
    claims = context.claim_sysctls(wanted_sysctls, AS_GOOD)
    context.log.warning(*claims.trouble)
    problems = [text for name, text in _describe_differences(vip).items() if name in ESSENTIAL]
    if problems:
        raise LvsdrError("; ".join((*problems, *claims.unset.values())))


def find_broken_sysctls(vip: str) -> list[str]:
    """Return a sentence for each wrong setting that is essential or that a restart could repair."""
    return [
        text
        for name, text in _describe_differences(vip).items()
        if name in ESSENTIAL or sysctl.is_writable(name)
    ]


def _describe_differences(vip: str) -> dict[str, str]:
    wanted_sysctls = list_wanted_sysctls(vip)
    actual_sysctls = sysctl.find_differing(wanted_sysctls, acceptable_values=AS_GOOD)
    return {
        name: f"{name} is {value}, not {wanted_sysctls[name]}"
        for name, value in actual_sysctls.items()
    }


def find_conflicts(read: Callable[[str], Mapping[str, str]]) -> Iterator[str]:
    """Yield a sentence for each interface whose own setting defeats that of ``all``.

    ``read`` returns the values of a setting by interface.  A conflict of ``default`` concerns every
    future interface.  Interface lo does not matter: no packet from outside arrives there.
    """
    for setting, good_values in _AS_GOOD.items():
        values = read(setting)
        value_of_all = values.get("all", "")
        least_value = int(value_of_all if value_of_all in good_values else _VALUES[setting])
        for interface, own_value in values.items():
            if (
                interface not in _PLACES
                and str(max(least_value, int(own_value))) not in good_values
            ):
                conflict = f"{build_sysctl_name(interface, setting)}={own_value} defeats"
                yield f"{conflict} {_VALUES[setting]} of all: {_CONSEQUENCE[setting]}"
