"""A model of the director's documented rules, for tests with random changes.

It shares no code with the agent. Where a verdict depends on time (decision 026), the model keeps
for each withdrawn real server the earliest and the latest possible begin of the withdrawal. Close
to the end of the grace both outcomes are right.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tests.lab.resource import DEGRADED, FAILED, OK
from tests.support import cib

STREAMING = ("HS:sync", "HS:potential", "HS:async")
GRACE = 20.0  # seconds: Pacemaker's default timeout of a probe (decision 026)
DELETES_AT_ZERO = "dh"  # decision 036
HAS_FLAGS = ("sh", "mh")
KEPT_FIRST = ("OUT", "AWAY", "LEAVING")  # decisions 003, 004 and 026

Pool = dict[str, int]
Interval = tuple[float, float]
ALWAYS = (-math.inf, math.inf)


class Findings(NamedTuple):
    """Input of one cycle of the agent."""

    verdicts: Mapping[str, str]
    pool: Pool
    connections: Pool
    scheduler: str = "rr"
    slow: str = ""
    """A host whose check takes so long that all that is certain is done before its answer."""
    settling: frozenset[str] = frozenset()
    """The real servers that the first pass of the cycle has withdrawn."""


class Result(NamedTuple):
    """A result that the rules allow: the pool, the exit code of monitor, the withdrawn servers."""

    pool: Pool
    code: int
    withdrawn: frozenset[str]
    """The real servers whose time runs from now on, if it did not before."""


def verdicts(nodes: Sequence[cib.Node]) -> dict[str, str]:
    """Return the verdict on the real server of each node."""
    cluster = {node.name: node for node in nodes}
    found = {node.name: verdict(node, cluster) for node in nodes}
    if any(_is_hidden(node, cluster) for node in nodes):
        return {
            host: word if _is_unclean(cluster[host]) else "UNKNOWN" for host, word in found.items()
        }
    return found


def _is_hidden(node: cib.Node, cluster: Mapping[str, cib.Node]) -> bool:
    """Return whether crm_mon 2.1.5 omits the resource: all active instances are unmanaged then.

    The state of each real server is then unknown, except on an unclean node (decision 005).
    """
    if not node.holder or node.connection != "failed" or not cluster[node.holder].online:
        return False
    elsewhere = [it for it in cluster.values() if it is not node and it.online and _is_active(it)]
    unmanaged = node.maintenance or cluster[node.holder].maintenance
    return unmanaged and _is_active(node) and not elsewhere


def _is_active(node: cib.Node) -> bool:
    return node.realsvr or node.realsvr_failed


def _is_unclean(node: cib.Node) -> bool:
    """Return whether Pacemaker would fence a node: it has a failure and no connection."""
    return bool(node.holder) and node.connection == "failed" and node.realsvr_failed


def verdict(node: cib.Node, cluster: Mapping[str, cib.Node]) -> str:
    """Return the meaning of a node's state.

    IN; OUT (withdrawn); LEAVING (withdrawn, about to stop); AWAY (out of sight); DEAD; UNKNOWN.
    """
    if node.holder:
        return _of_remote(node, cluster[node.holder])
    if node.twin == "online":  # an online entry counts, two are unknown (decision 030)
        return "UNKNOWN" if node.online else "AWAY"
    return _of_visible(node, node.maintenance)


def _of_remote(node: cib.Node, holder: cib.Node) -> str:
    """Return the verdict on a remote node; crm_mon judges it by its connection (decision 026)."""
    maintenance = node.maintenance or holder.maintenance
    if not holder.online or node.connection == "unknown":
        return "AWAY"
    if node.connection == "running":
        return _of_visible(node, maintenance)
    if _is_unclean(node):
        return "DEAD"
    return "UNKNOWN" if maintenance else "AWAY"


def _of_visible(node: cib.Node, maintenance: bool) -> str:
    if maintenance:  # an offline node, too: it has left in order, without stopping its resources
        return "UNKNOWN"
    if not node.online or node.realsvr_failed:
        return "DEAD"
    if not node.realsvr:
        return "DEAD" if node.standby else "AWAY"
    if node.standby:
        return "LEAVING"
    return "IN" if node.status in STREAMING else "OUT"


class Model:
    """The rules, with the time of withdrawal of each real server."""

    def __init__(self) -> None:
        self._since: dict[str, Interval] = {}

    @property
    def waits(self) -> bool:
        """Return whether the time of any real server runs."""
        return bool(self._since)

    def results(self, findings: Findings, began: float, ended: float) -> Iterator[Result]:
        """Yield the legal results of a cycle between two moments."""
        away = [host for host in findings.pool if findings.verdicts[host] == "AWAY"]
        choices = [self._is_over(host, began, ended) for host in away]
        for chosen in itertools.product(*choices):
            over = {host for host, is_over in zip(away, chosen) if is_over}
            verdicts = {h: "DEAD" if h in over else v for h, v in findings.verdicts.items()}
            yield from self._passes(findings._replace(verdicts=verdicts))

    def _passes(self, findings: Findings) -> Iterator[Result]:
        """Yield the result of a cycle without a first pass, and with one (decision 031)."""
        yield self._result(findings)
        if not findings.slow:
            return
        slow = findings.slow
        verdicts = findings.verdicts.items()
        late = {h: "UNKNOWN" if h == slow and v == "IN" else v for h, v in verdicts}
        first = self._result(findings._replace(verdicts=late))
        serving = [
            host for host, weight in first.pool.items() if weight and findings.pool.get(host)
        ]
        if any(late[host] in ("IN", "UNKNOWN") for host in serving):
            new = first.withdrawn - self._since.keys()
            yield self._result(findings._replace(pool=first.pool, settling=new))

    def _is_over(self, host: str, began: float, ended: float) -> set[bool]:
        """Return the possible answers to whether a grace is over."""
        if host not in self._since:
            return {False}
        earliest, latest = self._since[host]
        return {began - min(latest, began) >= GRACE, ended - earliest >= GRACE}

    def _result(self, findings: Findings) -> Result:
        verdicts, pool, connections, scheduler, _, settling = findings
        kept = kept_ones(verdicts, pool)
        after = {}
        for host, word in verdicts.items():
            if word == "IN":
                after[host] = 1
            elif host in pool and (word == "UNKNOWN" or host in kept):
                after[host] = pool[host]
            elif host in pool and word in ("OUT", "AWAY", "LEAVING"):
                busy = pool[host] > 0 or connections[host] > 0 or host in settling
                waits = busy or word == "AWAY"
                if waits and scheduler != DELETES_AT_ZERO:
                    after[host] = 0
        unknown = [host for host in pool if verdicts[host] == "UNKNOWN"]
        unfit = "IN" not in verdicts.values()
        return Result(after, DEGRADED if unfit or unknown else OK, self._timed(after, findings))

    def _timed(self, after: Pool, findings: Findings) -> frozenset[str]:
        """Return the real servers whose time runs, including those possibly in the table."""
        kept = kept_ones(findings.verdicts, findings.pool)
        found = set()
        for host in after:
            word = findings.verdicts[host]
            if (
                word == "AWAY"
                or (word in ("OUT", "LEAVING") and host not in kept)
                or (word == "UNKNOWN" and host in self._since)
            ):
                found.add(host)
        return frozenset(found)

    def follow(self, result: Result, began: float, ended: float) -> None:
        """Record the times as after a cycle with this result."""
        self._since = {
            host: self._since.get(host, (began, ended)) for host in sorted(result.withdrawn)
        }

    def follow_failure(self, result: Result, began: float) -> None:
        """Record the times after a failed change: the agent has or has not recorded it."""
        hosts = sorted(result.withdrawn | self._since.keys())
        earliest = {h: min(began, self._since.get(h, ALWAYS[::-1])[0]) for h in hosts}
        self._since = {host: (earliest[host], math.inf) for host in hosts}

    def let_pass(self, seconds: float) -> None:
        """Move all times back by this number of seconds."""
        self._since = {h: (low - seconds, high - seconds) for h, (low, high) in self._since.items()}


def kept_ones(verdicts: Mapping[str, str], pool: Pool) -> set[str]:
    """Return the hosts that keep serving because no real server is fit (on_empty=keep)."""
    if "IN" in verdicts.values():
        return set()
    serving = {host for host, weight in pool.items() if weight > 0}
    in_order = [{host for host in serving if verdicts[host] == word} for word in KEPT_FIRST]
    if any(verdicts[host] == "UNKNOWN" for host in serving):
        return in_order[0]
    return next((hosts for hosts in in_order if hosts), set())


def without_ipvsadm(result: Result, pool: Pool, scheduler: str) -> Result:
    """Return the end of a cycle in which ipvsadm fails: 190 while a real server serves.

    The flags of a scheduler are not in /proc, so the agent cannot compare them then (decision 008).
    """
    if scheduler in HAS_FLAGS:
        return result._replace(pool=pool, code=DEGRADED if any(pool.values()) else FAILED)
    if result.pool == pool:
        return result
    serves = any(pool.values()) or not any(result.pool.values())
    return result._replace(pool=pool, code=DEGRADED if serves else FAILED)
