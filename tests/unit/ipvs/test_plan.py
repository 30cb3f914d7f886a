"""The difference of two tables, and the safety of every state on the way."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from lvsdr.ipvs.batch import render_batch
from lvsdr.ipvs.plan import (
    AddRealServer,
    AddService,
    DeleteRealServer,
    DeleteService,
    EditRealServer,
    EditService,
    plan_changes,
)
from lvsdr.ipvs.table import (
    RealServer,
    RealServerConfig,
    RealServerKey,
    Service,
    ServiceConfig,
    ServiceKey,
    Table,
    WantedService,
    WantedTable,
)

from tests.fakes.kernel import FakeKernel
from tests.unit.ipvs import tables
from tests.unit.ipvs.tables import kernel_with, ours, plain

KEY = ServiceKey("tcp", "10.77.0.100", 5432)
RR = ServiceConfig("rr")
examples = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def server(number: int) -> RealServerKey:
    return RealServerKey(f"10.77.0.{number}", 5432)


def weight(number: int) -> RealServerConfig:
    return RealServerConfig("gate", number)


def wanted(config: ServiceConfig = RR, **weights: int) -> dict[ServiceKey, WantedService]:
    """Return one service; ``s11=1`` is the real server with last address number 11 and weight 1."""
    servers = {server(int(name[1:])): weight(number) for name, number in weights.items()}
    return {KEY: WantedService(config, servers)}


def actual(config: ServiceConfig = RR, **weights: int) -> Table:
    [service] = wanted(config, **weights).values()
    servers = {key: RealServer(config) for key, config in service.real_servers.items()}
    return {KEY: Service(config, servers)}


def test_weight_0_goes_before_a_scheduler_that_refuses_there() -> None:
    """A real server of weight 0 goes before a scheduler that refuses clients at weight 0.

    A batch that is killed after its first line then refuses no client.
    """
    dh = ServiceConfig("dh")
    assert plan_changes(actual(RR, s11=1, s12=0, s13=1), wanted(dh, s11=1)) == (
        DeleteRealServer(KEY, server(12)),
        EditService(KEY, dh),
        DeleteRealServer(KEY, server(13)),
    )
    assert plan_changes(actual(RR, s11=1, s12=0), wanted(RR, s11=1)) == (
        DeleteRealServer(KEY, server(12)),
    )


def test_nothing_becomes_something() -> None:
    assert plan_changes({}, wanted(s11=1, s12=0)) == (
        AddService(KEY, RR),
        AddRealServer(KEY, server(11), weight(1)),
        AddRealServer(KEY, server(12), weight(0)),
    )


def test_something_becomes_nothing() -> None:
    assert plan_changes(actual(s11=1, s12=0), {}) == (DeleteService(KEY),)


def test_a_service_is_edited_in_place() -> None:
    assert plan_changes(actual(s11=1), wanted(ServiceConfig("wrr"), s11=1)) == (
        EditService(KEY, ServiceConfig("wrr")),
    )


def test_gains_come_before_losses_and_deletions_last() -> None:
    before, after = actual(s11=5, s12=1, s13=1), wanted(s14=1, s11=1, s12=5)
    assert plan_changes(before, after) == (
        AddRealServer(KEY, server(14), weight(1)),
        EditRealServer(KEY, server(12), weight(5)),
        EditRealServer(KEY, server(11), weight(1)),
        DeleteRealServer(KEY, server(13)),
    )


def test_another_forwarding_method_is_an_edit() -> None:
    after = {KEY: WantedService(RR, {server(11): RealServerConfig("masq", 1)})}
    assert plan_changes(actual(s11=1), after) == (
        EditRealServer(KEY, server(11), RealServerConfig("masq", 1)),
    )


def test_counters_are_no_difference() -> None:
    assert plan_changes(actual(s11=1), wanted(s11=1)) == ()


@examples
@given(tables.tables)
def test_there_is_no_difference_to_itself(table: WantedTable) -> None:
    assert plan_changes(ours(kernel_with(table)), table) == ()


@examples
@given(tables.changes)
def test_the_batch_leads_to_the_wanted_table(change: tables.Change) -> None:
    *_, last = states(change)
    assert plain(ours(last)) == change.wanted


@examples
@given(tables.changes)
def test_no_state_on_the_way_is_without_real_servers(change: tables.Change) -> None:
    """No total weight is 0 on the way if it is above 0 before and after."""
    weights = [kernel.total_weights() for kernel in states(change)]
    serving = {key for key, total in weights[-1].items() if total and weights[0].get(key)}
    assert [key for total in weights for key in serving if not total[key]] == []


@examples
@given(tables.changes)
def test_entries_that_stay_are_never_missing(change: tables.Change) -> None:
    """A real server that stays is never deleted and added again: it would lose its connections."""
    places = [births(kernel) for kernel in states(change)]
    kept = {place: born for place, born in places[0].items() if place in places[-1]}
    for there in places:
        assert {place: there.get(place) for place in kept} == kept


@examples
@given(tables.changes)
def test_foreign_services_are_left_alone(change: tables.Change) -> None:
    alone = kernel_with({}, tables.FOREIGN).saved()
    for kernel in states(change, tables.FOREIGN):
        lines = kernel.saved().splitlines(keepends=True)
        mine = [f" {option} {place} " for option, place in OUR_WORDS]
        assert "".join(line for line in lines if not any(m in line for m in mine)) == alone


@examples
@given(tables.changes)
def test_a_killed_batch_heals(change: tables.Change) -> None:
    for kernel in states(change):
        assert kernel.restore(render_batch(plan_changes(ours(kernel), change.wanted))) == []
        assert plain(ours(kernel)) == change.wanted


OUR_WORDS = [("-t", "10.77.0.100:5432"), ("-u", "10.77.0.100:5432"), ("-u", "[fd77::100]:53")]


def states(change: tables.Change, foreign: str = "") -> Iterator[FakeKernel]:
    """Yield the kernel before the first line of the batch and after each line."""
    kernel = kernel_with(change.actual, foreign)
    batch = render_batch(plan_changes(ours(kernel), change.wanted))
    yield kernel.copy()
    for line in batch.splitlines():
        assert kernel.restore(line) == []
        yield kernel.copy()


def births(kernel: FakeKernel) -> dict[object, int]:
    """Return the moment at which each real server was added."""
    return {
        (key, endpoint): server.born
        for key, service in kernel.services.items()
        for endpoint, server in service.real_servers.items()
    }
