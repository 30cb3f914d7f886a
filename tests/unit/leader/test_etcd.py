"""Answers that etcd 3.4.23 was observed to give, and their meaning."""

from __future__ import annotations

import json

import pytest
from lvsdr import leader
from lvsdr.errors import SourceUnavailable
from lvsdr.leader import etcd
from lvsdr.leader.gate import State
from lvsdr.leader.settings import GivenSettings, StoreSettings
from lvsdr.system.net.http import Response
from lvsdr.values.deadline import Deadline

from tests.fakes.server import Behaviour, Served, answering, serving

KEY = "/service/c/leader"
HEADER = (
    '"header":{"cluster_id":"7855965530579937127","member_id":"2533347876291518694",'
    '"revision":"2","raft_term":"2"}'
)
NODE1 = (
    f'{{{HEADER},"kvs":[{{"key":"L3NlcnZpY2UvYy9sZWFkZXI=","create_revision":"2",'
    '"mod_revision":"2","version":"1","value":"bm9kZTE="}],"count":"1"}'
)
EMPTY = (
    f'{{{HEADER},"kvs":[{{"key":"L3NlcnZpY2UvYy9sZWFkZXI=","create_revision":"2",'
    '"mod_revision":"2","version":"1"}],"count":"1"}'
)
NO_KEY = f"{{{HEADER}}}"
TIMED_OUT = (
    '{"error":"etcdserver: request timed out","message":"etcdserver: request timed out","code":14}'
)
NO_LEADER = (
    '{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader",'
    '"http_status":"Service Unavailable"}}'
)
OLD_TOKEN = (
    '{"error":"etcdserver: invalid auth token","message":"etcdserver: invalid auth token",'
    '"code":16}'
)
NO_AUTH = (
    '{"error":"etcdserver: authentication is not enabled",'
    '"message":"etcdserver: authentication is not enabled","code":9}'
)


def settings(node: str = "node1", **given: str) -> StoreSettings:
    return leader.build_settings("etcd", node, GivenSettings(key=KEY, **given))


def response(body: str, status: int = 200) -> Response:
    return Response(status, {}, body.encode())


@pytest.mark.parametrize(
    ("body", "node", "state", "name", "reason"),
    [
        (NODE1, "node1", State.LEADER, "node1", f"{KEY} is node1 in etcd"),
        (NODE1, "node2", State.FOLLOWER, "node1", f"{KEY} is node1 in etcd"),
        (NODE1, "node", State.FOLLOWER, "node1", f"{KEY} is node1 in etcd"),
        (NO_KEY, "node1", State.NO_LEADER, None, f"{KEY} does not exist in etcd"),
        (EMPTY, "node1", State.NO_LEADER, None, f"{KEY} is empty in etcd"),
    ],
)
def test_leadership(body: str, node: str, state: State, name: str | None, reason: str) -> None:
    value = etcd.parse_range(etcd.parse_response(response(body)), KEY).value
    found = etcd.judge_leadership(value, settings(node))
    assert found == (state, reason, name)


def test_a_value_that_is_not_utf_8_names_another_node() -> None:
    assert etcd.judge_leadership(b"node1\xff", settings("node1\ufffd")).state is State.FOLLOWER


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (TIMED_OUT, 503, "answered 503: etcdserver: request timed out"),
        (NO_LEADER, 503, "answered 503: etcdserver: no leader"),
        ("Not Found\n", 404, "answered 404: Not Found"),
        (
            "Client sent an HTTP request to an HTTPS server.\n",
            400,
            "answered 400: Client sent an HTTP request to an HTTPS server.",
        ),
        ("{}", 200, "answered with a document that is not from etcd"),
        ('{"header":1}', 200, "answered with a document that is not from etcd"),
        ("[]", 200, "answered with a document that is no object"),
        ("<html>", 200, "answered with a body that is not JSON"),
    ],
)
def test_the_answer_of_another_server_is_refused(body: str, status: int, reason: str) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        etcd.parse_response(response(body, status))
    assert str(caught.value) == reason


DEEP = "[" * 100_000
MALFORMED = {
    "kvs is an object": f'{{{HEADER},"kvs":{{"value":"bm9kZTE="}}}}',
    "kvs is null": f'{{{HEADER},"kvs":null}}',
    "kvs is a text": f'{{{HEADER},"kvs":"node1"}}',
    "an entry is null": f'{{{HEADER},"kvs":[null]}}',
    "an entry is a list": f'{{{HEADER},"kvs":[["bm9kZTE="]]}}',
    "two entries": f'{{{HEADER},"kvs":[{{"value":"bm9kZTE="}},{{"value":"bm9kZTE="}}]}}',
    "no base64": f'{{{HEADER},"kvs":[{{"value":"node1"}}]}}',
    "no padding": f'{{{HEADER},"kvs":[{{"value":"bm9kZTE"}}]}}',
    "other characters": f'{{{HEADER},"kvs":[{{"value":"bm9\u00e9kZTE="}}]}}',
    "a value is null": f'{{{HEADER},"kvs":[{{"value":null}}]}}',
    "a value is a number": f'{{{HEADER},"kvs":[{{"value":1}}]}}',
    "a value is a list": f'{{{HEADER},"kvs":[{{"value":["bm9kZTE="]}}]}}',
    "another key": f'{{{HEADER},"kvs":[{{"key":"b3RoZXI=","value":"bm9kZTE="}}]}}',
    "the revision is a word": '{"header":{"revision":"two"},"kvs":[{"value":"bm9kZTE="}]}',
    "the revision is null": '{"header":{"revision":null},"kvs":[{"value":"bm9kZTE="}]}',
    "the revision is a list": '{"header":{"revision":[2]},"kvs":[{"value":"bm9kZTE="}]}',
    "the revision is huge": f'{{"header":{{"revision":"{"9" * 5000}"}}}}',
    "the revision is true": '{"header":{"revision":true}}',
    "a list": f"[{NODE1}]",
    "a text": '"node1"',
    "null": "null",
    "a number": "1",
    "deep": DEEP,
    "no UTF-8": "\udcff",
    "a page": "<html><body>node1</body></html>",
    "nothing": "",
    "huge": "x" * 2_000_000,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_the_next_endpoint_is_queried_after_a_malformed_answer(name: str) -> None:
    body = MALFORMED[name].encode("utf-8", "surrogateescape")
    with serving(answering(200, body)) as wrong, serving(answering(200, NODE1.encode())) as right:
        endpoints = f"127.0.0.1:{wrong.port},127.0.0.1:{right.port}"
        store = leader.open_store("etcd", settings(endpoints=endpoints))
        assert leader.query_store(store, Deadline.after(20.0)).leadership.state is State.LEADER
        store = leader.open_store("etcd", settings(endpoints=f"127.0.0.1:{wrong.port}"))
        found = leader.query_store(store, Deadline.after(20.0)).leadership
    assert found.state is State.UNKNOWN
    assert "internal error" not in found.reason


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_line_ends_a_watch(name: str) -> None:
    body = MALFORMED[name].encode("utf-8", "surrogateescape")
    with pytest.raises(SourceUnavailable):
        etcd.reports_change(Response(200, {}, body))


@pytest.mark.parametrize("token", ['"a\\r\\nb"', "1", "null", '["a"]', '"\u00e9"'])
def test_a_token_that_cannot_be_sent_is_malformed(token: str) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        etcd.parse_token(response(f'{{{HEADER},"token":{token}}}'))
    assert "\n" not in str(caught.value)


WATCH = '{"result":{"header":{"cluster_id":"7","revision":"4"}'


@pytest.mark.parametrize(
    ("line", "rings"),
    [
        (f'{WATCH},"created":true}}}}', False),
        (f'{WATCH},"events":[{{"kv":{{"key":"L3NlcnZpY2U=","mod_revision":"3"}}}}]}}}}', True),
        (f'{WATCH},"events":[{{"type":"DELETE","kv":{{"mod_revision":"4"}}}}]}}}}', True),
        (f'{WATCH},"canceled":true,"compact_revision":"4"}}}}', True),
        (f"{WATCH}}}}}", False),
    ],
    ids=["begun", "written", "deleted", "compacted", "progress"],
)
def test_lines_of_a_watch(line: str, rings: bool) -> None:
    assert etcd.reports_change(response(line)) is rings


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (NO_LEADER, 200, "ended the watch: etcdserver: no leader"),
        (NO_LEADER, 503, "answered 503: etcdserver: no leader"),
        (
            f'{WATCH},"created":true,"canceled":true,"cancel_reason":"permission denied"}}}}',
            200,
            "ended the watch: permission denied",
        ),
        (f'{WATCH},"canceled":true}}}}', 200, "ended the watch: no reason given"),
        ("null", 200, "answered with a line that is no object"),
    ],
)
def test_a_watch_that_ends(line: str, status: int, reason: str) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        etcd.reports_change(response(line, status))
    assert str(caught.value) == reason


def test_the_requests() -> None:
    question = etcd.build_range_request(KEY, "token")
    assert (question.method, question.path) == ("POST", "/v3/kv/range")
    assert json.loads(question.body or b"") == {"key": "L3NlcnZpY2UvYy9sZWFkZXI="}
    assert question.headers["Authorization"] == "token"
    watched = etcd.build_watch_request(KEY, 7)
    assert json.loads(watched.body or b"") == {
        "create_request": {"key": "L3NlcnZpY2UvYy9sZWFkZXI=", "start_revision": "7"}
    }
    assert "Authorization" not in watched.headers
    for each in (question, watched, etcd.build_login_request("u", "p")):
        assert each.headers["Grpc-Metadata-hasleader"] == "true"


def routes(served: Served) -> list[str]:
    """Return the requested routes, in order."""
    return [question.split(b" ", 2)[1].decode().rpartition("/")[2] for question in served.questions]


def scripted(*behaviours: Behaviour) -> Behaviour:
    """Return a behaviour that shows these one after the other, one for each request."""
    waiting = list(behaviours)
    return lambda client, question: waiting.pop(0)(client, question)


def said(*answers: tuple[int, str]) -> Behaviour:
    return scripted(*(answering(status, body.encode()) for status, body in answers))


TOKEN = f'{{{HEADER},"token":"sssvIpwfnLAcWAQH.9"}}'


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ([(200, TOKEN), (200, NODE1), (200, NODE1)], "authenticate range range"),
        (
            [(200, TOKEN), (200, NODE1), (401, OLD_TOKEN), (200, TOKEN), (200, NODE1)],
            "authenticate range range authenticate range",
        ),
        (
            [(400, NO_AUTH), (200, NODE1), (400, NO_AUTH), (200, NODE1)],
            "authenticate range authenticate range",
        ),
    ],
    ids=["a token is kept", "an old one is replaced", "there are no passwords"],
)
def test_passwords_and_tokens(answers: list[tuple[int, str]], asked: str) -> None:
    with serving(said(*answers)) as served:
        given = {"endpoints": f"127.0.0.1:{served.port}", "user": "u", "password": "geheim"}
        store = leader.open_store("etcd", settings(**given))
        for _ in range(2):
            found = leader.query_store(store, Deadline.after(20))
            assert found.leadership.state is State.LEADER
    assert " ".join(routes(served)) == asked


def test_a_rejected_token_is_renewed_only_once() -> None:
    answers = [(200, TOKEN), (200, NODE1), (401, OLD_TOKEN), (200, TOKEN), (401, OLD_TOKEN)]
    with serving(said(*answers)) as served:
        given = {"endpoints": f"127.0.0.1:{served.port}", "user": "u", "password": "geheim"}
        store = leader.open_store("etcd", settings(**given))
        leader.query_store(store, Deadline.after(20))
        found = leader.query_store(store, Deadline.after(20)).leadership
    assert found.state is State.UNKNOWN
    assert "invalid auth token" in found.reason
    assert "geheim" not in found.reason
