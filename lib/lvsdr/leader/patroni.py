"""Patroni's REST API: this node's own Patroni reports whether this node leads.

The health checks of Patroni ("REST API", "Health check endpoints") answer for the member that
receives the request.  So queries go only to endpoints on this host, at addresses of this host.
Patroni's failsafe mode needs no special treatment: its leader still reports itself as leader.

Patroni holds a lease of its store, but none for this node's address: it releases the lease when it
stops.  If no endpoint of this host is listening, the Patroni of this host has stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import monotonic

from ..errors import Refused, SourceUnavailable
from ..system.net.first_answer import Bell
from ..system.net.http import Endpoint, Request, Response, exchange
from ..system.net.own_addresses import find_own_addresses
from ..values.deadline import Deadline
from ..values.parsing import is_decimal
from .decoding import Malformed, parse_json, require_object, require_text
from .endpoints import Endpoints
from .gate import Answer, Leadership, State
from .settings import Kind, StoreSettings

_POLL = 0.5  # seconds between two queries: changes cannot be watched
_YES, _NO = 200, 503  # the only statuses of Patroni's health checks

# Health checks that only one member of a cluster passes.
_OF_THE_LEADER = ("/", "/leader", "/primary", "/read-write", "/standby-leader", "/standby_leader")


def _parse_path(text: str | None) -> str:
    path = "/leader" if text is None else text
    path = path if path.startswith("/") else f"/{path}"
    if not path.isascii() or not path.isprintable() or " " in path:
        raise ValueError(f"{path} must be a path of Patroni's REST API, such as /leader")
    return path


def _parse_status(text: str | None, _node: str) -> str:
    status = str(_YES) if text is None else text
    if not (is_decimal(status) and 200 <= int(status) <= 599):
        raise ValueError(f"{status} must be the HTTP status of the leader, by default 200")
    return status


# A Patroni that shuts down stops answering, stops its database, releases the key and ends.  Another
# member led 3.5 s after the last answer in a measurement.
_SILENCE = 2.0

KIND = Kind(port=8008, parse_key=_parse_path, parse_value=_parse_status, silence=_SILENCE)


class EndpointElsewhere(SourceUnavailable):
    """The endpoint belongs to another host."""


class Patroni:
    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._endpoints = Endpoints(settings.endpoints)

    def look(self, deadline: Deadline, bell: Bell) -> Answer:
        began_at, endpoint_count = monotonic(), len(self._settings.endpoints)
        failures: list[SourceUnavailable] = []

        def query(endpoint: Endpoint) -> Leadership:
            try:
                return self._query_endpoint(endpoint, deadline)
            except SourceUnavailable as error:
                failures.append(error)
                raise

        try:
            leadership, queried_at = self._endpoints.query_first(query, deadline, bell)
        except SourceUnavailable as error:
            if has_stopped(failures, endpoint_count):
                return Answer(Leadership(State.STOPPED, str(error)), began_at, monotonic())
            raise
        return Answer(leadership, queried_at, monotonic())

    def wait(self, deadline: Deadline, bell: Bell) -> None:
        bell.wait(min(_POLL, deadline.remaining()))

    def _query_endpoint(self, endpoint: Endpoint, deadline: Deadline) -> Leadership:
        local_addresses = find_own_addresses(endpoint.host)
        if endpoint.host in local_addresses:
            return self._query_address(endpoint, deadline)
        if not local_addresses:
            raise EndpointElsewhere(
                "is not on this host, and only the Patroni of this host is queried"
            )
        for address in local_addresses[:-1]:
            with suppress(Refused):
                return self._query_address(endpoint._replace(address=address), deadline)
        return self._query_address(endpoint._replace(address=local_addresses[-1]), deadline)

    def _query_address(self, endpoint: Endpoint, deadline: Deadline) -> Leadership:
        path, trust = self._settings.key, self._settings.trust
        status, _, body = exchange(endpoint, Request("GET", path), trust, deadline)
        leader_status = int(self._settings.value)
        if status not in (leader_status, _YES, _NO):
            raise SourceUnavailable(f"answered {status} for {path}")
        if body:
            require_object(parse_json(body), "a document")  # any other body is not Patroni's
        if status == leader_status:
            return Leadership(State.LEADER, f"Patroni answers {status} for {path}")
        try:
            cluster = exchange(endpoint, Request("GET", "/cluster"), trust, deadline)
        except SourceUnavailable:
            cluster = None
        return judge_failed_check(path, status, cluster)


def open_store(settings: StoreSettings) -> Patroni:
    return Patroni(settings)


def has_stopped(failures: Sequence[SourceUnavailable], endpoint_count: int) -> bool:
    """Return whether all endpoints failed, and this host has some, all of which refused."""
    local_failures = [error for error in failures if not isinstance(error, EndpointElsewhere)]
    return (
        len(failures) == endpoint_count
        and bool(local_failures)
        and all(isinstance(e, Refused) for e in local_failures)
    )


def judge_failed_check(path: str, status: int, cluster: Response | None) -> Leadership:
    """Return the leadership of a member that fails the check; ``cluster`` may name the leader.

    NO_LEADER requires that Patroni knows it, and that the check is for the leader.
    """
    reason = f"Patroni answers {status} for {path}"
    members = _parse_members(cluster)
    if members is None:
        return Leadership(State.FOLLOWER, reason)
    for name, role in members:
        if role in ("leader", "standby_leader"):
            return Leadership(State.FOLLOWER, f"{reason}, {name} leads", name)
    if path.partition("?")[0] in _OF_THE_LEADER:
        return Leadership(State.NO_LEADER, f"{reason}, no member leads")
    return Leadership(State.FOLLOWER, f"{reason}, no member leads")


def _parse_members(cluster: Response | None) -> list[tuple[str, str]] | None:
    """Return name and role of each member; None if they are unknown."""
    if cluster is None or cluster.status != _YES:
        return None
    try:
        members = require_object(parse_json(cluster.body), "a document").get("members")
        if not isinstance(members, list):
            return None
        return [_parse_member(require_object(member, "a member")) for member in members]
    except Malformed:
        return None


def _parse_member(member: Mapping[str, object]) -> tuple[str, str]:
    return require_text(member.get("name"), "a name"), require_text(member.get("role"), "a role")
