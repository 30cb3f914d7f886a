"""The state that the agent lvsdr keeps from one run to the next, in the resource's state file.

Each line holds one fact, as words separated by blanks.  The file is read and written in every
cycle, and importing a library for a richer format would cost more than that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...ipvs.table import RealServerKey, ServiceKey
from ...system import small_files
from ...values.light_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...pool.director import Decision, Findings


class SavedPool(NamedTuple):
    """The stored state; a cycle or two rebuild it if it is lost."""

    service: ServiceKey | None = None
    """The service that was started; stop needs it if the parameters are broken by then."""
    drains: Mapping[RealServerKey, float] = {}
    """The time at which each real server was withdrawn (seconds, monotonic clock of this boot)."""
    addresses: Mapping[str, str] = {}
    """The last address of each host."""
    names: Mapping[str, str] = {}
    """The host of each address in the table."""


def load_saved_pool(path: str) -> SavedPool:
    """Return the state stored during this boot; empty if the file is missing or malformed."""
    header, _, text = small_files.read_text(path).partition("\n")
    if header != _header():
        return SavedPool()
    try:
        return _parse(text)
    except ValueError:
        return SavedPool()


def render_saved_pool(memory: SavedPool) -> str:
    """Return the content of the state file for the next run."""
    return "\n".join((_header(), *_render_lines(memory), ""))


def _header() -> str:
    return f"boot {small_files.boot_id()}"


def _render_lines(memory: SavedPool) -> Iterator[str]:
    if memory.service is not None:
        protocol, address, port = memory.service
        yield f"service {protocol} {address} {port}"
    for server, since in memory.drains.items():
        yield f"drain {server.address} {server.port} {since!r}"
    for host, address in memory.addresses.items():
        yield f"address {address} {host}"
    for address, host in memory.names.items():
        yield f"name {address} {host}"


def _parse(text: str) -> SavedPool:
    service = None
    drains: dict[RealServerKey, float] = {}
    addresses: dict[str, str] = {}
    names: dict[str, str] = {}
    for line in text.splitlines():
        kind, fact = line.split(" ", 1)
        if kind == "service":
            protocol, address, port = fact.split(" ")
            service = ServiceKey(protocol, address, int(port))
        elif kind == "drain":
            address, port, since = fact.split(" ")
            drains[RealServerKey(address, int(port))] = float(since)
        elif kind == "address":
            address, host = fact.split(" ", 1)
            addresses[host] = address
        elif kind == "name":
            address, host = fact.split(" ", 1)
            names[address] = host
        else:
            raise ValueError(line)
    return SavedPool(service, drains, addresses, names)


def build_saved_pool(
    key: ServiceKey, judged: Findings, decision: Decision, before: SavedPool
) -> SavedPool:
    """Return the state that the next cycle needs of this one."""
    servers = [s for s in (*judged.located, *judged.fallback) if s.address is not None]
    return SavedPool(
        service=key,
        drains=decision.drains,
        addresses=_select_used_addresses(before, decision)
        | {s.host: s.address or "" for s in servers},
        names={
            key.address: judged.hosts[key.address]
            for key in decision.real_servers
            if key.address in judged.hosts
        },
    )


def _select_used_addresses(before: SavedPool, decision: Decision) -> dict[str, str]:
    """Return the addresses, still in use, of hosts that no source named in this cycle."""
    used = {key.address for key in decision.real_servers}
    return {host: address for host, address in before.addresses.items() if address in used}
