"""The difference of two tables, as an ordered sequence of changes.

``ipvsadm -R`` applies a batch line by line, so the kernel may be left for good in the state after
any line.  The order makes each of these states safe:

1. services are added or edited in place, never deleted and added again;
2. real servers are added, and weights raised;
3. weights are lowered;
4. real servers, then services, are deleted.

So no prefix takes a service's total weight to 0 if it is above 0 before and after.  The real
servers that serve afterwards have their weights before any earlier one is taken away.  Before a
service gets a scheduler that refuses clients at weight 0 (dh), its real servers of weight 0 are
deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Union

from .options import refuses_at_zero
from .table import (
    RealServerConfig,
    RealServerKey,
    Service,
    ServiceConfig,
    ServiceKey,
    Table,
    WantedTable,
)


class AddService(NamedTuple):
    service: ServiceKey
    config: ServiceConfig


class EditService(NamedTuple):
    service: ServiceKey
    config: ServiceConfig


class DeleteService(NamedTuple):
    service: ServiceKey


class AddRealServer(NamedTuple):
    service: ServiceKey
    server: RealServerKey
    config: RealServerConfig


class EditRealServer(NamedTuple):
    service: ServiceKey
    server: RealServerKey
    config: RealServerConfig


class DeleteRealServer(NamedTuple):
    service: ServiceKey
    server: RealServerKey


Change = Union[
    AddService, EditService, DeleteService, AddRealServer, EditRealServer, DeleteRealServer
]


def diff(actual: Table, wanted: WantedTable) -> tuple[Change, ...]:
    """Return the changes that turn ``actual`` into ``wanted``, if they differ, in a safe order.

    The caller omits services of others from both tables.
    """
    return (
        *_deletions(actual, wanted, first=True),
        *_services(actual, wanted),
        *_gains(actual, wanted),
        *_losses(actual, wanted),
        *_deletions(actual, wanted, first=False),
        *(DeleteService(key) for key in actual if key not in wanted),
    )


def _services(actual: Table, wanted: WantedTable) -> Iterator[Change]:
    for key, service in wanted.items():
        if key not in actual:
            yield AddService(key, service.config)
        elif actual[key].config != service.config:
            yield EditService(key, service.config)


def _gains(actual: Table, wanted: WantedTable) -> Iterator[Change]:
    for service, key, new, old in _pairs(actual, wanted):
        if old is None:
            yield AddRealServer(service, key, new)
        elif old != new and new.weight >= old.weight:
            yield EditRealServer(service, key, new)


def _losses(actual: Table, wanted: WantedTable) -> Iterator[Change]:
    for service, key, new, old in _pairs(actual, wanted):
        if old is not None and new.weight < old.weight:
            yield EditRealServer(service, key, new)


def _deletions(actual: Table, wanted: WantedTable, *, first: bool) -> Iterator[Change]:
    """Yield the deletions that go before all other changes, or the others."""
    for key, service in actual.items():
        if key in wanted:
            refusing = refuses_at_zero(wanted[key].config)
            for rs, there in service.real_servers.items():
                goes_first = refusing and there.config.weight == 0
                if rs not in wanted[key].real_servers and goes_first is first:
                    yield DeleteRealServer(key, rs)


_Pair = tuple[ServiceKey, RealServerKey, RealServerConfig, Union[RealServerConfig, None]]


def _pairs(actual: Table, wanted: WantedTable) -> Iterator[_Pair]:
    """Yield every wanted real server together with its present configuration."""
    for service, goal in wanted.items():
        now = actual.get(service, _NOTHING).real_servers
        for key, config in goal.real_servers.items():
            yield service, key, config, now[key].config if key in now else None


_NOTHING = Service(ServiceConfig(), {})
