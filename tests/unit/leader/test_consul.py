"""The store for Consul: the table of cases at the stand-in, and answers that Consul never gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from lvsdr import leader
from lvsdr.errors import SourceUnavailable
from lvsdr.leader import consul
from lvsdr.leader.gate import State
from lvsdr.leader.settings import GivenSettings
from lvsdr.system.net.first_answer import Bell
from lvsdr.system.net.http import Response
from lvsdr.values.deadline import Deadline

from tests.cases.consul_cases import CASES, KEY, NEVER, Waiting, leadership, opened
from tests.fakes.consul import Consul, serving
from tests.fakes.server import answering
from tests.fakes.server import serving as serving_answers


@pytest.fixture
def servers() -> Consul:
    """Return a stand-in where node1 holds the lock."""
    made = Consul(KEY)
    made.acquire("adf4238a-882b-9ddc-4a9d-5b6758e4159e", "node1")
    return made


@pytest.fixture
def port(servers: Consul) -> Iterator[int]:
    with serving(servers) as found:
        yield found


@pytest.mark.parametrize("name", CASES)
def test_the_stand_in_answers_like_consul(name: str, servers: Consul) -> None:
    with serving(servers):
        CASES[name](servers)


def test_the_requests_of_a_read_and_a_wait(servers: Consul, port: int) -> None:
    """Each request is consistent; a waiting one names the index of the latest answer."""
    store = opened(port)
    leadership(store)
    assert Waiting(store, 0.3).over()
    question, wait = servers.questions
    assert question.keys() == {"consistent"}
    assert wait.keys() == {"consistent", "index", "wait"}
    assert wait["index"] == "11"
    assert wait["wait"].endswith("ms")


def old(servers: Consul) -> None:
    servers.headers = {"X-Consul-Effective-Consistency": "stale"}


def leaderless(servers: Consul) -> None:
    servers.headers = {"X-Consul-KnownLeader": "false"}


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (old, "answered with possibly outdated data"),
        (leaderless, "reports that the Consul servers have no leader"),
    ],
)
def test_an_answer_that_may_be_inconsistent_is_refused(
    servers: Consul, port: int, trouble: Callable[[Consul], None], reason: str
) -> None:
    trouble(servers)
    found = leadership(opened(port))
    assert found == (State.UNKNOWN, f"http://127.0.0.1:{port}: {reason}", None)


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (404, b"404 page not found", []),
        (200, b"[]", ["X-Consul-Index: 1"]),
        (200, b"null", ["X-Consul-Index: 1"]),
        (200, b"<html>", ["X-Consul-Index: 1"]),
        (200, b"[{}]", []),
    ],
)
def test_the_answer_of_another_server_is_refused(
    status: int, body: bytes, headers: list[str]
) -> None:
    """An answer that is not Consul's leaves the state unknown.

    Above all, a 404 of another server does not mean that there is no leader.
    """
    with serving_answers(answering(status, body, *headers)) as served:
        assert leadership(opened(served.port)).state is State.UNKNOWN


@pytest.mark.parametrize("index", ["0", "-1", "", "x"])
def test_an_illegal_index_is_replaced_by_1(servers: Consul, port: int, index: str) -> None:
    """An index that is no positive number is replaced by 1.

    Consul would answer a query with index 0 at once, so the queries would never wait.
    """
    servers.headers = {"X-Consul-Index": index}
    store = opened(port)
    leadership(store)
    Waiting(store, 0.1).over()
    assert servers.questions[-1]["index"] == "1"


def test_a_wait_requires_the_index_of_an_answer(servers: Consul, port: int) -> None:
    store = opened(port)
    with pytest.raises(SourceUnavailable):
        store.wait(Deadline.after(NEVER), Bell())
    leadership(store)
    servers.lose_leader()
    leadership(store)
    with pytest.raises(SourceUnavailable):
        store.wait(Deadline.after(NEVER), Bell())


def test_a_key_is_quoted() -> None:
    given = GivenSettings(key="/my service/ü?/leader", token="geheim")
    settings = leader.build_settings("consul", "node1", given)
    request = consul.build_read_request(settings)
    assert request.path == "/v1/kv/my%20service/%C3%BC%3F/leader?consistent"
    assert request.headers == {"X-Consul-Token": "geheim"}


def test_the_requested_wait_leaves_room_for_the_jitter_of_consul() -> None:
    settings = leader.build_settings("consul", "node1", GivenSettings(key="l"))
    path = consul.build_read_request(settings, 7, 17.0).path
    assert path == "/v1/kv/l?consistent&index=7&wait=16000ms"


def test_an_answer_without_the_index_is_refused() -> None:
    with pytest.raises(SourceUnavailable):
        consul.parse_response(Response(200, {}, b"[{}]"), KEY)


@pytest.mark.parametrize("token", ["geheim\n", "ge\r\nheim", "geheim\u20ac"])
def test_a_token_that_cannot_be_sent_is_not_shown(port: int, token: str) -> None:
    found = leadership(opened(port, token=token))
    assert found.state is State.UNKNOWN
    assert "heim" not in found.reason


def test_a_server_that_sends_the_token_back_is_not_quoted() -> None:
    with serving_answers(answering(403, b"the token geheim may not read")) as served:
        found = leadership(opened(served.port, token="geheim"))
    assert found.reason.endswith("answered 403: the token (not shown) may not read")


MALFORMED = {
    "an object": b'{"Value": "bm9kZTE="}',
    "empty": b"[]",
    "an entry is null": b"[null]",
    "an entry is a text": b'["node1"]',
    "two entries": b'[{"Value": "bm9kZTE="}, {"Value": "bm9kZTE="}]',
    "no base64": b'[{"Value": "node1"}]',
    "a value is a number": b'[{"Value": 1}]',
    "a value is an object": b'[{"Value": {}}]',
    "a lock index in quotes": b'[{"Value": "bm9kZTE=", "LockIndex": "1"}]',
    "a lock index is true": b'[{"Value": "bm9kZTE=", "LockIndex": true}]',
    "a lock index is null": b'[{"Value": "bm9kZTE=", "LockIndex": null}]',
    "a session is a list": b'[{"Value": "bm9kZTE=", "LockIndex": 1, "Session": ["x"]}]',
    "another key": b'[{"Key": "other", "Value": "bm9kZTE="}]',
    "deep": b"[" * 100_000,
    "a page": b"<html>",
    "nothing": b"",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_the_next_endpoint_is_queried_after_a_malformed_answer(name: str, port: int) -> None:
    wrong_answer = answering(200, MALFORMED[name], "X-Consul-Index: 7")
    with serving_answers(wrong_answer) as wrong:
        found = leadership(opened(wrong.port))
        given = GivenSettings(endpoints=f"127.0.0.1:{wrong.port},127.0.0.1:{port}", key=KEY)
        both = leader.open_store("consul", leader.build_settings("consul", "node1", given))
        assert leadership(both).state is State.LEADER
    assert found.state is State.UNKNOWN
    assert "internal error" not in found.reason
