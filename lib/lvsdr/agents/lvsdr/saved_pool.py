"""The state that the agent lvsdr keeps from one run to the next, in the resource's state file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...ipvs.table import RealServerKey, ServiceKey
from ...system.saved_facts import load_facts, render_facts
from ...values.facts import find_value
from ...values.light_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...pool.director import Decision, Findings
    from ...values.facts import Facts

_KIND = "pool"


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
    notes: Sequence[str] = ()
    """The sentences that the last cycle has logged without degrading the pool."""
    enough_since: float | None = None
    """The time since which enough real servers serve beside a fallback (monotonic clock)."""


def load_saved_pool(path: str) -> SavedPool:
    """Return the state stored during this boot; empty if the file is missing or malformed."""
    return load_facts(path, _KIND, _parse) or SavedPool()


def render_saved_pool(memory: SavedPool) -> str:
    """Return the content of the state file for the next run."""
    return render_facts(_KIND, _list_facts(memory))


def _list_facts(memory: SavedPool) -> Iterator[tuple[str, object]]:
    yield "service", memory.service
    for server, since in memory.drains.items():
        yield "drain", (*server, since)
    for host, address in memory.addresses.items():
        yield "address", (address, host)
    for address, host in memory.names.items():
        yield "name", (address, host)
    for note in memory.notes:
        yield "note", note
    yield "enough-since", memory.enough_since


def _parse(facts: Facts) -> SavedPool:
    drains = (value.split(" ") for value in facts.get("drain", ()))
    return SavedPool(
        service=find_value(
            facts,
            "service",
            lambda protocol, address, port: ServiceKey(protocol, address, int(port)),
        ),
        drains={RealServerKey(host, int(port)): float(since) for host, port, since in drains},
        addresses={host: address for address, host in _split_hosts(facts, "address")},
        names=dict(_split_hosts(facts, "name")),
        notes=tuple(facts.get("note", ())),
        enough_since=find_value(facts, "enough-since", float),
    )


def _split_hosts(facts: Facts, name: str) -> Iterator[list[str]]:
    return (value.split(" ", 1) for value in facts.get(name, ()))


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
        notes=tuple(judged.notes),
        enough_since=decision.enough_since,
    )


def _select_used_addresses(before: SavedPool, decision: Decision) -> dict[str, str]:
    """Return the addresses, still in use, of hosts that no source named in this cycle."""
    used = {key.address for key in decision.real_servers}
    return {host: address for host, address in before.addresses.items() if address in used}
