"""Consul's key/value store, as a stand-in serves it that keeps to Consul's documentation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from lvsdr import leader
from lvsdr.deadline import Deadline
from lvsdr.errors import SourceUnavailable
from lvsdr.gate import Leadership, State
from lvsdr.leader import consul
from lvsdr.leader.settings import Given
from lvsdr.system.http import Response
from lvsdr.system.race import Bell

from tests.fakes.consul import Consul, serving
from tests.fakes.server import answering
from tests.fakes.server import serving as serving_answers

KEY = "service/mycluster/leader"
PATIENCE = 20.0
NEVER = 600.0


@pytest.fixture
def servers() -> Consul:
    """node1 holds the lock."""
    made = Consul(KEY)
    made.acquire("adf4238a-882b-9ddc-4a9d-5b6758e4159e", "node1")
    return made


@pytest.fixture
def port(servers: Consul) -> Iterator[int]:
    with serving(servers) as found:
        yield found


def opened(port: int, node: str = "node1", key: str = f"/{KEY}", token: str = "") -> leader.Store:
    given = Given(endpoints=f"127.0.0.1:{port}", key=key, token=token)
    return leader.open_store("consul", leader.settings("consul", node, given))


def said(store: leader.Store) -> Leadership:
    return leader.ask(store, Deadline.after(PATIENCE)).leadership


def test_who_leads(servers: Consul, port: int) -> None:
    assert said(opened(port)) == (State.LEADER, f"{KEY} is node1 in Consul", "node1")
    assert said(opened(port, "node2")).state is State.FOLLOWER
    assert said(opened(port, "node")).state is State.FOLLOWER
    assert all("consistent" in question for question in servers.questions)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Consul.delete, f"{KEY} does not exist in Consul"),
        (Consul.release, f"nobody holds the lock {KEY} in Consul"),
        (lambda servers: servers.put(""), f"{KEY} is empty in Consul"),
    ],
    ids=["deleted", "released", "empty"],
)
def test_nobody_leads(
    servers: Consul, port: int, change: Callable[[Consul], None], reason: str
) -> None:
    change(servers)
    assert said(opened(port)) == (State.NO_LEADER, reason, None)


def test_a_key_that_nobody_ever_locked(servers: Consul, port: int) -> None:
    """Its value counts: not everybody who writes it needs a lock for that."""
    servers.delete()
    servers.put("node1")
    assert said(opened(port)).state is State.LEADER


def test_the_lock_goes_to_another(servers: Consul, port: int) -> None:
    store = opened(port)
    servers.release()
    assert said(store).state is State.NO_LEADER
    servers.acquire("5c7b5a0e-0000-0000-0000-000000000002", "node2")
    assert said(store) == (State.FOLLOWER, f"{KEY} is node2 in Consul", "node2")


def no_leader(servers: Consul) -> None:
    servers.lose_leader()


def old(servers: Consul) -> None:
    servers.headers = {"X-Consul-Effective-Consistency": "stale"}


def leaderless(servers: Consul) -> None:
    servers.headers = {"X-Consul-KnownLeader": "false"}


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (no_leader, "answered 500: No cluster leader"),
        (old, "answered with what may be old"),
        (leaderless, "knows no leader of the servers"),
    ],
)
def test_what_is_no_answer(
    servers: Consul, port: int, trouble: Callable[[Consul], None], reason: str
) -> None:
    trouble(servers)
    found = said(opened(port))
    assert found == (State.UNKNOWN, f"http://127.0.0.1:{port}: {reason}", None)


def test_the_token(servers: Consul, port: int) -> None:
    servers.token = "geheim"
    assert said(opened(port, token="geheim")).state is State.LEADER
    found = said(opened(port, token="wrong"))
    assert found.state is State.UNKNOWN
    assert "answered 403: Permission denied" in found.reason
    assert "wrong" not in found.reason


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
def test_something_else_answers(status: int, body: bytes, headers: list[str]) -> None:
    """Above all, a 404 of anybody else is not the absence of a leader."""
    with serving_answers(answering(status, body, *headers)) as served:
        assert said(opened(served.port)).state is State.UNKNOWN


class Waiting:
    """A wait that has begun, in a thread."""

    def __init__(self, store: leader.Store, seconds: float = NEVER) -> None:
        self.bell = Bell()
        self.problem = ""
        self._store, self._seconds = store, seconds
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._store.wait(Deadline.after(self._seconds), self.bell)
        except SourceUnavailable as error:
            self.problem = str(error)

    def over(self) -> bool:
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()


@pytest.mark.parametrize(
    "change",
    [
        Consul.delete,
        Consul.release,
        lambda servers: servers.put("node2"),
    ],
    ids=["deleted", "released", "written"],
)
@pytest.mark.parametrize("early", [True, False], ids=["before the wait", "during the wait"])
def test_a_change_ends_the_wait(
    servers: Consul, port: int, change: Callable[[Consul], None], early: bool
) -> None:
    store = opened(port)
    said(store)
    if early:
        change(servers)
    asked = len(servers.questions)
    waiting = Waiting(store)
    if not early:
        limit = time.monotonic() + PATIENCE
        while len(servers.questions) == asked:
            assert time.monotonic() < limit, "nobody asks"
            waiting.bell.wait(0.01)
        change(servers)
    assert (waiting.over(), waiting.problem) == (True, "")


def test_a_key_that_appears_ends_the_wait(servers: Consul, port: int) -> None:
    servers.delete()
    store = opened(port)
    said(store)
    waiting = Waiting(store)
    servers.acquire("5c7b5a0e-0000-0000-0000-000000000002", "node2")
    assert (waiting.over(), said(store).state) == (True, State.FOLLOWER)


def test_a_wait_ends_in_time(servers: Consul, port: int) -> None:
    store = opened(port)
    said(store)
    waiting = Waiting(store, 0.3)
    assert (waiting.over(), waiting.problem) == (True, "")
    assert servers.questions[-1]["index"] == "11"
    assert servers.questions[-1]["wait"].endswith("ms")


def test_a_wait_is_cancelled(port: int) -> None:
    store = opened(port)
    said(store)
    waiting = Waiting(store)
    waiting.bell.stop()
    assert (waiting.over(), waiting.problem) == (True, "")


def test_the_servers_lose_their_leader_during_a_wait(servers: Consul, port: int) -> None:
    store = opened(port)
    said(store)
    waiting = Waiting(store)
    servers.lose_leader()
    assert waiting.over()


def test_an_index_that_went_backwards_is_forgotten(servers: Consul, port: int) -> None:
    """With the old one, changes below it would go unnoticed."""
    servers.index = 5000
    servers.put("node1")
    store = opened(port)
    said(store)
    servers.restore("node2", 20)
    waiting = Waiting(store, 0.3)
    assert waiting.over()
    assert said(store).state is State.FOLLOWER
    waiting = Waiting(store)
    servers.put("node1")
    assert (waiting.over(), said(store).state) == (True, State.LEADER)


@pytest.mark.parametrize("index", ["0", "-1", "", "x"])
def test_an_index_that_is_none(servers: Consul, port: int, index: str) -> None:
    """Asked with 0, Consul would answer at once, and be asked again, and again."""
    servers.headers = {"X-Consul-Index": index}
    store = opened(port)
    said(store)
    Waiting(store, 0.1).over()
    assert servers.questions[-1]["index"] == "1"


def test_without_an_answer_there_is_nothing_to_wait_for(servers: Consul, port: int) -> None:
    store = opened(port)
    with pytest.raises(SourceUnavailable):
        store.wait(Deadline.after(NEVER), Bell())
    said(store)
    servers.lose_leader()
    said(store)
    with pytest.raises(SourceUnavailable):
        store.wait(Deadline.after(NEVER), Bell())


def test_a_key_is_quoted() -> None:
    given = Given(key="/my service/ü?/leader", token="geheim")
    settings = leader.settings("consul", "node1", given)
    request = consul.read(settings)
    assert request.path == "/v1/kv/my%20service/%C3%BC%3F/leader?consistent"
    assert request.headers == {"X-Consul-Token": "geheim"}


def test_the_time_to_wait_leaves_room_for_what_consul_adds() -> None:
    settings = leader.settings("consul", "node1", Given(key="l"))
    path = consul.read(settings, 7, 17.0).path
    assert path == "/v1/kv/l?consistent&index=7&wait=16000ms"


def test_a_header_that_is_missing() -> None:
    with pytest.raises(SourceUnavailable):
        consul.understood(Response(200, {}, b"[{}]"), KEY)


@pytest.mark.parametrize("token", ["geheim\n", "ge\r\nheim", "geheim\u20ac"])
def test_a_token_that_cannot_be_sent_is_not_shown(port: int, token: str) -> None:
    found = said(opened(port, token=token))
    assert found.state is State.UNKNOWN
    assert "heim" not in found.reason


def test_a_server_that_sends_the_token_back_is_not_quoted() -> None:
    with serving_answers(answering(403, b"the token geheim may not read")) as served:
        found = said(opened(served.port, token="geheim"))
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
def test_a_malformed_answer_is_none_and_the_next_endpoint_is_asked(name: str, port: int) -> None:
    wrong_answer = answering(200, MALFORMED[name], "X-Consul-Index: 7")
    with serving_answers(wrong_answer) as wrong:
        found = said(opened(wrong.port))
        given = Given(endpoints=f"127.0.0.1:{wrong.port},127.0.0.1:{port}", key=KEY)
        both = leader.open_store("consul", leader.settings("consul", "node1", given))
        assert said(both).state is State.LEADER
    assert found.state is State.UNKNOWN
    assert "internal error" not in found.reason
