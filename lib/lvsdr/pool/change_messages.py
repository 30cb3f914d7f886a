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
    weight_before: int | None = None
    weight_after: int | None = None
    busy: bool = False  # connections of it may not be over
    drained: bool = False  # it was withdrawn before this decision
    weight_source: str = "default_weight"  # the parameter that gives the weight
    cut: bool = False  # deleted instead of getting weight 0 (scheduler dh)


def apply_actual_weights(rows: Sequence[Row], service: Service | None) -> Sequence[Row]:
    """Return the rows with the kernel's actual weights, where they differ from the wanted ones."""
    servers = {} if service is None else service.real_servers
    weights = {key: server.config.weight for key, server in servers.items()}
    return [row._replace(weight_after=weights.get(row.key)) if row.key else row for row in rows]


def describe_changes(rows: Sequence[Row]) -> list[str]:
    """Return a sentence for every real server that changes its weight or presence."""
    return [_describe_change(row) for row in rows if row.weight_before != row.weight_after]


def _describe_change(row: Row) -> str:
    address = row.key.address if row.key is not None else "no address"
    subject = f"real server {row.host}" + ("" if row.host == address else f" ({address})")
    if row.weight_before is None:
        change = f"added with weight {row.weight_after}"
    elif row.weight_after is None and row.cut:
        change = "removed with its sessions, because scheduler dh refuses clients at weight 0"
    elif row.weight_after is None and row.verdict.outcome is Outcome.WITHDRAWN:
        change = "removed at the end of its drain timeout" if row.busy else "removed, drained"
    elif row.weight_after is None:
        change = "removed"
    elif row.weight_after == 0 and row.verdict.outcome is Outcome.WITHDRAWN:
        change = "withdrawn"
    else:
        change = f"weight changed from {row.weight_before} to {row.weight_after}"
    return f"{subject} {change}: {_explain_change(row)}"


def _explain_change(row: Row) -> str:
    """Return the reason of a change: the verdict, or the source of a newly configured weight.

    A node attribute is named even for a real server that is added, because it may be forgotten.
    """
    is_fit = row.verdict.outcome is Outcome.IN and row.weight_after == row.weight
    is_explained = row.weight_before is None or row.drained
    if not is_fit or (is_explained and not row.weight_source.startswith("attribute ")):
        return row.verdict.reason
    weight_reason = f"{row.weight_source} gives {row.weight_after}"
    if row.weight_before and not row.drained:
        return weight_reason
    return f"{row.verdict.reason}, {weight_reason}"
