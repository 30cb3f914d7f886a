"""Plays for the director, in files: the pool, the findings, and the decisions on them.

A play is lines of text.  The first one is a bug report or a promise.  Then, in any order:

    policy drain 300, keep              drain timeout (or ``never``), on_empty; then ``dh``, or
                                        ``below 2`` for fallback_below
    pool node1 weight 1                 a real server in the table, ``active 2 inactive 3`` if busy
    candidate node1 weight 1 in: why    weight may be left out; ``failed?`` is an uncertain failure,
                                        ``failed(10)`` counts as withdrawn for 10
                                        seconds, ``leaving`` is withdrawn and about to stop
    fallback node9 in: why
    without node1                       no longer a candidate
    node node1 failed: why              verdict of the node's state on a host that is no candidate
    asked node1 node2                   listed by the administrator
    unavailable why                     a source did not answer; ``available`` ends that
    active node1 0                      its connections; ``active node1 0 inactive 3``
    at 10                               decide, 10 seconds after the beginning
    again 10.5                          decide once more, in a second pass of the same cycle

nodeN has the address 10.77.0.N, unless it is written as ``node1@10.77.0.5`` or ``node1@`` (none).
The director remembers no host for an entry that is written as an address.
The decision follows in lines that begin with ``=``; the next cycle starts from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lvsdr.ipvs.table import Connections, RealServer, RealServerConfig, RealServerKey
from lvsdr.pool.change_messages import describe_changes
from lvsdr.pool.director import Decision, Findings, Goal, decide
from lvsdr.pool.model import DrainPolicy, Located, Outcome, Verdict

PORT = 5432
_SERVER = re.compile(r"(\S+)(?: weight (\d+))? (\w+)(\??)(?:\((\d+)\))?: (.*)")
_ENTRY = re.compile(r"(\S+)(?: weight (\d+))?(?: active (\d+))?(?: inactive (\d+))?")


class Play:
    """The state of the play between its lines."""

    def __init__(self) -> None:
        self.goal = Goal(PORT, "gate", DrainPolicy(300.0, True))
        self.pool: dict[RealServerKey, RealServer] = {}
        self.candidates: dict[str, Located] = {}
        self.fallback: dict[str, Located] = {}
        self.hosts: dict[str, str] = {}
        self.nodes: dict[str, Verdict] = {}
        self.asked: frozenset[str] = frozenset()
        self.reason: str | None = None
        self.drains: dict[RealServerKey, float] = {}
        self.drains_before: dict[RealServerKey, float] = {}
        self.enough_since: float | None = None

    def policy(self, text: str) -> None:
        drain, on_empty, *more = text.replace("drain ", "").replace(",", "").split()
        timeout = None if drain == "never" else float(drain)
        below = int(more[more.index("below") + 1]) if "below" in more else 1
        policy = DrainPolicy(timeout, on_empty == "keep", below)
        self.goal = Goal(PORT, "gate", policy, refuses_at_zero="dh" in more)

    def candidate(self, text: str) -> None:
        server = self._server(text)
        self.candidates[server.host] = server

    def without(self, text: str) -> None:
        for host in text.split():
            del self.candidates[host]

    def node(self, text: str) -> None:
        server = self._server(text)
        self.nodes[server.host] = server.verdict

    def spare(self, text: str) -> None:
        server = self._server(text)
        self.fallback[server.host] = server

    def entry(self, text: str) -> None:
        host, weight, active, inactive = matched(_ENTRY, text)
        config = RealServerConfig("gate", int(weight or 1))
        connections = Connections(int(active or 0), int(inactive or 0))
        self.pool[self._key(host)] = RealServer(config, connections)

    def active(self, text: str) -> None:
        host, *numbers = text.replace("inactive ", "").split()
        key = self._key(host)
        self.pool[key] = self.pool[key]._replace(connections=Connections(*map(int, numbers)))

    def ask_for(self, text: str) -> None:
        self.asked = frozenset(text.split())

    def unavailable_reason(self, text: str) -> None:
        self.reason = text

    def available(self, _: str) -> None:
        self.reason = None

    def at(self, text: str) -> Decision:
        """Return the decision of a new cycle."""
        self.drains_before = self.drains
        return self.again(text)

    def again(self, text: str) -> Decision:
        """Return the decision of a further pass; the next pass starts from its table."""
        judged = Findings(
            tuple(self.candidates.values()),
            tuple(self.fallback.values()),
            self.hosts,
            self.asked,
            self.reason,
            self.nodes,
        )
        settling = self.drains.keys() - self.drains_before.keys()
        decision = decide(
            self.pool, judged, self.goal, self.drains, float(text), settling, self.enough_since
        )
        self.enough_since = decision.enough_since
        self.pool = {
            key: RealServer(
                config, self.pool[key].connections if key in self.pool else Connections()
            )
            for key, config in decision.real_servers.items()
        }
        self.drains = dict(decision.drains)
        return decision

    def _server(self, text: str) -> Located:
        name, weight, outcome, uncertain, grace, reason = matched(_SERVER, text)
        host, address = self._place(name)
        verdict = Verdict(
            Outcome.WITHDRAWN if outcome == "leaving" else Outcome(outcome),
            reason,
            certain=not uncertain,
            leaving=outcome == "leaving",
            grace=float(grace or 0),
        )
        return Located(host, address, int(weight or 1), verdict)

    def _place(self, name: str) -> tuple[str, str | None]:
        if name.count(".") == 3 and "@" not in name:
            return name, name
        host, at, address = name.partition("@")
        if not at:
            number = re.sub(r"\D", "", host)
            address = f"10.77.0.{number}"
        if address:
            self.hosts.setdefault(address, host)
        return host, address or None

    def _key(self, name: str) -> RealServerKey:
        host, address = self._place(name)
        assert address is not None, f"{host} needs an address"
        return RealServerKey(address, PORT)


VERBS = {
    "policy": Play.policy,
    "pool": Play.entry,
    "candidate": Play.candidate,
    "without": Play.without,
    "node": Play.node,
    "fallback": Play.spare,
    "asked": Play.ask_for,
    "unavailable": Play.unavailable_reason,
    "available": Play.available,
    "active": Play.active,
}


def matched(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    """Return the groups of the pattern, which must match."""
    found = pattern.fullmatch(text)
    assert found is not None, f"cannot be read: {text}"
    return found.groups()


def played(script: str) -> str:
    """Return the script with the actual decisions in place of the recorded ones."""
    play = Play()
    title, *lines = script.splitlines()
    out = [title]
    for line in lines:
        verb, _, text = line.partition(" ")
        if verb != "=":
            out.append(line)
        if verb in ("at", "again"):
            decision = play.at(text) if verb == "at" else play.again(text)
            out += [f"= {told}" for told in described(decision)]
        elif verb not in ("=", ""):
            VERBS[verb](play, text)
    return "\n".join(out) + "\n"


def described(decision: Decision) -> Iterator[str]:
    """Yield the decision in words: the table, the messages about changes, the degradations."""
    names = {row.key: row.host for row in decision.rows}
    if not decision.real_servers:
        yield "the pool is empty"
    for key, config in sorted(decision.real_servers.items()):
        since = decision.drains.get(key)
        drains = "" if since is None else f", drains since {since:g}"
        yield f"{names[key]} ({key.address}) has weight {config.weight}{drains}"
    for sentence in describe_changes(decision.rows):
        yield f"says: {sentence}"
    for reason in decision.degraded:
        yield f"degraded: {reason}"
