"""The table as values."""

from __future__ import annotations

import pytest
from lvsdr.ipvs.table import (
    LOCAL,
    Connections,
    RealServer,
    RealServerConfig,
    RealServerKey,
    Service,
    ServiceConfig,
    WantedService,
    is_serving,
    replace_local_forward,
    strip_counters,
)

FAR, NEAR = RealServerKey("10.77.0.11", 80), RealServerKey("10.77.0.12", 80)
SERVICE = Service(
    ServiceConfig("rr"),
    {
        FAR: RealServer(RealServerConfig("masq", 1), Connections(3, 4)),
        NEAR: RealServer(RealServerConfig(LOCAL, 2), Connections(5, 6)),
    },
)


def test_settings_have_no_counters() -> None:
    assert strip_counters(SERVICE) == WantedService(
        ServiceConfig("rr"), {FAR: RealServerConfig("masq", 1), NEAR: RealServerConfig(LOCAL, 2)}
    )


def test_a_local_real_server_is_shown_as_it_was_wanted() -> None:
    shown = replace_local_forward(SERVICE, "gate")
    assert shown.real_servers == {
        FAR: SERVICE.real_servers[FAR],
        NEAR: RealServer(RealServerConfig("gate", 2), Connections(5, 6)),
    }
    assert SERVICE.real_servers[NEAR].config.forward == LOCAL


NOBODY = SERVICE._replace(real_servers={})


@pytest.mark.parametrize(
    ("service", "wanted", "answer"),
    [
        (SERVICE, {FAR: 1, NEAR: 2}, True),
        (SERVICE, {FAR: 1, RealServerKey("10.77.0.255", 80): 1}, True),
        (SERVICE, {RealServerKey("10.77.0.255", 80): 1}, False),
        (SERVICE, {RealServerKey("10.77.0.255", 80): 1, FAR: 0}, False),
        (NOBODY, {FAR: 1}, False),
        (NOBODY, {FAR: 0}, True),
        (NOBODY, {}, True),
        (None, {}, False),
    ],
)
def test_serving_needs_a_weight(
    service: Service | None, wanted: dict[RealServerKey, int], answer: bool
) -> None:
    configs = {key: RealServerConfig("gate", weight) for key, weight in wanted.items()}
    assert is_serving(service, WantedService(ServiceConfig("rr"), configs)) is answer
