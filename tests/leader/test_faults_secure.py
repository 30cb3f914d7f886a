"""vip-manager with an etcd that requires certificates, a user and a password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.leader.certificates import Authority
from tests.leader.conftest import PASSWORD
from tests.leader.etcd import Cluster
from tests.leader.fault_report import title
from tests.leader.fault_scenario import FaultScenario, prepare_scenario
from tests.leader.manager import VIP, Manager, addresses
from tests.leader.network import Host
from tests.support.waiting import wait_until

GRACE = 3
SOON = 10.0


@pytest.fixture
def scenario(
    request: pytest.FixtureRequest,
    hosts: dict[str, Host],
    tmp_path: Path,
    secure: Cluster,
    authority: Authority,
) -> Iterator[FaultScenario]:
    settings = {
        "VIP_DCS_GRACE": str(GRACE),
        "VIP_ETCD_CA_FILE": authority.certificate,
        "VIP_ETCD_CERT_FILE": authority.file("nameless.crt"),
        "VIP_ETCD_KEY_FILE": authority.file("nameless.key"),
        "VIP_ETCD_USER": "reader",
        "VIP_ETCD_PASSWORD": PASSWORD,
    }
    secure.put("node1")
    managers = [
        Manager(hosts[name], [f"https://{hosts['secure'].back}:2379"], tmp_path / name, settings)
        for name in ("node1", "node2")
    ]
    with prepare_scenario(title(request), hosts, managers) as made:
        made.begin()
        yield made


def test_tls_and_password_switchover(scenario: FaultScenario, secure: Cluster) -> None:
    secure.put("node2")
    scenario.moved_to(1)
    scenario.end(most=SOON)
    for manager in scenario.managers:
        assert PASSWORD not in manager.end().stderr


def test_tls_and_password_the_member_forgets_tokens(
    scenario: FaultScenario, secure: Cluster
) -> None:
    """A restart of the member, shorter than the grace, invalidates tokens without effect."""
    secure.restart(0)
    wait_until(secure.healthy)
    scenario.asked_again(0, 1)
    secure.put("node2")
    scenario.moved_to(1)
    scenario.end(most=SOON)


def test_tls_and_password_the_right_to_read_is_gone(
    scenario: FaultScenario, secure: Cluster
) -> None:
    """A missing permission counts as silence, and costs the address after the grace."""
    secure.ctl("user", "revoke-role", "reader", "reader")
    wait_until(lambda: VIP not in addresses(scenario.nodes[0]))
    assert "permission denied" in scenario.managers[0].address()["reason"]
    secure.ctl("user", "grant-role", "reader", "reader")
    scenario.moved_to(0)
    scenario.end(most=GRACE + 2 * SOON)
