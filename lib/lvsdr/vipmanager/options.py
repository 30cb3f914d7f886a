"""The options of vip-manager, each declared once: flag, variable, key of a file, and help.

The option ``trigger-key`` is the flag ``--trigger-key``, the variable ``VIP_TRIGGER_KEY`` and the
key ``trigger-key`` (``trigger_key``) of a file.
"""

from __future__ import annotations

from ..leader.gate import LeaderPolicy, Unreachable
from ..ocf.value_parsers import Parser, absolute_path, one_of
from ..values.light_typing import NamedTuple
from .address_machine import TakeoverRules
from .option_parsers import (
    ADDRESSES,
    INTERFACES,
    PREFIXES,
    STORE,
    build_seconds_parser,
    parse_file_path,
    parse_level,
    parse_listen_address,
    parse_switch,
    parse_text,
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
    old_names: tuple[str, ...] = ()
    """Other accepted names."""
    discreet: bool = False
    """True if the value is, or may contain, a secret."""

    @property
    def variable(self) -> str:
        return format_variable_name(self.name)


def format_variable_name(name: str) -> str:
    """Return the name in the environment.

    >>> format_variable_name("trigger-key")
    'VIP_TRIGGER_KEY'
    """
    return "VIP_" + name.upper().replace("-", "_")


_DEFAULT_POLICY, _DEFAULT_RULES = LeaderPolicy(), TakeoverRules()

OPTIONS = (
    Option(
        "interface",
        INTERFACES,
        "Interface that gets the address; one for all addresses, or one for each.",
        metavar="NAMES",
        old_names=("iface",),
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
        old_names=("mask",),
    ),
    Option(
        "dcs-type",
        STORE,
        "The store that names the leader: etcd (version 3, also spelled etcd3), consul or patroni.",
        "etcd",
        metavar="TYPE",
        old_names=("type", "endpoint-type"),
    ),
    Option(
        "dcs-endpoints",
        parse_text,
        "URLs of the store, separated by commas; default: this host.",
        metavar="URLS",
        old_names=("endpoint", "endpoints"),
    ),
    Option(
        "trigger-key",
        parse_text,
        "Key that holds the leader's name; for patroni the path of the request, default /leader.",
        metavar="KEY",
        old_names=("key",),
    ),
    Option(
        "trigger-value",
        parse_text,
        "Value of the key when this node leads, default the host's name; for patroni the HTTP "
        "status, default 200.",
        metavar="VALUE",
        old_names=("nodename", "host"),
    ),
    Option(
        "manager-type",
        one_of("basic"),
        "Kind of management of the address; only basic exists.",
        "basic",
        metavar="TYPE",
        old_names=("hosting-type", "hostingtype"),
    ),
    Option(
        "interval",
        build_seconds_parser(0, 0.001),
        "Milliseconds between two queries of a store that cannot be watched or does not answer; "
        "100 at least.",
        "1000",
        metavar="MS",
    ),
    Option(
        "takeover-timeout",
        build_seconds_parser(0),
        "Seconds to wait while another host still answers for the address.",
        f"{_DEFAULT_RULES.takeover:g}",
        metavar="SECONDS",
    ),
    Option(
        "retry-timeout",
        build_seconds_parser(0.1),
        "Seconds between an attempt that failed or was abandoned and the next attempt.",
        f"{_DEFAULT_RULES.retry:g}",
        metavar="SECONDS",
    ),
    Option(
        "force-takeover",
        parse_switch,
        "Take the address after the takeover timeout even if another host still answers.",
        "false",
    ),
    Option(
        "keepalive-period",
        build_seconds_parser(0.1),
        "Seconds between two checks that the address is present; a change that the kernel reports "
        "is checked at once.",
        "1",
        metavar="SECONDS",
    ),
    Option(
        "on-dcs-unreachable",
        Parser(Unreachable, "release or keep"),
        "Treatment of the address after the grace, while the store does not answer: "
        "release or keep.",
        _DEFAULT_POLICY.unreachable.value,
        metavar="POLICY",
    ),
    Option(
        "dcs-grace",
        build_seconds_parser(0),
        "Seconds for which the address stays after the store last named this node; with patroni 2 "
        "at most, and 0 when it does not run.",
        f"{_DEFAULT_POLICY.grace:g}",
        metavar="SECONDS",
    ),
    Option(
        "settle",
        build_seconds_parser(SETTLE),
        "Seconds for which this node must have been the leader before it takes the address.",
        f"{SETTLE:g}",
        metavar="SECONDS",
    ),
    Option("etcd-user", parse_text, "User of etcd.", metavar="NAME"),
    Option(
        "etcd-password",
        parse_text,
        "Password of the etcd user; every user of the host can read a flag: use a variable or "
        "a file.",
        metavar="PASSWORD",
        discreet=True,
    ),
    Option(
        "etcd-ca-file",
        parse_file_path,
        "Certificates of the authorities that may sign the store's certificate.",
        metavar="FILE",
    ),
    Option("etcd-cert-file", parse_file_path, "Client certificate for the store.", metavar="FILE"),
    Option("etcd-key-file", parse_file_path, "Key of the client certificate.", metavar="FILE"),
    Option("consul-token", parse_text, "Token of Consul.", metavar="TOKEN", discreet=True),
    Option(
        "keep-on-exit",
        parse_switch,
        "Leave the address on the interface when the daemon ends: for upgrades.",
        "false",
    ),
    Option("loglevel", parse_level, "DEBUG, INFO, WARNING or ERROR.", "INFO", metavar="LEVEL"),
    Option("verbose", parse_switch, "The same as --loglevel DEBUG.", "false"),
    Option(
        "log-format",
        one_of("text", "json"),
        "Format of a line of the log: text (key=value) or json.",
        "text",
        metavar="FORMAT",
    ),
    Option(
        "metrics-listen",
        parse_listen_address,
        "Port, or address and port, for queries of Prometheus; without an address on 127.0.0.1.",
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
        "Directory for locks, the status socket, and the state that must survive a restart.",
        RUN_DIRECTORY,
        metavar="DIRECTORY",
    ),
    Option("retry-after", parse_text, "Accepted without effect.", metavar="MS"),
    Option("retry-num", parse_text, "Accepted without effect.", metavar="NUMBER"),
)
