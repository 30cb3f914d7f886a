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
FOREVER = 0xFFFFFFFF  # seconds: the kernel's INFINITY_LIFE_TIME
_ETHER, _LOOPBACK, _OTHER = "ether", "loopback", "other"


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
    """A network interface."""

    name: str
    number: int
    """The kernel's index of the interface."""
    altnames: tuple[str, ...]
    up: bool
    """True if the interface is set up by the administrator (flag UP)."""
    carrier: bool
    """True if the interface is up and its link works (flag LOWER_UP)."""
    mac: str
    """The MAC address of the link; empty unless its kind is ether or loopback."""
    kind: str
    """The type of the link: ether, loopback, or other."""
    addresses: tuple[InterfaceAddress, ...]
    arp: bool = True
    """False if the interface uses no neighbour discovery at all (flag NOARP)."""

    @property
    def loopback(self) -> bool:
        return self.kind == _LOOPBACK

    def has_name(self, name: str) -> bool:
        """Test whether this is one of the interface's names."""
        return name == self.name or name in self.altnames

    def find_entries(self, address: str) -> tuple[InterfaceAddress, ...]:
        """Return the entries for exactly this address; several differ in their prefixes."""
        return tuple(entry for entry in self.addresses if entry.address == address)


class Place(NamedTuple):
    """The place of an address; ``device`` is the kernel's own name of the interface."""

    address: str
    prefix: int
    device: str


class ConnectedNetwork(NamedTuple):
    """A network that an interface reaches without a gateway."""

    device: str
    prefix: int
    metric: int = 0
    down: bool = False


def find_entry(interface: Interface, place: Place) -> InterfaceAddress | None:
    """Return the interface's entry with this address and prefix and without a peer, or None."""
    for entry in interface.find_entries(place.address):
        if entry.prefix == place.prefix and not entry.peer:
            return entry
    return None


def format_label(address: str, device: str, suffix: str | None) -> str:
    """Return the whole label of an address; empty for IPv6, which has no labels.

    >>> format_label("10.9.0.20", "eth0", ""), format_label("10.9.0.20", "eth0", "db")
    ('eth0', 'eth0:db')
    >>> format_label("::9", "x", "y")
    ''
    """
    if ":" in address:
        return ""
    return f"{device}:{suffix}" if suffix else device


def parse_interface_name(text: str) -> str:
    """Return a legal interface name (kernel: dev_valid_name); raise ValueError for others."""
    has_legal_signs = text.isprintable() and not any(sign in text for sign in "/: ")
    if (
        not has_legal_signs
        or len(text) > _LONGEST_ALTERNATIVE
        or text in ("", ".", "..")
        or text[0] == "-"
    ):
        raise ValueError
    return text


def parse_interfaces(text: str) -> tuple[Interface, ...]:
    """Parse the output of ``ip -json address show``; raise LvsdrError if it is not JSON.

    >>> [lo] = parse_interfaces(
    ...     '[{"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP", "LOWER_UP"], '
    ...     '"link_type": "loopback", "address": "00:00:00:00:00:00", "addr_info": ['
    ...     '{"family": "inet", "local": "10.9.0.20", "prefixlen": 32, "label": "lo:0"}]}]')
    >>> lo.name, lo.carrier, lo.loopback, lo.addresses[0].address, lo.addresses[0].label
    ('lo', True, True, '10.9.0.20', 'lo:0')
    """
    # If filtered by device, older versions of ip print an empty object per other interface.
    return tuple(
        _build_interface(document) for document in _parse_documents(text) if document.get("ifname")
    )


def _parse_documents(text: str) -> list[dict[str, Any]]:
    import json  # late: modules that only need the types do not pay for it

    try:
        documents: list[dict[str, Any]] = json.loads(text or "[]")
    except ValueError as error:
        raise LvsdrError(f"cannot read the output of ip: {error}") from None
    return documents


def normalise_link(kind: str, address: str) -> tuple[str, str]:
    """Return the kind and the MAC of a link.

    The address of any other link is no MAC, and each program has its own form for it.

    >>> normalise_link("ether", "02:00:00:00:00:09"), normalise_link("gre", "10.9.0.1")
    (('ether', '02:00:00:00:00:09'), ('other', ''))
    """
    return (kind, address) if kind in (_ETHER, _LOOPBACK) else (_OTHER, "")


def _build_interface(document: Mapping[str, Any]) -> Interface:
    flags = document.get("flags", ())
    kind, link_address = normalise_link(document.get("link_type", ""), document.get("address", ""))
    return Interface(
        name=document["ifname"],
        number=document["ifindex"],
        altnames=tuple(document.get("altnames", ())),
        up="UP" in flags,
        carrier="LOWER_UP" in flags,
        mac=link_address,
        kind=kind,
        addresses=tuple(_build_address(entry) for entry in document.get("addr_info", ()) if entry),
        arp="NOARP" not in flags,
    )


def _build_address(document: Mapping[str, Any]) -> InterfaceAddress:
    preferred_lft = document.get("preferred_life_time", FOREVER)
    return InterfaceAddress(
        address=document["local"],
        prefix=document["prefixlen"],
        label=document.get("label", ""),
        tentative=document.get("tentative", False),
        dadfailed=document.get("dadfailed", False),
        deprecated=document.get("deprecated", preferred_lft == 0),
        noprefixroute=document.get("noprefixroute", False),
        preferred_lft=None if preferred_lft == FOREVER else preferred_lft,
        peer=document.get("address", ""),
    )


def parse_neighbour_mac(text: str) -> str | None:
    """Return the link address in the output of ``ip -json neighbour show``; raise LvsdrError.

    >>> parse_neighbour_mac('[{"dst": "fd77::9", "lladdr": "02:00:00:00:00:09", "state": []}]')
    '02:00:00:00:00:09'
    """
    return next(
        (document["lladdr"] for document in _parse_documents(text) if "lladdr" in document), None
    )


def parse_connected_networks(text: str) -> tuple[ConnectedNetwork, ...]:
    """Return the connected networks that ``ip -json route show match ADDRESS`` prints, best first.

    The longest prefix comes first, then a working link, then the lowest metric.  The result omits
    routes over a gateway, default routes and routes that deliver nowhere (such as blackhole).  It
    also omits the kernel's routes to single addresses.  Raise LvsdrError if the output is not JSON.

    >>> parse_connected_networks(
    ...     '[{"dst": "default", "gateway": "10.9.0.1", "dev": "eth1", "flags": []}, '
    ...     '{"type": "blackhole", "dst": "10.0.0.0/8", "flags": []}, '
    ...     '{"dst": "10.9.0.0/24", "dev": "eth0", "metric": 100, "flags": []}]')
    (ConnectedNetwork(device='eth0', prefix=24, metric=100, down=False),)
    """
    return tuple(sorted(_select_connected(_parse_documents(text)), key=_rank_network))


def _select_connected(routes: Iterable[Mapping[str, Any]]) -> Iterator[ConnectedNetwork]:
    for route in routes:
        destination, slash, prefix = str(route.get("dst", "")).partition("/")
        host_prefix = 128 if ":" in destination else 32
        is_address_route = not slash and route.get("protocol") == "kernel"
        if (
            route.get("type", "unicast") == "unicast"
            and "dev" in route
            and not {"gateway", "via", "nexthops"} & route.keys()
            and destination not in ("", "default")
            and not is_address_route
        ):
            is_down = bool({"linkdown", "dead"} & set(route.get("flags", ())))
            yield ConnectedNetwork(
                route["dev"], int(prefix) if slash else host_prefix, route.get("metric", 0), is_down
            )


def _rank_network(network: ConnectedNetwork) -> tuple[int, bool, int, str]:
    return -network.prefix, network.down, network.metric, network.device
