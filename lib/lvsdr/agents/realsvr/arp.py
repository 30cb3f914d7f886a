"""The settings that keep a real server from answering ARP for the virtual IP, and their conflicts.

The kernel's Documentation/networking/ip-sysctl.rst defines the values.  It also says that the
larger value of ``all`` and the interface counts.  The effect of larger values was measured: see the
cases of the lab.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

IGNORE, ANNOUNCE = "arp_ignore", "arp_announce"
_WHERE = ("all", "lo")
_VALUES = {IGNORE: "1", ANNOUNCE: "2"}
# arp_ignore: 2 answers in fewer cases than 1, and 8 never answers.  3 answers for addresses of any
# interface.  4 to 7 and values above 8 mean the same as 0.
_AS_GOOD = {IGNORE: ("1", "2", "8"), ANNOUNCE: ("2",)}
_CONSEQUENCE = {
    IGNORE: "this node may answer ARP for the virtual IP",
    ANNOUNCE: "its ARP requests may come from the virtual IP",
}


def name(where: str, setting: str) -> str:
    """Return the name of a setting below /proc/sys."""
    return f"net/ipv4/conf/{where}/{setting}"


ESSENTIAL = frozenset(name("all", setting) for setting in _VALUES)
"""The settings that hide the address; those of lo do not apply to packets on other interfaces."""

AS_GOOD = {name(where, setting): good for setting, good in _AS_GOOD.items() for where in _WHERE}
"""The values of each setting that work as well as the wanted one."""


def wanted(vip: str) -> dict[str, str]:
    """Return the settings that hide the address; none for IPv6.

    The kernel answers neighbour solicitations only for addresses of the receiving interface.
    """
    if ":" in vip:
        return {}
    return {name(where, setting): value for setting, value in _VALUES.items() for where in _WHERE}


def conflicts(read: Callable[[str], Mapping[str, str]]) -> Iterator[str]:
    """Yield a sentence for each interface whose own setting defeats that of ``all``.

    ``read`` returns the values of a setting by interface.  A conflict of ``default`` concerns every
    future interface.  Interface lo does not matter: no packet from outside arrives there.
    """
    for setting, good in _AS_GOOD.items():
        values = read(setting)
        everywhere = values.get("all", "")
        least = int(everywhere if everywhere in good else _VALUES[setting])
        for interface, own in values.items():
            if interface not in _WHERE and str(max(least, int(own))) not in good:
                larger = f"{name(interface, setting)}={own} defeats {_VALUES[setting]} of all"
                yield f"{larger}: {_CONSEQUENCE[setting]}"
