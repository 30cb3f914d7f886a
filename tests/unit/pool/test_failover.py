"""A recorded failover, played state by state, and the director's decisions.

The primary's database on node1 is killed. For 23 seconds both standbys are ``HS:alone``, which the
documented pattern does not match, although both accept reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from lvsdr.ipvs.table import Connections, RealServer, RealServerKey
from lvsdr.pool.change_messages import Row
from lvsdr.pool.checks import run_checks
from lvsdr.pool.director import Decision, Findings, Goal, decide
from lvsdr.pool.host_addresses import locate_candidates
from lvsdr.pool.model import CheckLimits, DrainPolicy, PoolSpec, Resolved, WantedRole
from lvsdr.pool.sources import query_sources
from lvsdr.values.deadline import Deadline

from tests.support.paths import DATA
from tests.unit import golden
from tests.unit.crm import CIBS, state
from tests.unit.pools import SPEC, attribute

STATES = sorted(path.name.partition(".")[0] for path in (CIBS / "failover").glob("*.xml"))
ADDRESSES = {f"node{number}": f"10.77.0.{number}" for number in (1, 2, 3)}
GOAL = Goal(5432, "gate", DrainPolicy(300.0, True))

DOCUMENTED = SPEC._replace(
    resources=("lvsdr-realsvr-clone",),
    attribute=attribute("pgsql-status", "HS:sync|HS:potential|HS:async"),
)
BY_ROLE = SPEC._replace(resources=("pgsql-clone",), role=WantedRole.UNPROMOTED)


class Moment(NamedTuple):
    """One recorded state and the decision in it."""

    name: str
    decision: Decision

    def total_weight(self) -> int:
        return sum(config.weight for config in self.decision.real_servers.values())


def failover(spec: PoolSpec) -> Iterator[Moment]:
    """Yield every state in turn; each real server always has one active connection."""
    pool: dict[RealServerKey, RealServer] = {}
    drains: dict[RealServerKey, float] = {}
    for name in STATES:
        cluster = state(f"failover/{name}")
        found = query_sources(cluster, spec, Deadline.after(10.0))
        candidates = run_checks(found.candidates, spec, CheckLimits(Deadline.after(10.0), 5.0))
        answers = {host: Resolved([address]) for host, address in ADDRESSES.items()}
        servers = locate_candidates(candidates, answers, ADDRESSES, spec)
        hosts = {address: host for host, address in ADDRESSES.items()}
        judged = Findings(servers, (), hosts, unavailable_reason=found.unavailable_reason)
        decision = decide(pool, judged, GOAL, drains, int(name.removesuffix("ms")) / 1000)
        yield Moment(name, decision)
        drains = dict(decision.drains)
        pool = {
            key: RealServer(config, Connections(1, 0))
            for key, config in decision.real_servers.items()
        }


def described(moments: Iterator[Moment]) -> str:
    """Return a table for each state: host, weight before and after, verdict."""
    lines: list[str] = []
    for moment in moments:
        lines.append(f"after {moment.name}, total weight {moment.total_weight()}")
        lines += sorted(map(_line, moment.decision.rows))
        lines += [f"  degraded: {reason}" for reason in moment.decision.degraded]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    before, after = (
        "-" if weight is None else weight for weight in (row.weight_before, row.weight_after)
    )
    return f"  {row.host}  {before} -> {after}  {row.verdict.outcome.value}: {row.verdict.reason}"


@pytest.mark.parametrize(
    ("name", "spec"), [("documented", DOCUMENTED), ("by-role", BY_ROLE)], ids=str
)
def test_the_pool_through_a_failover(name: str, spec: PoolSpec) -> None:
    golden.compare(DATA / "failover" / f"{name}.txt", described(failover(spec)))


@pytest.mark.parametrize("spec", [DOCUMENTED, BY_ROLE], ids=["documented", "by-role"])
def test_the_pool_serves_all_the_time(spec: PoolSpec) -> None:
    assert len(STATES) == 10
    assert all(moment.total_weight() > 0 for moment in failover(spec))


def test_the_surviving_standby_serves_in_every_state() -> None:
    key = RealServerKey(ADDRESSES["node3"], 5432)
    weights = [moment.decision.real_servers[key].weight for moment in failover(BY_ROLE)]
    assert weights == [1] * 10
