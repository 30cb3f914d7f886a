"""The parameters of the agent lvsdr-realsvr."""

from __future__ import annotations

from ...ocf.parameters import ParameterSet, defaulted, required
from ...ocf.value_parsers import Parser, duration
from ...values.hosts import is_link_local
from ...values.parsing import parse_unicast_address

LONGEST_LABEL = 15  # IFNAMSIZ (linux/if.h) less the final NUL

_PUNCTUATION = str.maketrans("", "", "._:-")


def _parse_vip(text: str) -> str:
    address = parse_unicast_address(text)
    if is_link_local(address):
        raise ValueError("a link-local address is of one link only")
    return address


def _parse_label(text: str) -> str:
    name, colon, rest = text.partition(":")
    plain = rest.isascii() and (rest + "0").translate(_PUNCTUATION).isalnum()
    if name != "lo" or bool(colon) is not bool(rest) or not plain:
        raise ValueError
    if len(text) > LONGEST_LABEL:
        raise ValueError(f"it has {len(text)} characters")
    return text


ADDRESS = Parser(_parse_vip, "a unicast IPv4 or IPv6 address, without prefix or zone")
LABEL = Parser(_parse_label, f"lo, or a label such as lo:0 of at most {LONGEST_LABEL} characters")

VIP = required(
    "vip",
    ADDRESS,
    unique_group="vip",
    short="Virtual IP address",
    long="Address of the virtual service, IPv4 or IPv6, that this node serves as a real server.",
)
NIC_LO = defaulted(
    "nic_lo",
    LABEL,
    "lo:0",
    short="Label of the address",
    long=(
        "Label of an IPv4 address on lo, for programs such as ifconfig: lo: and a name, or lo "
        "alone. Several addresses may have the same label. IPv6 addresses have no label. An "
        "address that is present already keeps its label."
    ),
)
DRAIN_DELAY = defaulted(
    "drain_delay",
    duration,
    "0s",
    reloadable=True,
    short="How long stop waits for the director",
    long=(
        "On a node that is on standby or shutting down, stop first waits for this time, with or "
        "without connections: the director sends new connections here until its next monitor. Set "
        "it longer than the interval and the run time of that monitor: 7s for an interval of 5s."
    ),
)
DRAIN_TIMEOUT = defaulted(
    "drain_timeout",
    duration,
    "0s",
    reloadable=True,
    short="How long stop waits for connections to end",
    long=(
        "After drain_delay stop waits until no TCP connection to the virtual IP is left on this "
        "node, half-closed ones included, at most so long and never beyond its own timeout, which "
        "should be longer than both together."
    ),
)

PARAMETERS = ParameterSet((VIP, NIC_LO, DRAIN_DELAY, DRAIN_TIMEOUT))
