"""Cases about one key of Consul: one table for the stand-in and for the real servers."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Protocol

from lvsdr import leader
from lvsdr.errors import SourceUnavailable
from lvsdr.leader.gate import Leadership, State
from lvsdr.leader.settings import GivenSettings
from lvsdr.system.net.first_answer import Bell
from lvsdr.values.deadline import Deadline

from tests.support.waiting import wait_until

KEY = "service/mycluster/leader"
TOKEN = "0c3d7c8e-8d3c-4c1b-9a53-5f6a3d0f2b11"
WRONG_TOKEN = "0c3d7c8e-8d3c-4c1b-9a53-000000000000"
PATIENCE = 20.0
NEVER = 600.0


class Servers(Protocol):
    """Servers of Consul with one key. node1 holds its lock at the beginning of a case."""

    @property
    def port(self) -> int:
        """Return the port of the HTTP API at 127.0.0.1."""

    def put(self, value: str) -> None:
        """Write the value without a lock."""

    def acquire(self, session: str, value: str) -> None:
        """Write the value and take the lock, which must be free, for the session of this name."""

    def release(self) -> None:
        """Release the lock; the value stays."""

    def end_session(self) -> None:
        """End the session that holds the lock."""

    def delete(self) -> None:
        """Delete the key."""

    def snapshot(self) -> object:
        """Return a copy of the whole state."""

    def restore(self, snapshot: object) -> None:
        """Restore an earlier state: indexes go backwards."""

    def require(self, token: str) -> None:
        """Let only clients that send this token read the key."""

    def lose_leader(self) -> None:
        """Leave the queried server without a majority."""

    def mend(self) -> None:
        """Bring the majority back."""

    def held(self) -> int:
        """Return the number of requests that wait for an answer."""


class Waiting:
    """A wait for a change of the key, begun in a thread."""

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
        """Wait for the end. Return False if it does not come in time."""
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()


def opened(port: int, node: str = "node1", key: str = f"/{KEY}", token: str = "") -> leader.Store:
    """Open the store on this node."""
    given = GivenSettings(endpoints=f"127.0.0.1:{port}", key=key, token=token)
    return leader.open_store("consul", leader.build_settings("consul", node, given))


def leadership(store: leader.Store) -> Leadership:
    """Query the store once."""
    return leader.query_store(store, Deadline.after(PATIENCE)).leadership


def hold_request(servers: Servers, store: leader.Store) -> Waiting:
    """Begin a wait and return when the servers have its request."""
    waiting = Waiting(store)
    wait_until(servers.held, description="a request", seconds=PATIENCE, pause=0.01)
    return waiting


def the_holder_leads(servers: Servers) -> None:
    assert leadership(opened(servers.port)) == (State.LEADER, f"{KEY} is node1 in Consul", "node1")
    assert leadership(opened(servers.port, "node2")).state is State.FOLLOWER
    assert leadership(opened(servers.port, "node")).state is State.FOLLOWER


def without_leader(servers: Servers, reason: str) -> None:
    found = leadership(opened(servers.port))
    assert found == (State.NO_LEADER, reason, None)


def deleted_key(servers: Servers) -> None:
    servers.delete()
    without_leader(servers, f"{KEY} does not exist in Consul")


def released_lock(servers: Servers) -> None:
    servers.release()
    without_leader(servers, f"no session holds the lock {KEY} in Consul")


def ended_session(servers: Servers) -> None:
    servers.end_session()
    without_leader(servers, f"no session holds the lock {KEY} in Consul")


def empty_value(servers: Servers) -> None:
    servers.put("")
    without_leader(servers, f"{KEY} is empty in Consul")


def key_that_never_had_a_lock(servers: Servers) -> None:
    """Its value counts: a program may write the key without a lock."""
    servers.delete()
    servers.put("node1")
    assert leadership(opened(servers.port)).state is State.LEADER


def lock_passed_on(servers: Servers) -> None:
    store = opened(servers.port)
    servers.release()
    assert leadership(store).state is State.NO_LEADER
    servers.acquire("another session", "node2")
    assert leadership(store) == (State.FOLLOWER, f"{KEY} is node2 in Consul", "node2")


def no_majority(servers: Servers) -> None:
    servers.lose_leader()
    found = leadership(opened(servers.port))
    reason = f"http://127.0.0.1:{servers.port}: answered 500: No cluster leader"
    assert found == (State.UNKNOWN, reason, None)


def tokens(servers: Servers) -> None:
    servers.require(TOKEN)
    assert leadership(opened(servers.port, token=TOKEN)).state is State.LEADER
    without, wrong = (leadership(opened(servers.port, token=token)) for token in ("", WRONG_TOKEN))
    assert (without.state, wrong.state) == (State.UNKNOWN, State.UNKNOWN)
    # A follower puts words of its own before those of the leader.
    assert re.search("answered 403: .*Permission denied$", without.reason)
    assert re.search("answered 403: .*ACL not found$", wrong.reason)


def wait_that_ends(change: Callable[[Servers], None], early: bool) -> Callable[[Servers], None]:
    """Return a case in which a change ends a wait, before or after its request arrives."""

    def case(servers: Servers) -> None:
        store = opened(servers.port)
        leadership(store)
        if early:
            change(servers)
            waiting = Waiting(store)
        else:
            waiting = hold_request(servers, store)
            change(servers)
        assert (waiting.over(), waiting.problem) == (True, "")

    return case


def key_that_appears(servers: Servers) -> None:
    servers.delete()
    store = opened(servers.port)
    leadership(store)
    waiting = hold_request(servers, store)
    servers.acquire("another session", "node2")
    assert (waiting.over(), leadership(store).state) == (True, State.FOLLOWER)


def wait_without_a_change(servers: Servers) -> None:
    store = opened(servers.port)
    leadership(store)
    waiting = Waiting(store, 0.3)
    assert (waiting.over(), waiting.problem) == (True, "")


def cancelled_wait(servers: Servers) -> None:
    store = opened(servers.port)
    leadership(store)
    waiting = hold_request(servers, store)
    waiting.bell.stop()
    assert (waiting.over(), waiting.problem) == (True, "")


def majority_lost_during_a_wait(servers: Servers) -> None:
    store = opened(servers.port)
    leadership(store)
    waiting = hold_request(servers, store)
    servers.lose_leader()
    assert waiting.over()
    assert leadership(store).state is State.UNKNOWN


def restored_snapshot(servers: Servers) -> None:
    """A wait with an index from before the restore would miss changes below that index."""
    servers.release()
    servers.acquire("another session", "node2")
    old = servers.snapshot()
    for value in ("node3", "node4", "node1"):
        servers.put(value)
    store = opened(servers.port)
    assert leadership(store).state is State.LEADER
    servers.restore(old)
    waiting = Waiting(store, 0.3)
    assert waiting.over()
    assert leadership(store).state is State.FOLLOWER
    waiting = hold_request(servers, store)
    servers.put("node1")
    assert (waiting.over(), leadership(store).state) == (True, State.LEADER)


CHANGES: dict[str, Callable[[Servers], None]] = {
    "deletion": lambda servers: servers.delete(),
    "release": lambda servers: servers.release(),
    "end of the session": lambda servers: servers.end_session(),
    "write": lambda servers: servers.put("node2"),
}

CASES: dict[str, Callable[[Servers], None]] = {
    "the holder leads": the_holder_leads,
    "deleted key": deleted_key,
    "released lock": released_lock,
    "ended session": ended_session,
    "empty value": empty_value,
    "key that never had a lock": key_that_never_had_a_lock,
    "lock passed on": lock_passed_on,
    "tokens": tokens,
    **{
        f"{name} {'before' if early else 'during'} a wait": wait_that_ends(change, early)
        for name, change in CHANGES.items()
        for early in (True, False)
    },
    "key that appears during a wait": key_that_appears,
    "wait without a change": wait_without_a_change,
    "cancelled wait": cancelled_wait,
    "restored snapshot": restored_snapshot,
    "no majority": no_majority,
    "majority lost during a wait": majority_lost_during_a_wait,
}
