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


def plan_changes(actual: Table, wanted: WantedTable) -> tuple[Change, ...]:
    """Return the changes that turn ``actual`` into ``wanted``, if they differ, in a safe order.

    The caller omits services of others from both tables.
    """
    return (
        *_plan_deletions(actual, wanted, first=True),
        *_plan_services(actual, wanted),
        *_plan_gains(actual, wanted),
        *_plan_losses(actual, wanted),
        *_plan_deletions(actual, wanted, first=False),
        *(DeleteService(key) for key in actual if key not in wanted),
    )


def _plan_services(actual: Table, wanted: WantedTable) -> Iterator[Change]:
    for key, service in wanted.items():
        if key not in actual:
            yield AddService(key, service.config)
        elif actual[key].config != service.config:
            yield EditService(key, service.config)


def _plan_gains(actual: Table, wanted: WantedTable) -> Iterator[Change]:
    for service, key, new_config, old_config in _pair_real_servers(actual, wanted):
        if old_config is None:
            yield AddRealServer(service, key, new_config)
        elif old_config != new_config and new_config.weight >= old_config.weight:
            yield EditRealServer(service, key, new_config)


def _plan_losses(actual: Table, wanted: WantedTable) -> Iterator[Change]:
    for service, key, new_config, old_config in _pair_real_servers(actual, wanted):
        if old_config is not None and new_config.weight < old_config.weight:
            yield EditRealServer(service, key, new_config)


def _plan_deletions(actual: Table, wanted: WantedTable, *, first: bool) -> Iterator[Change]:
    """Yield the deletions that go before all other changes, or the others."""
    for key, service in actual.items():
        if key in wanted:
            is_refusing = refuses_at_zero(wanted[key].config)
            for server_key, server in service.real_servers.items():
                goes_first = is_refusing and server.config.weight == 0
                if server_key not in wanted[key].real_servers and goes_first is first:
                    yield DeleteRealServer(key, server_key)


_Pair = tuple[ServiceKey, RealServerKey, RealServerConfig, Union[RealServerConfig, None]]


def _pair_real_servers(actual: Table, wanted: WantedTable) -> Iterator[_Pair]:
    """Yield every wanted real server together with its present configuration."""
    for service_key, wanted_service in wanted.items():
        present_servers = actual.get(service_key, _EMPTY_SERVICE).real_servers
        for server_key, config in wanted_service.real_servers.items():
            yield (
                service_key,
                server_key,
                config,
                present_servers[server_key].config if server_key in present_servers else None,
            )


_EMPTY_SERVICE = Service(ServiceConfig(), {})
