"""The options of vip-manager, each declared once: flag, variable, key of a file, and help.

The option ``trigger-key`` is the flag ``--trigger-key``, the variable ``VIP_TRIGGER_KEY`` and the
key ``trigger-key`` (``trigger_key``) of a file.  Current and earlier names of Cybertec's
vip-manager are accepted as well.
"""

from __future__ import annotations

from ..leader.gate import LeaderPolicy, Unreachable
from ..ocf.values import Parser, absolute_path, one_of
from ..values.light_typing import NamedTuple
from .address_machine import Rules
from .names import OF_THE_AGENT
from .option_parsers import (
    ADDRESSES,
    INTERFACES,
    PREFIXES,
    STORE,
    file_path,
    level,
    listening,
    seconds,
    text,
    truth,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SETTLE = 0.6
RUN_DIRECTORY = "/run/vip-manager"


class Option(NamedTuple):
    """An option; ``parse`` converts a text to its value.

    It raises ValueError with the legal values.
    """

    name: str
    parse: Callable[[str], Any]
    help: str
    default: str | None = None
    metavar: str = ""
    """The placeholder in the help; empty for a switch."""
    old: tuple[str, ...] = ()
    """Other accepted names."""
    discreet: bool = False
    """True if the value is, or may contain, a secret."""

    @property
    def variable(self) -> str:
        return variable(self.name)


def variable(name: str) -> str:
    """Return the name in the environment.

    >>> variable("trigger-key")
    'VIP_TRIGGER_KEY'
    """
    return "VIP_" + name.upper().replace("-", "_")


_DEFAULT, _PATIENT = LeaderPolicy(), Rules()

OPTIONS = (
    Option(
        "interface",
        INTERFACES,
        "Interface that gets the address; one for all addresses, or one for each.",
        metavar="NAMES",
        old=("iface",),
    ),
    Option(
        "ip",
        ADDRESSES,
        "The address, IPv4 or IPv6, or several, separated by commas.",
        metavar="ADDRESSES",
    ),
    Option(
        "netmask",
        PREFIXES,
        "Prefix length or IPv4 netmask; one for all addresses of one family, or one for each.",
        metavar="PREFIXES",
        old=("mask",),
    ),
    Option(
        "dcs-type",
        STORE,
        "The store that says who leads: etcd (version 3, also spelled etcd3), consul, patroni.",
        "etcd",
        metavar="TYPE",
        old=("type", "endpoint-type"),
    ),
    Option(
        "dcs-endpoints",
        text,
        "URLs of the store, separated by commas; default: this host.",
        metavar="URLS",
        old=("endpoint", "endpoints"),
    ),
    Option(
        "trigger-key",
        text,
        "Key that holds the leader's name; for patroni the path to be asked, default /leader.",
        metavar="KEY",
        old=("key",),
    ),
    Option(
        "trigger-value",
        text,
        "Value of the key when this node leads, default the host's name; for patroni the HTTP "
        "status, default 200.",
        metavar="VALUE",
        old=("nodename", "host"),
    ),
    Option(
        "manager-type",
        one_of("basic"),
        "How the address is managed; there is only basic.",
        "basic",
        metavar="TYPE",
        old=("hosting-type", "hostingtype"),
    ),
    Option(
        "interval",
        seconds(0, 0.001),
        "Milliseconds after which the store is asked again if it cannot be watched, or says "
        "nothing; 100 at least.",
        "1000",
        metavar="MS",
    ),
    Option(
        "takeover-timeout",
        seconds(0),
        "Seconds to wait while another host still answers for the address.",
        f"{_PATIENT.takeover:g}",
        metavar="SECONDS",
    ),
    Option(
        "retry-timeout",
        seconds(0.1),
        "Seconds from an attempt that was abandoned, or failed, to the next.",
        f"{_PATIENT.retry:g}",
        metavar="SECONDS",
    ),
    Option(
        "force-takeover",
        truth,
        "Take the address after the takeover timeout even if another host still answers.",
        "false",
    ),
    Option(
        "keepalive-period",
        seconds(0.1),
        "Seconds from one look whether the address is still there to the next; a change that the "
        "kernel tells of is looked at at once.",
        "1",
        metavar="SECONDS",
    ),
    Option(
        "on-dcs-unreachable",
        Parser(Unreachable, "release or keep"),
        "What becomes of the address when the store stays silent for longer than the grace: "
        "release or keep.",
        _DEFAULT.unreachable.value,
        metavar="POLICY",
    ),
    Option(
        "dcs-grace",
        seconds(0),
        "Seconds for which the address stays after the store last said that this node leads; with "
        "patroni 2 at most, and 0 when it does not run.",
        f"{_DEFAULT.grace:g}",
        metavar="SECONDS",
    ),
    Option(
        "settle",
        seconds(SETTLE),
        "Seconds for which this node must have led before it has the address.",
        f"{SETTLE:g}",
        metavar="SECONDS",
    ),
    Option("etcd-user", text, "User of etcd.", metavar="NAME"),
    Option(
        "etcd-password",
        text,
        "Its password; anybody on the host can read it here, so use the environment or a file.",
        metavar="PASSWORD",
        discreet=True,
    ),
    Option("etcd-ca-file", file_path, "Who signs the store's certificates.", metavar="FILE"),
    Option("etcd-cert-file", file_path, "Certificate to show to the store.", metavar="FILE"),
    Option("etcd-key-file", file_path, "Its key.", metavar="FILE"),
    Option("consul-token", text, "Token of Consul.", metavar="TOKEN", discreet=True),
    Option(
        "keep-on-exit",
        truth,
        "Leave the address where it is when told to end: for upgrades.",
        "false",
    ),
    Option("loglevel", level, "DEBUG, INFO, WARNING or ERROR.", "INFO", metavar="LEVEL"),
    Option("verbose", truth, "The same as --loglevel DEBUG.", "false"),
    Option(
        "log-format",
        one_of("text", "json"),
        "How a line of the log is written: text (key=value) or json.",
        "text",
        metavar="FORMAT",
    ),
    Option(
        "metrics-listen",
        listening,
        "Port, or address and port, where Prometheus may ask; without an address only this host.",
        metavar="[ADDRESS:]PORT",
    ),
    Option(
        "metrics-textfile",
        absolute_path,
        "File for the textfile collector of Prometheus' node_exporter.",
        metavar="FILE",
    ),
    Option(
        "run-dir",
        absolute_path,
        "Directory for locks, the status socket, and what has to survive a restart.",
        RUN_DIRECTORY,
        metavar="DIRECTORY",
    ),
    Option("retry-after", text, "Accepted, and not used.", metavar="MS"),
    Option("retry-num", text, "Accepted, and not used.", metavar="NUMBER"),
)
UNUSED = ("retry-after", "retry-num")
NEVER_EMPTY = ("trigger-key", "trigger-value")
"""Options whose empty text is an error; other options count as unset with it."""

BY_NAME = {option.name: option for option in OPTIONS}
"""The options by their current names."""

CURRENT = {
    **OF_THE_AGENT,
    **{other: option.name for option in OPTIONS for other in option.old},
    **{option.name: option.name for option in OPTIONS},
}
"""The current name for every name, old or current."""
