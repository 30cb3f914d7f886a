"""Random tables, and their way into the fake kernel and out of it again."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from hypothesis import strategies as st
from lvsdr.ipvs.batch import render_batch
from lvsdr.ipvs.plan import plan_changes
from lvsdr.ipvs.table import (
    RealServerConfig,
    RealServerKey,
    ServiceConfig,
    ServiceKey,
    Table,
    WantedService,
    WantedTable,
    strip_counters,
)
from lvsdr.ipvs.text import parse_saved

from tests.fakes.kernel import FakeKernel

TCP = ServiceKey("tcp", "10.77.0.100", 5432)
UDP = ServiceKey("udp", "10.77.0.100", 5432)
UDP6 = ServiceKey("udp", "fd77::100", 53)
OURS = (TCP, UDP, UDP6)
FOREIGN = """\
-A -t 10.77.0.10:5432 -s rr
-a -t 10.77.0.10:5432 -r 10.77.0.11:5432 -g -w 1
-A -t 10.77.0.100:80 -s rr -p 10 -M 255.0.255.0
-a -t 10.77.0.100:80 -r 10.77.0.11:8080 -m -w 7
-A -t 10.77.0.100:543 -s sh -b sh-port
-A -u [fd77::100]:5 -s wlc -o
-a -u [fd77::100]:5 -r [fd77::11]:5 -g -w 0
-A -f 53 -s rr
"""
_SERVERS = {4: ("10.77.0.11", "10.77.0.12", "10.77.0.13"), 6: ("fd77::11", "fd77::12", "fd77::13")}
_NETMASKS = {4: (None, "255.255.255.0", "255.255.0.0"), 6: (None, "64", "48")}
_SCHEDULERS = [
    *(("rr", ()), ("rr", ("flag-1", "flag-3")), ("wlc", ())),
    *(("sh", ()), ("sh", ("sh-fallback",)), ("sh", ("sh-fallback", "sh-port"))),
    *(("mh", ()), ("mh", ("mh-port",))),
]
_PLACES = [
    None,
    *(
        RealServerConfig(forward, weight)
        for forward in ("gate", "ipip", "masq")
        for weight in (0, 1, 2)
    ),
]


class Change(NamedTuple):
    """The actual table and the wanted one."""

    actual: WantedTable
    wanted: WantedTable


def configurations(key: ServiceKey) -> list[ServiceConfig]:
    """Return all configurations that differ in kind."""
    persistence = [
        (seconds, netmask, engine)
        for seconds in (1, 360, 2678400)
        for netmask in _NETMASKS[_family(key)]
        for engine in (None, "sip")
    ]
    return [
        ServiceConfig(scheduler, *persistent, one_packet, flags)
        for scheduler, flags in _SCHEDULERS
        for persistent in [(None, None, None), *persistence]
        for one_packet in ([False, True] if key.protocol == "udp" else [False])
    ]


def _services(key: ServiceKey) -> st.SearchStrategy[WantedService | None]:
    places = st.tuples(*(st.sampled_from(_PLACES) for _ in _SERVERS[_family(key)]))
    service = st.builds(partial(_service, key), st.sampled_from(configurations(key)), places)
    return st.one_of(service, service, st.none())


def _service(
    key: ServiceKey, config: ServiceConfig, places: tuple[RealServerConfig | None, ...]
) -> WantedService:
    servers = {
        RealServerKey(address, key.port): place
        for address, place in zip(_SERVERS[_family(key)], places)
        if place is not None
    }
    return WantedService(config, servers)


def _table(*found: WantedService | None) -> WantedTable:
    return {key: service for key, service in zip(OURS, found) if service is not None}


def _family(key: ServiceKey) -> int:
    return 6 if ":" in key.address else 4


tables = st.builds(_table, *(_services(key) for key in OURS))
changes = st.builds(Change, tables, tables)


def kernel_with(table: WantedTable, foreign: str = "") -> FakeKernel:
    """Return a fake kernel that has this table and the services of others."""
    kernel = FakeKernel()
    assert kernel.restore(foreign + render_batch(plan_changes({}, table))) == []
    return kernel


def ours(kernel: FakeKernel) -> Table:
    """Return the kernel's table, reduced to our services."""
    return {key: service for key, service in parse_saved(kernel.saved()).items() if key in OURS}


def plain(table: Table) -> WantedTable:
    return {key: strip_counters(service) for key, service in table.items()}
