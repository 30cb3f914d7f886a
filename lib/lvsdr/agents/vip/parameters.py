"""The parameters of the agent vip, each declared once for parsing, metadata and documentation."""

from __future__ import annotations

from collections.abc import Iterator

from ...address.interfaces import LONGEST_NAME, parse_interface_name
from ...address.prefixes import Netmask, find_host_flaw, parse_prefix_length
from ...ocf.parameters import ParameterSet, Values, defaulted, deprecated, optional, required
from ...ocf.value_parsers import OPPOSITE, Parser, boolean, whole_number, word_or
from ...values.hosts import is_link_local
from ...values.parsing import parse_unicast_address

FOREVER = -1
_MOST_SECONDS = 0xFFFFFFFE  # the kernel reads one more as "forever"

_LABEL_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def _parse_interface_name(text: str) -> str:
    if ":" in text:
        raise ValueError("set a label with iflabel")
    return parse_interface_name(text)


def _parse_label(text: str) -> str:
    if not _LABEL_CHARACTERS.issuperset(text):
        raise ValueError
    return text


_UNICAST_ADDRESS = Parser(
    parse_unicast_address, "a unicast IPv4 or IPv6 address, without prefix or zone"
)
_PREFIX = Parser(
    parse_prefix_length, "a prefix length (1 to 32, for IPv6 to 128) or an IPv4 netmask"
)
_INTERFACE_NAME = Parser(_parse_interface_name, "the name of a network interface")
_LABEL = Parser(_parse_label, "made of letters, digits, - _ and .")

IP = required(
    "ip",
    _UNICAST_ADDRESS,
    unique_group="address",
    short="Virtual IP address",
    long="The address, IPv4 or IPv6, that is on this node while the resource runs.",
)
NETMASK = optional(
    "cidr_netmask",
    _PREFIX,
    short="Prefix length",
    long=(
        "Prefix length of the address, or its netmask. Not set: that of the longest connected "
        "network that has the address."
    ),
)
NIC = optional(
    "nic",
    _INTERFACE_NAME,
    short="Network interface",
    long=(
        "Name, or alternative name, of the interface that gets the address. Not set: the one that "
        "is connected to the longest network with the address; among equals, one with a link, "
        "then the lowest metric. A link-local IPv6 address needs it."
    ),
)
IFLABEL = optional(
    "iflabel",
    _LABEL,
    reloadable=True,
    short="Label of the address",
    long=(
        "The address is labelled nic:iflabel, at most 15 characters in all. IPv6 has no labels. "
        "A change is applied in place."
    ),
)
ARP_COUNT = defaulted(
    "arp_count",
    whole_number(1, 100),
    "5",
    reloadable=True,
    short="Announcements after start",
    long=(
        "Number of announcements of the address to all neighbours: gratuitous ARP, as a request "
        "and as a reply, or unsolicited neighbour advertisements for IPv6. Start sends the first "
        "one before it returns, and the others in the background."
    ),
)
ARP_INTERVAL = defaulted(
    "arp_interval",
    whole_number(1, 10000),
    "200",
    reloadable=True,
    short="Milliseconds between announcements",
    long="Milliseconds from one announcement to the next.",
)
ARP_COUNT_REFRESH = defaulted(
    "arp_count_refresh",
    whole_number(0, 100),
    "0",
    reloadable=True,
    short="Announcements in each monitor",
    long=(
        "Number of announcements in each successful monitor, for neighbours that missed the "
        "earlier ones or have learnt another MAC address meanwhile."
    ),
)
DUPLICATE_CHECK = defaulted(
    "duplicate_check",
    boolean,
    "true",
    reloadable=True,
    short="Whether to look for another owner first",
    long=(
        "Before start adds an address, it checks whether another host on the segment has it. If "
        "so, start fails and names the MAC address of that host. IPv4: three ARP probes within a "
        "second; IPv6: the kernel's duplicate address detection. Set it to false where a router "
        "answers for all addresses (proxy ARP)."
    ),
)
CHECK_LINK = defaulted(
    "check_link",
    boolean,
    "true",
    reloadable=True,
    short="Whether the interface must have a link",
    long=(
        "Without carrier, start fails and monitor reports that the address is not running, so that "
        "the cluster takes it elsewhere."
    ),
)
NOPREFIXROUTE = defaulted(
    "noprefixroute",
    boolean,
    "false",
    reloadable=True,
    short="Whether to do without the route to the network",
    long="The kernel adds no route to the address's network.",
)
PREFERRED_LFT = defaulted(
    "preferred_lft",
    word_or("forever", FOREVER, whole_number(0, _MOST_SECONDS)),
    "forever",
    reloadable=True,
    short="Time for which it may be a source address",
    long=(
        "Seconds, from start on, for which the kernel may choose the address as the source of new "
        "connections, or forever. With 0 it never does, which suits most virtual IPv6 addresses: "
        "IPv4 prefers others by itself."
    ),
)


# Parameters of IPaddr2.
NODAD = deprecated("nodad", DUPLICATE_CHECK, inverse=OPPOSITE)
RUN_ARPING = deprecated("run_arping", DUPLICATE_CHECK)
CHECK_LINK_STATUS = deprecated("check_link_status", CHECK_LINK)


def _fits_its_family(values: Values) -> Iterator[str]:
    prefix = values[NETMASK]
    if ":" not in values[IP] and prefix is not None and prefix > 32:
        yield f"cidr_netmask={prefix}: must be 1 to 32 for an IPv4 address"
    elif prefix is not None and find_host_flaw(values[IP], prefix):
        yield f"ip={values[IP]}: {find_host_flaw(values[IP], prefix)}, which no host can have"
    if ":" in values[IP] and isinstance(prefix, Netmask):
        yield f"cidr_netmask={prefix}: is written as a netmask, but IPv6 has only prefix lengths"
    if ":" in values[IP] and values[IFLABEL] is not None:
        yield f"iflabel={values[IFLABEL]}: IPv6 addresses have no label"


def _has_an_interface(values: Values) -> Iterator[str]:
    if is_link_local(values[IP]) and values[NIC] is None:
        yield f"nic is required: {values[IP]} is link-local, which any interface could have"


def _label_is_short(values: Values) -> Iterator[str]:
    label = f"{values[NIC] or ''}:{values[IFLABEL] or ''}"
    if values[IFLABEL] is not None and len(label) > LONGEST_NAME:
        yield (
            f"iflabel={values[IFLABEL]}: {label} has {len(label)} characters, "
            f"a label at most {LONGEST_NAME}"
        )


IDENTITY = ParameterSet((IP, NETMASK, NIC), (_has_an_interface,))
"""The parameters that give the place of the address; they suffice for stop and for probes."""

RULES = (_fits_its_family, _has_an_interface, _label_is_short)

PARAMETERS = ParameterSet(
    (
        *(IP, NETMASK, NIC, IFLABEL, ARP_COUNT, ARP_INTERVAL, ARP_COUNT_REFRESH),
        *(DUPLICATE_CHECK, CHECK_LINK, NOPREFIXROUTE, PREFERRED_LFT),
        *(NODAD, RUN_ARPING, CHECK_LINK_STATUS),
    ),
    RULES,
)
