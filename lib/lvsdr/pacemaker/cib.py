"""Timeouts in the CIB's configuration: how long a probe may take to find a resource again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import SourceUnavailable
from ..values.parsing import parse_seconds
from .document import Element, tree

_PROBE = 20.0  # seconds: Pacemaker's default timeout of an operation


def probe_time(document: bytes, resources: Iterable[str]) -> float:
    """Return the seconds within which Pacemaker finds these resources again where they run.

    ``document`` is the CIB's section ``configuration``.  The time is the longest timeout of the
    resources' monitors, which probes use, too.  The timeouts of starts of connections to remote
    nodes count as well.  Raise SourceUnavailable if the document is not complete XML.
    """
    try:
        root = tree(document)
    except ValueError as error:
        raise SourceUnavailable(f"cibadmin: not a complete XML document ({error})") from None
    defaults = [it for part in _below(root, "op_defaults") for it in _timeouts(part)]
    templates = {it.attributes.get("id", ""): it for it in _below(root, "template")}
    wanted = set(resources)
    times = [_PROBE]
    for element in _below(root):
        if element.attributes.get("id") in wanted:
            for primitive in _below(element, "primitive"):
                template = templates.get(primitive.attributes.get("template", ""))
                times += _times(primitive, template) or defaults
    return max(times)


def _times(primitive: Element, template: Element | None) -> list[float]:
    is_remote = primitive.attributes.get("type") == "remote"
    names = ("monitor", "start") if is_remote else ("monitor",)
    places = [primitive] if template is None else [primitive, template]
    operations = (op for place in places for op in _below(place, "op"))
    times = [it for op in operations if op.attributes.get("name") in names for it in _timeouts(op)]
    return times + list(_named(primitive, "remote-connect-timeout"))


def _timeouts(operation: Element) -> Iterator[float]:
    """Yield the timeouts of an operation or of operation defaults, as attribute and as nvpair."""
    time = _duration(operation.attributes.get("timeout"))
    if time is not None:
        yield time
    yield from _named(operation, "timeout")


def _named(element: Element, name: str) -> Iterator[float]:
    """Yield the durations in the name-value pairs that have this name."""
    for pair in _below(element, "nvpair"):
        time = _duration(pair.attributes.get("value"))
        if pair.attributes.get("name") == name and time is not None:
            yield time


def _duration(text: str | None) -> float | None:
    try:
        return parse_seconds(text or "")
    except ValueError:
        return None


def _below(element: Element, tag: str | None = None) -> Iterator[Element]:
    """Yield the element and all of its descendants that have this tag; None matches any tag."""
    if tag in (None, element.tag):
        yield element
    for child in element.children:
        yield from _below(child, tag)
