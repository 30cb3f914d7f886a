"""Reports of the daemon's state: a document, the same as text, and metrics for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping

from .. import __version__
from ..leader.gate import LeaderHistory, LeaderPolicy, assess_state
from ..values.light_typing import NamedTuple
from .address_machine import Presence, find_link_problem
from .managed_address import ManagedAddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

StatusDocument = Mapping[str, "Any"]

_STATES = {
    Presence.ABSENT: "released",
    Presence.TENTATIVE: "claiming",
    Presence.REFUSED: "claiming",
    Presence.DIFFERENT: "correcting",
    Presence.PRESENT: "held",
}


class Metric(NamedTuple):
    """One family of metrics; ``key`` names its field in the document or in each address."""

    name: str
    kind: str
    help: str
    key: str


_DAEMON_METRICS = (
    Metric("leader", "gauge", "Whether the store names this node.", "leading"),
    Metric("store_up", "gauge", "Whether the store answered the last query.", "answering"),
    Metric(
        "store_answer_age_seconds", "gauge", "Time since the store last answered.", "answer_age"
    ),
    Metric("store_answers_total", "counter", "Answers of the store.", "answers"),
    Metric("stale", "gauge", "Whether the last reload failed.", "stale"),
    Metric("store_failures_total", "counter", "Queries without an answer.", "unanswered"),
)
_ADDRESS_METRICS = (
    Metric("held", "gauge", "Whether the address is on this node.", "held"),
    Metric("wanted", "gauge", "Whether the address should be on this node.", "wanted"),
    Metric("degraded", "gauge", "Whether a silent store or a problem affects the address.", "bad"),
    Metric("taken_total", "counter", "How often the address was added.", "taken"),
    Metric("released_total", "counter", "How often it was released.", "released"),
    Metric("restored_total", "counter", "How often it was added again after a change.", "restored"),
    Metric("conflicts_total", "counter", "How often another host used it.", "conflicts"),
    Metric("failures_total", "counter", "How often a change of the address failed.", "failures"),
)


class AnswerCounts(NamedTuple):
    """Counts of the store's answers since the start; ``last`` is on the monotonic clock."""

    answers: int = 0
    unanswered: int = 0
    last: float | None = None


def describe_state(
    store: str,
    history: LeaderHistory,
    counts: AnswerCounts,
    policy: LeaderPolicy,
    addresses: Iterable[ManagedAddress],
) -> StatusDocument:
    """Return the state of store and addresses; an expired answer counts as unknown."""
    known_state, reason = assess_state(history, time.monotonic(), policy)
    latest = history.latest
    state = "not asked yet" if latest is None else known_state.value
    is_current = latest is not None and known_state is latest.leadership.state
    return {
        "version": __version__,
        "store": store,
        "state": state,
        "reason": "" if latest is None else reason,
        "leader": latest.leadership.leader if latest is not None and is_current else None,
        "leading": state == "leader",
        "answering": state not in ("unknown", "stopped", "not asked yet"),
        "answers": counts.answers,
        "unanswered": counts.unanswered,
        "answered": counts.last,
        "addresses": [_describe_address(address) for address in addresses],
    }


def _describe_address(address: ManagedAddress) -> StatusDocument:
    wanted, decision = address.wanted, address.decision
    # Otherwise a wrong interface of a follower would stay unnoticed until the takeover.
    link_trouble = (
        find_link_problem(address.state.interface, wanted.interface) if address.state_read else ""
    )
    trouble = address.progress.trouble or link_trouble
    state = _STATES[address.state.presence]
    if state == "released" and decision.hold:
        state = "waiting"
    return {
        "address": wanted.address,
        "prefix": wanted.prefix,
        "interface": wanted.interface,
        "state": state,
        "held": address.held,
        "wanted": decision.hold,
        "bad": decision.degraded or bool(trouble),
        "reason": decision.reason,
        "trouble": trouble,
        **address.counts._asdict(),
    }


def summarize(document: StatusDocument) -> str:
    """Return the document in a few words, which differ after every change of a state."""
    addresses = ", ".join(
        f"{address['address']} {address['state']}" for address in document["addresses"]
    )
    return f"{document['state']}: {addresses}"


def add_ages(document: StatusDocument) -> StatusDocument:
    """Return the document with ages instead of times of this boot's clock."""
    answered = document["answered"]
    age = None if answered is None else round(time.monotonic() - answered, 3)
    return {
        **{key: value for key, value in document.items() if key != "answered"},
        "answer_age": age,
    }


def format_text(document: StatusDocument) -> str:
    """Return the document as readable text."""
    age = "never" if document["answer_age"] is None else f"{document['answer_age']:.1f} s ago"
    reason = document["reason"] or "no answer yet"
    lines = [
        f"vip-manager {document['version']}, process {document['pid']}",
        f"{document['store']}: {document['state']} ({reason}), answered {age}",
    ]
    for address in document["addresses"]:
        reason = address["trouble"] or address["reason"]
        place = f"{address['address']}/{address['prefix']} on {address['interface']}"
        lines.append(f"{place}: {address['state']} ({reason})")
    lines += [f"not published: {trouble}" for trouble in document.get("unpublished", ())]
    if document["stale"]:
        lines.append(
            f"the reload failed, the previous configuration is in effect: {document['stale']}"
        )
    return "\n".join(lines) + "\n"


def format_metrics(document: StatusDocument) -> str:
    """Return the document in Prometheus' text format, version 0.0.4."""
    return "".join(f"{line}\n" for line in _format_metric_lines(document))


def _format_metric_lines(document: StatusDocument) -> Iterator[str]:
    yield from _format_metric_header(Metric("info", "gauge", "The program.", ""))
    labels = _format_labels(version=document["version"], store=document["store"])
    yield f"vip_manager_info{labels} 1"
    for metric in _DAEMON_METRICS:
        if document[metric.key] is not None:
            yield from _format_metric_header(metric)
            value = bool(document[metric.key]) if metric.key == "stale" else document[metric.key]
            yield f"vip_manager_{metric.name} {_format_number(value)}"
    for metric in _ADDRESS_METRICS:
        yield from _format_metric_header(metric)
        for address in document["addresses"]:
            labels = _format_labels(address=address["address"], interface=address["interface"])
            yield f"vip_manager_address_{metric.name}{labels} {_format_number(address[metric.key])}"


def _format_metric_header(metric: Metric) -> tuple[str, str]:
    prefix = "vip_manager_address" if metric in _ADDRESS_METRICS else "vip_manager"
    name = f"{prefix}_{metric.name}"
    return f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"


def _format_labels(**labels: str) -> str:
    pairs = (f'{name}="{_escape(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _format_number(value: float) -> str:
    return f"{value:.12g}"
