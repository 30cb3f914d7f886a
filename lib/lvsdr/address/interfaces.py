"""The output of ``ip -json``: interfaces, their addresses, neighbours and routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..errors import LvsdrError
from ..values.light_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST_NAME = 15  # IFNAMSIZ (linux/if.h) less the final NUL; a label has the same limit
_LONGEST_ALTERNATIVE = 127  # ALTIFNAMSIZ (linux/if.h) less the final NUL
_FOREVER = 0xFFFFFFFF  # seconds: the kernel's INFINITY_LIFE_TIME
_LOOPBACK = "loopback"


class InterfaceAddress(NamedTuple):
    """An address of an interface; ``address`` is in canonical form, without prefix or zone."""

    address: str
    prefix: int
    label: str = ""
    """The label of an IPv4 address; empty for IPv6, which has no labels."""
    tentative: bool = False
    """True during duplicate address detection, while the kernel does not use the address."""
    dadfailed: bool = False
    deprecated: bool = False
    noprefixroute: bool = False
    preferred_lft: int | None = None
    """Seconds for which new connections may use it as source; None for ever."""
    peer: str = ""
    """The address at the other end of a point-to-point link; the prefix is the peer's."""


class Interface(NamedTuple):
    """A network interface; ``kind`` is the type of its link: ether, loopback, infiniband, ..."""

    name: str
    number: int
    """The kernel's index of the interface."""
    altnames: tuple[str, ...]
    up: bool
    """True if the interface is set up by the administrator (flag UP)."""
    carrier: bool
    """True if the interface is up and its link works (flag LOWER_UP)."""
    mac: str
    kind: str
    addresses: tuple[InterfaceAddress, ...]
    arp: bool = True
    """False if the interface uses no neighbour discovery at all (flag NOARP)."""

    @property
    def loopback(self) -> bool:
        return self.kind == _LOOPBACK

    def called(self, name: str) -> bool:
        """Test whether this is one of the interface's names."""
        return name == self.name or name in self.altnames

    def having(self, address: str) -> tuple[InterfaceAddress, ...]:
        """Return the entries for exactly this address; several differ in their prefixes."""
        return tuple(entry for entry in self.addresses if entry.address == address)


class Place(NamedTuple):
    """The place of an address; ``device`` is the kernel's own name of the interface."""

    address: str
    prefix: int
    device: str


class Connected(NamedTuple):
    """A network that an interface reaches without a gateway."""

    device: str
    prefix: int
    metric: int = 0
    down: bool = False


def entry(interface: Interface, place: Place) -> InterfaceAddress | None:
    """Return the interface's entry with this address and prefix and without a peer, or None."""
    for found in interface.having(place.address):
        if found.prefix == place.prefix and not found.peer:
            return found
    return None


def label(address: str, device: str, suffix: str | None) -> str:
    """Return the whole label of an address; empty for IPv6, which has no labels.

    >>> label("10.9.0.20", "eth0", ""), label("10.9.0.20", "eth0", "db"), label("::9", "x", "y")
    ('eth0', 'eth0:db', '')
    """
    if ":" in address:
        return ""
    return f"{device}:{suffix}" if suffix else device


def interface_name(text: str) -> str:
    """Return a legal interface name (kernel: dev_valid_name); raise ValueError for others."""
    legal = text.isprintable() and not any(sign in text for sign in "/: ")
    if not legal or len(text) > _LONGEST_ALTERNATIVE or text in ("", ".", "..") or text[0] == "-":
        raise ValueError
    return text


def parse(text: str) -> tuple[Interface, ...]:
    """Parse the output of ``ip -json address show``; raise LvsdrError if it is not JSON.

    >>> [lo] = parse('[{"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP", "LOWER_UP"], '
    ...     '"link_type": "loopback", "address": "00:00:00:00:00:00", "addr_info": ['
    ...     '{"family": "inet", "local": "10.9.0.20", "prefixlen": 32, "label": "lo:0"}]}]')
    >>> lo.name, lo.carrier, lo.loopback, lo.addresses[0].address, lo.addresses[0].label
    ('lo', True, True, '10.9.0.20', 'lo:0')
    """
    # If filtered by device, older versions of ip print an empty object per other interface.
    return tuple(_interface(found) for found in _documents(text) if found.get("ifname"))


def _documents(text: str) -> list[dict[str, Any]]:
    import json  # late: modules that only need the types do not pay for it

    try:
        documents: list[dict[str, Any]] = json.loads(text or "[]")
    except ValueError as error:
        raise LvsdrError(f"cannot read the output of ip: {error}") from None
    return documents


def _interface(found: Mapping[str, Any]) -> Interface:
    flags = found.get("flags", ())
    return Interface(
        name=found["ifname"],
        number=found["ifindex"],
        altnames=tuple(found.get("altnames", ())),
        up="UP" in flags,
        carrier="LOWER_UP" in flags,
        mac=found.get("address", ""),
        kind=found.get("link_type", ""),
        addresses=tuple(_address(entry) for entry in found.get("addr_info", ()) if entry),
        arp="NOARP" not in flags,
    )


def _address(found: Mapping[str, Any]) -> InterfaceAddress:
    preferred = found.get("preferred_life_time", _FOREVER)
    return InterfaceAddress(
        address=found["local"],
        prefix=found["prefixlen"],
        label=found.get("label", ""),
        tentative=found.get("tentative", False),
        dadfailed=found.get("dadfailed", False),
        deprecated=found.get("deprecated", preferred == 0),
        noprefixroute=found.get("noprefixroute", False),
        preferred_lft=None if preferred == _FOREVER else preferred,
        peer=found.get("address", ""),
    )


def mac(text: str) -> str | None:
    """Return the link address in the output of ``ip -json neighbour show``; raise LvsdrError.

    >>> mac('[{"dst": "fd77::9", "lladdr": "02:00:00:00:00:09", "state": ["REACHABLE"]}]')
    '02:00:00:00:00:09'
    """
    return next((found["lladdr"] for found in _documents(text) if "lladdr" in found), None)


def connected(text: str) -> tuple[Connected, ...]:
    """Return the connected networks that ``ip -json route show match ADDRESS`` prints, best first.

    The longest prefix comes first, then a working link, then the lowest metric.  The result omits
    routes over a gateway, default routes and routes that deliver nowhere (such as blackhole).  It
    also omits the kernel's routes to single addresses.  Raise LvsdrError if the output is not JSON.

    >>> connected('[{"dst": "default", "gateway": "10.9.0.1", "dev": "eth1", "flags": []}, '
    ...     '{"type": "blackhole", "dst": "10.0.0.0/8", "flags": []}, '
    ...     '{"dst": "10.9.0.0/24", "dev": "eth0", "metric": 100, "flags": []}]')
    (Connected(device='eth0', prefix=24, metric=100, down=False),)
    """
    return tuple(sorted(_connected(_documents(text)), key=_preference))


def _connected(routes: Iterable[Mapping[str, Any]]) -> Iterator[Connected]:
    for route in routes:
        destination, slash, prefix = str(route.get("dst", "")).partition("/")
        host = 128 if ":" in destination else 32
        made_of_an_address = not slash and route.get("protocol") == "kernel"
        if (
            route.get("type", "unicast") == "unicast"
            and "dev" in route
            and not {"gateway", "via", "nexthops"} & route.keys()
            and destination not in ("", "default")
            and not made_of_an_address
        ):
            down = bool({"linkdown", "dead"} & set(route.get("flags", ())))
            yield Connected(
                route["dev"], int(prefix) if slash else host, route.get("metric", 0), down
            )


def _preference(network: Connected) -> tuple[int, bool, int, str]:
    return -network.prefix, network.down, network.metric, network.device
