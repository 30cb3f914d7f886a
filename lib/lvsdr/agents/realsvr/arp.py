"""What keeps a real server from answering ARP for the virtual IP, and what would defeat it.

The kernel's Documentation/networking/ip-sysctl.rst says what the values mean, and that the larger
one of ``all`` and the interface counts.  What larger values do was measured: see the lab's cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

IGNORE, ANNOUNCE = "arp_ignore", "arp_announce"
_WHERE = ("all", "lo")
_VALUES = {IGNORE: "1", ANNOUNCE: "2"}
# 2 answers for less than 1 does, 8 for nothing.  3 answers for what is on any interface, 4 to 7
# and whatever is above 8 mean the same as 0.
_AS_GOOD = {IGNORE: ("1", "2", "8"), ANNOUNCE: ("2",)}
_CONSEQUENCE = {
    IGNORE: "this node may answer ARP for the virtual IP",
    ANNOUNCE: "its ARP requests may come from the virtual IP",
}


def name(where: str, setting: str) -> str:
    """The name of a setting below /proc/sys."""
    return f"net/ipv4/conf/{where}/{setting}"


ESSENTIAL = frozenset(name("all", setting) for setting in _VALUES)
"""The settings that hide the address; those of lo are not asked for what arrives elsewhere."""

AS_GOOD = {name(where, setting): good for setting, good in _AS_GOOD.items() for where in _WHERE}
"""The values of each setting that serve as well as the wanted one."""


def wanted(vip: str) -> dict[str, str]:
    """The settings that hide the address; none for IPv6.

    The kernel answers a neighbour solicitation for addresses of the interface it came in on only.
    """
    if ":" in vip:
        return {}
    return {name(where, setting): value for setting, value in _VALUES.items() for where in _WHERE}


def conflicts(read: Callable[[str], Mapping[str, str]]) -> Iterator[str]:
    """A sentence for each interface whose own setting defeats that of ``all``.

    ``read`` has the values of a setting by interface.  A conflict of ``default`` is one of every
    interface that is yet to come.  No packet from outside arrives on lo.
    """
    for setting, good in _AS_GOOD.items():
        values = read(setting)
        everywhere = values.get("all", "")
        least = int(everywhere if everywhere in good else _VALUES[setting])
        for interface, own in values.items():
            if interface not in _WHERE and str(max(least, int(own))) not in good:
                larger = f"{name(interface, setting)}={own} defeats {_VALUES[setting]} of all"
                yield f"{larger}: {_CONSEQUENCE[setting]}"
