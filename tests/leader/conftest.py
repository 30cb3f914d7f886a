"""The network of these tests and an etcd of three members on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.leader.etcd import Cluster, Member
from tests.leader.network import Host, network

ETCD = ("etcd1", "etcd2", "etcd3")
NUMBERS = {
    "etcd1": 11,
    "etcd2": 12,
    "etcd3": 13,
    "secure": 14,
    "node1": 21,
    "node2": 22,
    "elsewhere": 31,
}


@pytest.fixture(scope="session")
def hosts() -> Iterator[dict[str, Host]]:
    with network(NUMBERS) as made:
        yield made


@pytest.fixture(scope="session")
def standing_etcd(hosts: dict[str, Host], tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """The three members, made once."""
    homes = [hosts[name] for name in ETCD]
    place = tmp_path_factory.mktemp("etcd")
    return Cluster([Member(host, homes, place / host.name) for host in homes], hosts["elsewhere"])


@pytest.fixture
def etcd(standing_etcd: Cluster) -> Iterator[Cluster]:
    """The same, whole again after each test, and node1 the leader at its beginning."""
    standing_etcd.put("node1")
    yield standing_etcd
    standing_etcd.mend()
