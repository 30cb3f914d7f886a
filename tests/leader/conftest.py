"""The network of these tests and an etcd of three members on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.leader.certificates import Authority
from tests.leader.consul import Consul
from tests.leader.etcd import KEY, Cluster, Member
from tests.leader.fault_report import ROWS, TITLE, table
from tests.leader.network import Host, network

ETCD = ("etcd1", "etcd2", "etcd3")
CONSUL = ("consul1", "consul2", "consul3")
PASSWORD = "not-for-the-log"
NUMBERS = {
    "etcd1": 11,
    "etcd2": 12,
    "etcd3": 13,
    "secure": 14,
    "consul1": 15,
    "consul2": 16,
    "consul3": 17,
    "node1": 21,
    "node2": 22,
    "node3": 23,
    "elsewhere": 31,
}


@pytest.fixture(scope="session")
def hosts() -> Iterator[dict[str, Host]]:
    with network(NUMBERS) as made:
        yield made


@pytest.fixture(scope="session")
def standing_etcd(hosts: dict[str, Host], tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Return the cluster of three members, made once; clients reach it on both sides."""
    homes = [hosts[name] for name in ETCD]
    root = tmp_path_factory.mktemp("etcd")
    members = [Member(host, homes, root / host.name, _both_sides(host)) for host in homes]
    return Cluster(members, hosts["elsewhere"])


def _both_sides(host: Host) -> list[str]:
    return ["--listen-client-urls", f"http://{host.front}:2379,http://{host.back}:2379"]


@pytest.fixture
def etcd(standing_etcd: Cluster) -> Iterator[Cluster]:
    """Yield the cluster with node1 as the leader, and mend it after the test."""
    standing_etcd.put("node1")
    yield standing_etcd
    standing_etcd.mend()


@pytest.fixture(scope="session")
def standing_consul(hosts: dict[str, Host], tmp_path_factory: pytest.TempPathFactory) -> Consul:
    """Start the three servers of Consul once."""
    return Consul([hosts[name] for name in CONSUL], tmp_path_factory.mktemp("consul"))


@pytest.fixture
def real_consul(standing_consul: Consul) -> Iterator[Consul]:
    """Yield the servers with node1 as the holder of the lock, and mend them after the test."""
    standing_consul.renew()
    yield standing_consul
    standing_consul.mend()


@pytest.fixture(scope="module")
def authority(hosts: dict[str, Host], tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("certificates"))
    made.sign("server", hosts["secure"].front, hosts["secure"].back)
    made.sign("client", hosts["node1"].front)
    made.sign("nameless", hosts["node1"].front, subject="/O=lvsdr")
    return made


@pytest.fixture(scope="module")
def secure(
    hosts: dict[str, Host], authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """Yield a secure cluster of one member, reachable on both sides; the user reader may only read.

    The user reader may read the leader's key and nothing else.
    """
    host, file = hosts["secure"], authority.file
    options = ["--client-cert-auth", "--trusted-ca-file", authority.certificate]
    options += ["--cert-file", file("server.crt"), "--key-file", file("server.key")]
    options += ["--listen-client-urls", "https://0.0.0.0:2379"]
    place = tmp_path_factory.mktemp("secure")
    member = Member(host, [host], place, options, scheme="https")
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of the faults' effects, if there were faults."""
    if not ROWS:
        return
    terminalreporter.section(TITLE)
    for line in table(ROWS):
        terminalreporter.write_line(line)
