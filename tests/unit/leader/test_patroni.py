"""Answers that Patroni 3.0.2 was observed to give, and their meaning."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from lvsdr import leader
from lvsdr.leader.gate import Leadership, State
from lvsdr.leader.patroni import judge_failed_check
from lvsdr.leader.settings import GivenSettings
from lvsdr.system.net.first_answer import Bell
from lvsdr.system.net.http import Response
from lvsdr.values.deadline import Deadline

from tests.fakes.server import Served, answering, routed, serving
from tests.unit.crm import DATA

LED = (DATA / "leader" / "patroni-cluster.json").read_bytes()
UNLED = (DATA / "leader" / "patroni-cluster-unled.json").read_bytes()
STANDBY = LED.replace(b'"leader"', b'"standby_leader"')
PATIENCE = 20.0


@pytest.fixture
def replica() -> Iterator[Served]:
    """Yield a Patroni member that is not the leader of its cluster; node1 is."""
    routes = {
        "/leader": answering(503),
        "/replica?lag=10MB": answering(200),
        "/read-only": answering(500),
        "/cluster": answering(200, LED),
    }
    with serving(routed(routes)) as served:
        yield served


def said(endpoints: str, **given: str) -> Leadership:
    settings = leader.build_settings(
        "patroni", "node2", GivenSettings(endpoints=endpoints, **given)
    )
    return leader.query_store(
        leader.open_store("patroni", settings), Deadline.after(PATIENCE)
    ).leadership


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        (
            "/leader",
            "200",
            Leadership(State.FOLLOWER, "Patroni answers 503 for /leader, node1 leads", "node1"),
        ),
        ("/leader", "503", Leadership(State.LEADER, "Patroni answers 503 for /leader")),
        (
            "/replica?lag=10MB",
            "200",
            Leadership(State.LEADER, "Patroni answers 200 for /replica?lag=10MB"),
        ),
        (
            "/replica?lag=10MB",
            "503",
            Leadership(
                State.FOLLOWER, "Patroni answers 200 for /replica?lag=10MB, node1 leads", "node1"
            ),
        ),
    ],
)
def test_the_answers_of_a_replica(replica: Served, key: str, value: str, found: Leadership) -> None:
    assert said(f"127.0.0.1:{replica.port}", key=key, value=value) == found


@pytest.mark.parametrize(("key", "status"), [("/read-only", 500), ("/nonsense", 404)])
def test_a_status_that_is_no_answer(replica: Served, key: str, status: int) -> None:
    found = said(f"127.0.0.1:{replica.port}", key=key)
    assert found.state is State.UNKNOWN
    assert f"answered {status} for {key}" in found.reason


@pytest.mark.parametrize("status", [200, 503])
@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"running"', b"null", b"[" * 100_000])
def test_a_body_that_is_not_patronis_is_no_answer(status: int, body: bytes) -> None:
    with serving(routed({"/leader": answering(status, body)})) as served:
        found = said(f"127.0.0.1:{served.port}")
    assert found.state is State.UNKNOWN
    assert "internal error" not in found.reason


def test_without_the_cluster_the_answer_of_the_member_counts() -> None:
    """A member's own answer counts if it shows no cluster.

    Failsafe mode is such a case: Patroni has no store to query either.
    """
    with serving(routed({"/leader": answering(503)})) as served:
        found = said(f"127.0.0.1:{served.port}")
    assert found == (State.FOLLOWER, "Patroni answers 503 for /leader", None)


def test_the_second_endpoint_of_this_host_answers(replica: Served) -> None:
    found = said(f"127.0.0.1:1,127.0.0.2:1,localhost:{replica.port}")
    assert found.state is State.FOLLOWER


def test_other_members_are_not_queried(replica: Served) -> None:
    """Members on other hosts are not queried, because their answers are true of them alone."""
    found = said(f"203.0.113.7:{replica.port},203.0.113.8:{replica.port}")
    assert found.state is State.UNKNOWN
    assert found.reason.count("is not on this host") == 2
    assert replica.questions == []


def test_a_single_endpoint_of_another_host_is_not_queried(replica: Served) -> None:
    assert said(f"203.0.113.7:{replica.port}").state is State.UNKNOWN
    assert replica.questions == []


@pytest.mark.parametrize(
    "endpoints", ["127.0.0.1:1", "127.0.0.1:1,203.0.113.7:8008", "127.0.0.1:1,localhost:1"]
)
def test_a_patroni_that_does_not_listen_has_stopped(endpoints: str) -> None:
    found = said(endpoints)
    assert found.state is State.STOPPED
    assert "Connection refused" in found.reason


def test_a_patroni_without_an_answer_is_unknown() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        settings = leader.build_settings(
            "patroni", "node2", GivenSettings(f"127.0.0.1:{listener.getsockname()[1]},127.0.0.1:1")
        )
        store = leader.open_store("patroni", settings)
        assert leader.query_store(store, Deadline.after(1.5)).leadership.state is State.UNKNOWN


@pytest.mark.parametrize(
    ("path", "body", "state", "name"),
    [
        ("/leader", LED, State.FOLLOWER, "node1"),
        ("/primary", LED, State.FOLLOWER, "node1"),
        ("/standby-leader", STANDBY, State.FOLLOWER, "node1"),
        ("/leader", UNLED, State.NO_LEADER, None),
        ("/", UNLED, State.NO_LEADER, None),
        ("/read-write?x=y", UNLED, State.NO_LEADER, None),
        ("/replica?lag=1MB", UNLED, State.FOLLOWER, None),
        ("/read-only", UNLED, State.FOLLOWER, None),
        ("/leader", b"", State.FOLLOWER, None),
        ("/leader", b"{}", State.FOLLOWER, None),
        ("/leader", b"[1]", State.FOLLOWER, None),
        ("/leader", b'{"members": [{"name": "x"}]}', State.FOLLOWER, None),
        ("/leader", b'{"members": {"name": "x"}}', State.FOLLOWER, None),
        ("/leader", b'{"members": null}', State.FOLLOWER, None),
        ("/leader", b'{"members": [null]}', State.FOLLOWER, None),
        ("/leader", b'{"members": [{"name": 1, "role": []}]}', State.FOLLOWER, None),
        ("/leader", b"[" * 100_000, State.FOLLOWER, None),
    ],
)
def test_the_cluster_names_the_leader(
    path: str, body: bytes, state: State, name: str | None
) -> None:
    found = judge_failed_check(path, 503, Response(200, {}, body))
    assert (found.state, found.leader) == (state, name)


def test_without_the_cluster_the_node_follows() -> None:
    for cluster in (None, Response(503, {}, LED)):
        assert judge_failed_check("/leader", 503, cluster).state is State.FOLLOWER


def test_a_wait_ends_and_is_cancelled() -> None:
    store = leader.open_store("patroni", leader.build_settings("patroni", "node1", GivenSettings()))
    store.wait(Deadline.after(0.01), Bell())
    store.wait(Deadline.after(PATIENCE), Bell())
    bell = Bell()
    bell.stop()
    store.wait(Deadline.after(PATIENCE), bell)
