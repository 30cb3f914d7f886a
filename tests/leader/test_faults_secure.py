"""vip-manager with an etcd that wants certificates, a user and a password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.leader.certificates import Authority
from tests.leader.etcd import KEY, Cluster, Member
from tests.leader.faultreport import title
from tests.leader.managing import VIP, Manager, addresses
from tests.leader.network import Host
from tests.leader.stage import Stage, staged
from tests.leader.waiting import until

PASSWORD = "not-for-the-log"
GRACE = 3
SOON = 10.0


@pytest.fixture(scope="module")
def authority(hosts: dict[str, Host], tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("certificates"))
    made.sign("server", hosts["secure"].back)
    made.sign("client", hosts["secure"].front)
    made.sign("nameless", hosts["node1"].front, subject="/O=lvsdr")
    return made


@pytest.fixture(scope="module")
def secure(
    hosts: dict[str, Host], authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """One member, at the back; node1 leads; the user reader may read the key and no more."""
    host, file = hosts["secure"], authority.file
    options = ["--client-cert-auth", "--trusted-ca-file", authority.certificate]
    options += ["--cert-file", file("server.crt"), "--key-file", file("server.key")]
    member = BackMember(host, [host], tmp_path_factory.mktemp("secure"), options, scheme="https")
    client = ["--cacert", authority.certificate]
    client += ["--cert", file("client.crt"), "--key", file("client.key")]
    cluster = Cluster([member], hosts["elsewhere"], client)
    cluster.put("node1")
    for words in (
        ("user", "add", "root:root"),
        ("user", "grant-role", "root", "root"),
        ("role", "add", "reader"),
        ("role", "grant-permission", "reader", "read", KEY),
        ("user", "add", f"reader:{PASSWORD}"),
        ("user", "grant-role", "reader", "reader"),
        ("auth", "enable"),
    ):
        cluster.ctl(*words)
    cluster.options += ["--user", "root:root"]
    yield cluster
    cluster.kill(0)


class BackMember(Member):
    """A member that is asked over the back."""

    @property
    def endpoint(self) -> str:
        return f"{self.scheme}://{self.host.back}:2379"


@pytest.fixture
def stage(
    request: pytest.FixtureRequest,
    hosts: dict[str, Host],
    tmp_path: Path,
    secure: Cluster,
    authority: Authority,
) -> Iterator[Stage]:
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
        Manager(hosts[name], secure.endpoints, tmp_path / name, settings)
        for name in ("node1", "node2")
    ]
    with staged(title(request), hosts, managers) as made:
        made.begin()
        yield made


def test_tls_and_password_switchover(stage: Stage, secure: Cluster) -> None:
    secure.put("node2")
    stage.moved_to(1)
    stage.end(most=SOON)
    for manager in stage.managers:
        assert PASSWORD not in manager.end().stderr


def test_tls_and_password_the_member_forgets_tokens(stage: Stage, secure: Cluster) -> None:
    """It starts anew, which takes less than the grace; then another leads."""
    secure.restart(0)
    until(secure.healthy)
    stage.asked_again(0, 1)
    secure.put("node2")
    stage.moved_to(1)
    stage.end(most=SOON)


def test_tls_and_password_the_right_to_read_is_gone(stage: Stage, secure: Cluster) -> None:
    """For longer than the grace: as good as silence."""
    secure.ctl("user", "revoke-role", "reader", "reader")
    until(lambda: VIP not in addresses(stage.nodes[0]))
    assert "permission denied" in stage.managers[0].address()["reason"]
    secure.ctl("user", "grant-role", "reader", "reader")
    stage.moved_to(0)
    stage.end(most=GRACE + 2 * SOON)
