"""The report on each real server: rows of the explanation, and sentences for the log."""

from __future__ import annotations

from collections.abc import Sequence

from ..ipvs.table import RealServerKey, Service
from ..values.light_typing import NamedTuple
from .model import Outcome, Verdict


class Row(NamedTuple):
    """One line of the explanation: host, address, verdict, and weight before and after."""

    host: str
    key: RealServerKey | None
    weight: int
    verdict: Verdict
    before: int | None = None
    after: int | None = None
    busy: bool = False  # connections of it may not be over
    drained: bool = False  # it was withdrawn before this decision
    weight_from: str = "default_weight"  # the parameter that gives the weight
    cut: bool = False  # deleted instead of getting weight 0 (scheduler dh)


def as_it_became(rows: Sequence[Row], service: Service | None) -> Sequence[Row]:
    """Return the rows with the kernel's actual weights, where they differ from the wanted ones."""
    servers = {} if service is None else service.real_servers
    weights = {key: server.config.weight for key, server in servers.items()}
    return [row._replace(after=weights.get(row.key)) if row.key else row for row in rows]


def changes(rows: Sequence[Row]) -> list[str]:
    """Return a sentence for every real server that changes its weight or presence."""
    return [_sentence(row) for row in rows if row.before != row.after]


def _sentence(row: Row) -> str:
    where = row.key.address if row.key is not None else "no address"
    who = f"real server {row.host}" + ("" if row.host == where else f" ({where})")
    if row.before is None:
        what = f"added with weight {row.after}"
    elif row.after is None and row.cut:
        what = "removed with its sessions, because scheduler dh refuses clients at weight 0"
    elif row.after is None and row.verdict.outcome is Outcome.WITHDRAWN:
        what = "removed at the end of its drain timeout" if row.busy else "removed, drained"
    elif row.after is None:
        what = "removed"
    elif row.after == 0 and row.verdict.outcome is Outcome.WITHDRAWN:
        what = "withdrawn"
    else:
        what = f"weight changed from {row.before} to {row.after}"
    return f"{who} {what}: {_reason(row)}"


def _reason(row: Row) -> str:
    """Return the reason of a change: the verdict, or the parameter of a newly configured weight."""
    fit = row.verdict.outcome is Outcome.IN and row.after == row.weight
    if not fit or row.before is None or row.drained:
        return row.verdict.reason
    given = f"{row.weight_from} gives {row.after}"
    return given if row.before > 0 else f"{row.verdict.reason}, {given}"
