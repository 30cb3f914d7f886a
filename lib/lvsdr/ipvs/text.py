"""The parsers of the two texts in which the kernel's table can be read.

They are ``/proc/net/ip_vs`` (kernel, net/netfilter/ipvs/ip_vs_ctl.c: ip_vs_info_seq_show) and the
output of ``ipvsadm -Sn`` (ipvsadm(8)).  The module knows spellings only and decides nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..errors import LvsdrError
from ..values.parsing import is_decimal, pack_address, split_endpoint, unpack_address
from .table import (
    LOCAL,
    Connections,
    RealServer,
    RealServerConfig,
    RealServerKey,
    Service,
    ServiceConfig,
    ServiceKey,
    Table,
)

_FORWARDS = {"Route": "gate", "Tunnel": "ipip", "Masq": "masq", "Local": LOCAL}
FORWARD_OPTIONS = {"gate": "-g", "ipip": "-i", "masq": "-m", LOCAL: "-l"}
PROTOCOL_OPTIONS = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service", "fwm": "-f"}


def parse_proc(text: str) -> Table:
    """Return the table in ``/proc/net/ip_vs``.

    The file does not contain everything (see ``is_full_in_proc``).  It gives the persistence in
    the kernel's own ticks, of unknown length, which are read as 0 here.  Raise LvsdrError for a
    malformed line.
    """
    table: Table = {}
    servers: dict[RealServerKey, RealServer] = {}
    for line in text.splitlines()[3:]:
        words = line.split()
        try:
            if words[0] == "->":
                key, server = _parse_proc_real_server(words)
                servers[key] = server
            else:
                servers = {}
                service, config = _parse_proc_service(words)
                table[service] = Service(config, servers)
        except (IndexError, KeyError, ValueError):
            raise LvsdrError(f"/proc/net/ip_vs: cannot read the line {line!r}") from None
    return table


def find_spelling(text: str, key: ServiceKey) -> tuple[str, ...]:
    """Return the first two words of the service's line in ``/proc/net/ip_vs``; empty without it."""
    for line in text.splitlines()[3:]:
        words = line.split()
        if words[0] != "->" and _parse_proc_service(words)[0] == key:
            return tuple(words[:2])
    return ()


def is_full_in_proc(config: ServiceConfig, key: ServiceKey) -> bool:
    """Test whether ``/proc/net/ip_vs`` shows all differences that a service may have from this one.

    It shows neither scheduler flags nor persistence engine, no seconds, and no --ops in IPv6.
    """
    if config.flags or config.scheduler in ("sh", "mh") or config.persistence is not None:
        return False
    return not (key.protocol == "udp" and ":" in key.address)


def _parse_proc_service(words: list[str]) -> tuple[ServiceKey, ServiceConfig]:
    if words[0] == "FWM":
        key = ServiceKey("fwm", "", int(words[1], 16))
    else:
        key = ServiceKey(words[0].lower(), *_parse_proc_endpoint(words[1]))
    flags = words[3:]
    config = ServiceConfig(scheduler=words[2], one_packet="ops" in flags)
    if "persistent" in flags:
        _ticks, mask = flags[flags.index("persistent") + 1 :]
        config = config._replace(persistence=0, netmask=_parse_proc_netmask(mask, key.address))
    return key, config


def _parse_proc_real_server(words: list[str]) -> tuple[RealServerKey, RealServer]:
    _, endpoint, forward, weight, active, inactive = words
    config = RealServerConfig(_FORWARDS[forward], int(weight))
    return RealServerKey(*_parse_proc_endpoint(endpoint)), RealServer(
        config, Connections(int(active), int(inactive))
    )


def _parse_proc_endpoint(text: str) -> tuple[str, int]:
    """Parse ``0A4D0064:1538`` or ``[fd77:0000:...:0064]:1538``."""
    address, port = split_endpoint(text)
    return _canonicalize_ipv6(address) if ":" in address else _decode_ipv4(address), int(port, 16)


def _canonicalize_ipv6(text: str) -> str:
    """Return the canonical form of an IPv6 address, even of an IPv4-mapped one."""
    return unpack_address(pack_address(text))


def _decode_ipv4(digits: str) -> str:
    return "{}.{}.{}.{}".format(*bytes.fromhex(digits))


def _parse_proc_netmask(digits: str, address: str) -> str | None:
    """Return a netmask in ipvsadm's spelling; None for the whole address.

    IPv4 shows a mask in network order, IPv6 a prefix length that went through ntohl.
    """
    if ":" not in address:
        return None if digits == "FFFFFFFF" else _decode_ipv4(digits)
    prefix = int.from_bytes(bytes.fromhex(digits), "little")
    return None if prefix == 128 else str(prefix)


def count_unfinished(
    lines: Iterable[str], service: ServiceKey, servers: Collection[RealServerKey]
) -> dict[RealServerKey, int]:
    """Count the TCP connections in ``/proc/net/ip_vs_conn`` that are not over, by real server.

    The kernel keeps a connection that is over for two minutes (ip_vs_proto_tcp.c: tcp_timeouts).
    It notices an end by FIN only if it sees both directions: with masquerading, and for a real
    server on this host.  It notices an end by RST in every case.
    """
    counts = dict.fromkeys(servers, 0)
    keys_by_text = {_format_conn_endpoint(key.address, key.port): key for key in servers}
    virtual_endpoint = _format_conn_endpoint(service.address, service.port)
    for line in lines:
        words = line.split()
        if len(words) > 7 and words[0] == "TCP" and (words[3], words[4]) == virtual_endpoint:
            key = keys_by_text.get((words[5], words[6]))
            if key is not None and words[7] not in _FINISHED_STATES:
                counts[key] += 1
    return counts


_FINISHED_STATES = ("TIME_WAIT", "CLOSE")


def _format_conn_endpoint(address: str, port: int) -> tuple[str, str]:
    """Return the words for an address and a port: ``0A4D0064 1538``; IPv6 in full."""
    if ":" not in address:
        return "".join(f"{int(octet):02X}" for octet in address.split(".")), f"{port:04X}"
    digits = pack_address(address).hex()
    groups = (digits[start : start + 4] for start in range(0, len(digits), 4))
    return ":".join(groups), f"{port:04X}"


def parse_saved(text: str) -> Table:
    """Return the table in the output of ``ipvsadm -Sn``: configurations in full, no counters.

    Raise LvsdrError for a malformed line.
    """
    table: Table = {}
    servers: dict[ServiceKey, dict[RealServerKey, RealServer]] = {}
    for line in text.splitlines():
        words = line.split()
        try:
            verb, key, rest = words[0], _parse_saved_key(words[1:3]), words[3:]
            if verb == "-A":
                servers[key] = {}
                table[key] = Service(_parse_saved_config(rest), servers[key])
            else:
                server, config = _parse_saved_real_server(rest)
                servers[key][server] = RealServer(config)
        except (IndexError, KeyError, StopIteration, ValueError):
            raise LvsdrError(f"ipvsadm -Sn: cannot read the line {line!r}") from None
    return table


def _parse_saved_key(words: list[str]) -> ServiceKey:
    protocol = next(name for name, option in PROTOCOL_OPTIONS.items() if option == words[0])
    if protocol == "fwm":
        return ServiceKey(protocol, "", int(words[1]))
    return ServiceKey(protocol, *_parse_saved_endpoint(words[1]))


def _parse_saved_config(words: list[str]) -> ServiceConfig:
    """Parse any configuration: other programs may have services with options unknown here."""
    next_words = dict(zip(words, words[1:]))
    flags = next_words.get("-b")
    return ServiceConfig(
        scheduler=next_words["-s"],
        persistence=int(next_words["-p"]) if "-p" in words else None,
        netmask=next_words.get("-M"),
        engine=next_words.get("--pe"),
        one_packet="-o" in words,
        flags=tuple(sorted(flags.split(","))) if flags else (),
    )


def _parse_saved_real_server(words: list[str]) -> tuple[RealServerKey, RealServerConfig]:
    forward = next(name for name, option in FORWARD_OPTIONS.items() if option in words)
    weight = int(words[words.index("-w") + 1])
    endpoint = words[words.index("-r") + 1]
    return RealServerKey(*_parse_saved_endpoint(endpoint)), RealServerConfig(forward, weight)


def _parse_saved_endpoint(text: str) -> tuple[str, int]:
    """Parse ``10.77.0.100:5432`` or ``[fd77::64]:5432``."""
    address, port = split_endpoint(text)
    return _canonicalize_ipv6(address) if ":" in address else address, int(port)


def parse_tcp_timeout(text: str) -> int | None:
    """Return the seconds for an idle TCP session in the output of ``ipvsadm -L --timeout``.

    >>> parse_tcp_timeout("Timeout (tcp tcpfin udp): 900 120 300\\n")
    900
    >>> parse_tcp_timeout("Can't initialize ipvs: Operation not permitted\\n")
    """
    _, colon, values = text.partition("(tcp tcpfin udp):")
    words = values.split()
    return int(words[0]) if colon and words and is_decimal(words[0]) else None
