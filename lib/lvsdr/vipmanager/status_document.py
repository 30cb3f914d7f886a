"""Reports of the daemon's state: a document, the same as text, and metrics for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping

from .. import __version__
from ..leader.gate import LeaderHistory, LeaderPolicy, assess_state
from ..values.light_typing import NamedTuple
from .address_machine import Presence, linkless
from .holder import Holder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Document = Mapping[str, "Any"]

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


_ONCE = (
    Metric("leader", "gauge", "Whether the store names this node.", "leading"),
    Metric("store_up", "gauge", "Whether the store answered when it was asked last.", "answering"),
    Metric(
        "store_answer_age_seconds", "gauge", "Time since the store last answered.", "answer_age"
    ),
    Metric("store_answers_total", "counter", "Answers of the store.", "answers"),
    Metric("stale", "gauge", "Whether the last reload failed.", "stale"),
    Metric("store_failures_total", "counter", "Questions without an answer.", "unanswered"),
)
_EACH = (
    Metric("held", "gauge", "Whether the address is on this node.", "held"),
    Metric("wanted", "gauge", "Whether the address is to be on this node.", "wanted"),
    Metric("degraded", "gauge", "Whether it stays or waits on ignorance, or is kept from.", "bad"),
    Metric("taken_total", "counter", "How often the address was taken.", "taken"),
    Metric("released_total", "counter", "How often it was given back.", "released"),
    Metric("restored_total", "counter", "How often it was put back after a change.", "restored"),
    Metric("conflicts_total", "counter", "How often another host had it.", "conflicts"),
    Metric("failures_total", "counter", "How often a change of it failed.", "failures"),
)


class Heard(NamedTuple):
    """Counts of the store's answers since the start; ``last`` is on the monotonic clock."""

    answers: int = 0
    unanswered: int = 0
    last: float | None = None


def document(
    store: str,
    standing: LeaderHistory,
    heard: Heard,
    policy: LeaderPolicy,
    holders: Iterable[Holder],
) -> Document:
    """Return the state of store and addresses; an expired answer counts as unknown."""
    known, reason = assess_state(standing, time.monotonic(), policy)
    latest = standing.latest
    state = "not asked yet" if latest is None else known.value
    believed = latest is not None and known is latest.leadership.state
    return {
        "version": __version__,
        "store": store,
        "state": state,
        "reason": "" if latest is None else reason,
        "leader": latest.leadership.leader if latest is not None and believed else None,
        "leading": state == "leader",
        "answering": state not in ("unknown", "stopped", "not asked yet"),
        "answers": heard.answers,
        "unanswered": heard.unanswered,
        "answered": heard.last,
        "addresses": [_address(holder) for holder in holders],
    }


def _address(holder: Holder) -> Document:
    wanted, decision = holder.wanted, holder.decision
    # Otherwise a wrong interface of a follower would stay unnoticed until the takeover.
    missing = linkless(holder.sight.interface, wanted.interface) if holder.looked else ""
    trouble = holder.progress.trouble or missing
    state = _STATES[holder.sight.presence]
    if state == "released" and decision.hold:
        state = "waiting"
    return {
        "address": wanted.address,
        "prefix": wanted.prefix,
        "interface": wanted.interface,
        "state": state,
        "held": holder.held,
        "wanted": decision.hold,
        "bad": decision.degraded or bool(trouble),
        "reason": decision.reason,
        "trouble": trouble,
        **holder.counts._asdict(),
    }


def summary(told: Document) -> str:
    """Return the document in a few words, which differ after every change of a state."""
    addresses = ", ".join(f"{one['address']} {one['state']}" for one in told["addresses"])
    return f"{told['state']}: {addresses}"


def aged(told: Document) -> Document:
    """Return the document with ages instead of times of this boot's clock."""
    answered = told["answered"]
    age = None if answered is None else round(time.monotonic() - answered, 3)
    return {**{key: value for key, value in told.items() if key != "answered"}, "answer_age": age}


def text(told: Document) -> str:
    """Return the document as readable text."""
    age = "never" if told["answer_age"] is None else f"{told['answer_age']:.1f} s ago"
    lines = [
        f"vip-manager {told['version']}, process {told['pid']}",
        f"{told['store']}: {told['state']} ({told['reason'] or 'no answer yet'}), answered {age}",
    ]
    for address in told["addresses"]:
        why = address["trouble"] or address["reason"]
        where = f"{address['address']}/{address['prefix']} on {address['interface']}"
        lines.append(f"{where}: {address['state']} ({why})")
    lines += [f"not published: {trouble}" for trouble in told.get("unpublished", ())]
    if told["stale"]:
        lines.append(f"the configuration is still the old one: {told['stale']}")
    return "\n".join(lines) + "\n"


def metrics(told: Document) -> str:
    """Return the document in Prometheus' text format, version 0.0.4."""
    return "".join(f"{line}\n" for line in _lines(told))


def _lines(told: Document) -> Iterator[str]:
    yield from _head(Metric("info", "gauge", "The program.", ""))
    yield f"vip_manager_info{_labels(version=told['version'], store=told['store'])} 1"
    for metric in _ONCE:
        if told[metric.key] is not None:
            yield from _head(metric)
            value = bool(told[metric.key]) if metric.key == "stale" else told[metric.key]
            yield f"vip_manager_{metric.name} {_number(value)}"
    for metric in _EACH:
        yield from _head(metric)
        for one in told["addresses"]:
            labels = _labels(address=one["address"], interface=one["interface"])
            yield f"vip_manager_address_{metric.name}{labels} {_number(one[metric.key])}"


def _head(metric: Metric) -> tuple[str, str]:
    prefix = "vip_manager_address" if metric in _EACH else "vip_manager"
    name = f"{prefix}_{metric.name}"
    return f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"


def _labels(**labels: str) -> str:
    pairs = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return f"{value:.12g}"
