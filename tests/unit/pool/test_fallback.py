"""The fallbacks beside fit, unknown, kept and drained real servers: one table of all states."""

from __future__ import annotations

from itertools import combinations_with_replacement

import pytest
from lvsdr.ipvs.table import Connections, RealServer, RealServerConfig, RealServerKey
from lvsdr.pool.director import Decision, Findings, Goal, decide
from lvsdr.pool.fallback import FALLBACK_HOLD
from lvsdr.pool.model import DrainPolicy, Located, Outcome, Verdict

from tests.support.paths import DATA
from tests.unit import golden

NOW = 1000.0
STATES = {
    "in": Verdict(Outcome.IN, "so"),
    "drained": Verdict(Outcome.IN, "so"),
    "unknown": Verdict(Outcome.UNKNOWN, "so"),
    "withdrawn": Verdict(Outcome.WITHDRAWN, "so"),
    "failed": Verdict(Outcome.FAILED, "so"),
}
HEADER = "fallback_below and on_empty, states of two serving standbys: the real servers that serve"


def serving(names: tuple[str, ...], below: int, on_empty: str, *, fallback: bool = False) -> str:
    """Return the hosts that serve; node9 is the fallback, and serves before if that is true."""
    return " ".join(hosts(decision(names, below, on_empty, fallback=fallback))) or "none"


def decision(
    names: tuple[str, ...],
    below: int,
    on_empty: str,
    *,
    fallback: bool = False,
    enough_since: float | None = None,
) -> Decision:
    servers = [
        Located(f"node{number}", f"10.77.0.{number}", int(name != "drained"), STATES[name])
        for number, name in enumerate(names, start=1)
    ]
    spare = Located("node9", "10.77.0.9", 1, Verdict(Outcome.IN, "fallback"))
    present = [*servers, *([spare] if fallback else [])]
    entry = RealServer(RealServerConfig("gate", 1), Connections(1, 0))
    pool = {RealServerKey(server.address or "", 80): entry for server in present}
    goal = Goal(80, "gate", DrainPolicy(300.0, on_empty == "keep", below))
    findings = Findings(servers, [spare], {})
    return decide(pool, findings, goal, {}, NOW, enough_since=enough_since)


def hosts(result: Decision) -> list[str]:
    return [
        f"node{key.address[-1]}"
        for key, config in sorted(result.real_servers.items())
        if config.weight
    ]


def test_the_table() -> None:
    lines = [
        f"{below} {on_empty:6} {first:9} {second:10} {serving((first, second), below, on_empty)}"
        for below in (1, 2, 3)
        for on_empty in ("keep", "empty")
        for first, second in combinations_with_replacement(STATES, 2)
    ]
    golden.compare(DATA / "fallback_below.txt", "\n".join([HEADER, *lines, ""]))


PAIRS = list(combinations_with_replacement(STATES, 2))


@pytest.mark.parametrize("on_empty", ["keep", "empty"])
@pytest.mark.parametrize("names", PAIRS)
def test_a_higher_number_never_takes_a_real_server_away(
    names: tuple[str, str], on_empty: str
) -> None:
    pools = [set(serving(names, below, on_empty).split()) - {"none"} for below in (1, 2, 3)]
    assert pools[0] <= pools[1] <= pools[2]


@pytest.mark.parametrize("names", PAIRS)
def test_a_pool_with_a_fallback_is_degraded(names: tuple[str, str]) -> None:
    for below in (1, 2, 3):
        result = decision(names, below, "keep")
        assert result.degraded or "node9" not in hosts(result)


def test_a_fallback_stays_for_a_while() -> None:
    names = ("in", "in")
    first = decision(names, 2, "keep", fallback=True)
    assert (hosts(first), first.enough_since) == (["node1", "node2", "node9"], NOW)
    assert first.degraded == ()
    for since, served in [(NOW - FALLBACK_HOLD + 1, True), (NOW - FALLBACK_HOLD, False)]:
        later = decision(names, 2, "keep", fallback=True, enough_since=since)
        assert ("node9" in hosts(later)) is served
        assert later.enough_since == since
        assert later.real_servers[RealServerKey("10.77.0.9", 80)].weight == int(served)


def test_the_time_begins_again_when_too_few_serve() -> None:
    result = decision(("in", "failed"), 2, "keep", fallback=True, enough_since=NOW - 20)
    assert result.enough_since is None
    assert decision(("in", "in"), 2, "keep", enough_since=NOW - 20).enough_since is None


def test_the_only_one_leaves_at_once() -> None:
    result = decision(("in", "failed"), 1, "keep", fallback=True)
    assert (hosts(result), result.enough_since) == (["node1"], None)
