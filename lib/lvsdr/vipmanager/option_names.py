"""Accepted names of the options: current and old ones, and names of parameters of ``vip``.

Current and earlier names of Cybertec's vip-manager are accepted as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from .options import OPTIONS

# Name of the agent's parameter, with dashes -> name of the option.
AGENT_NAMES = {
    "nic": "interface",
    "cidr-netmask": "netmask",
    "dcs-user": "etcd-user",
    "dcs-password": "etcd-password",
    "dcs-token": "consul-token",
    "dcs-ca-file": "etcd-ca-file",
    "dcs-cert-file": "etcd-cert-file",
    "dcs-key-file": "etcd-key-file",
}

UNUSED_OPTIONS = ("retry-after", "retry-num")
NEVER_EMPTY = ("trigger-key", "trigger-value")
"""Options whose empty text is an error; other options count as unset with it."""

CURRENT_NAMES = {
    **AGENT_NAMES,
    **{old: option.name for option in OPTIONS for old in option.old_names},
    **{option.name: option.name for option in OPTIONS},
}
"""The current name of an option for each of its accepted names."""


def find_name_warnings(names: Iterable[str], format_source: Callable[[str], str]) -> Iterator[str]:
    """Yield a warning for each old name and each unused option.

    ``format_source`` returns a name as its source has it, such as ``--iface`` or ``VIP_IFACE``.
    """
    for name in names:
        if CURRENT_NAMES[name] != name and name not in AGENT_NAMES:
            yield f"{format_source(name)} is an old name: use {CURRENT_NAMES[name]}"
        if name in UNUSED_OPTIONS:
            yield f"{format_source(name)} has no effect any more"
