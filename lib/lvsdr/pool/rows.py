"""The rows of a decision: one for each real server, from the findings and the table.  Pure."""

from __future__ import annotations

from ..ipvs.table import RealServerKey
from .change_messages import Row
from .model import FITNESS, Findings, Located, Outcome, Verdict
from .wanted_entry import Goal, Pool


def build_rows(pool: Pool, findings: Findings, goal: Goal) -> list[Row]:
    """Return one row per real server: candidates, then fallbacks, then other entries of the pool.

    If two hosts have one address, the fitter host decides.  A fallback is judged by its node alone.
    The resource of the standbys does not run on a primary, and that does not count against the
    primary.
    """
    needless_verdict = Verdict(Outcome.WITHDRAWN, "is a fallback only")
    unnamed_verdict = nameless_verdict = Verdict(Outcome.WITHDRAWN, "is no longer a candidate")
    if findings.unavailable_reason is not None:
        needless_verdict = unnamed_verdict = nameless_verdict = Verdict(
            Outcome.UNKNOWN, findings.unavailable_reason
        )
    elif any(
        server.address is None and server.verdict.outcome is Outcome.UNKNOWN
        for server in findings.located
    ):
        nameless_verdict = Verdict(
            Outcome.UNKNOWN, "may belong to a candidate without a known address"
        )
    rows = [build_row(server, goal) for server in findings.located]
    rows.sort(key=lambda row: FITNESS.index(row.verdict.outcome))
    idle_rows = [
        build_row(_judge_idle_fallback(server, needless_verdict), goal)
        for server in findings.fallback
    ]
    alive_keys = {
        row.key for row in idle_rows if row.key and row.verdict.outcome is not Outcome.FAILED
    }
    rows = [
        r for r in rows if r.verdict.outcome is not Outcome.FAILED or r.key not in alive_keys
    ] + idle_rows
    for key in pool:
        host = findings.hosts.get(key.address)
        verdict = findings.nodes.get(host, unnamed_verdict) if host else nameless_verdict
        # Weight 0 would mean that an administrator drains it.
        rows.append(Row(host or key.address, key, 1, verdict))
    first_rows: dict[object, Row] = {}
    for row in rows:
        first_rows.setdefault(row.key or row.host, row)
    return list(first_rows.values())


def _judge_idle_fallback(server: Located, needless_verdict: Verdict) -> Located:
    """Return a fallback that is not needed.

    A failed or unknown node keeps its verdict, because that does not depend on the need.
    """
    is_settled = server.verdict.outcome in (Outcome.FAILED, Outcome.UNKNOWN)
    return server if is_settled else server._replace(verdict=needless_verdict)


def build_row(server: Located, goal: Goal) -> Row:
    key = None if server.address is None else RealServerKey(server.address, goal.port)
    return Row(server.host, key, server.weight, server.verdict, weight_source=server.weight_source)
