"""The CIB's configuration, for timeouts of probes and attributes of offline nodes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ..values.parsing import parse_seconds
from .elements import parse_document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .elements import Element

_DEFAULT_TIMEOUT = 20.0  # seconds: Pacemaker's default timeout of an operation


def find_probe_time(document: bytes, resources: Iterable[str]) -> float:
    """Return the seconds within which Pacemaker finds these resources again where they run.

    ``document`` is the CIB's section ``configuration``.  The time is the longest timeout of the
    resources' monitors, which probes use, too.  The timeouts of starts of connections to remote
    nodes count as well.  Raise SourceUnavailable if the document is not complete XML.
    """
    root = parse_document(document, "cibadmin")
    defaults = [it for part in root.iter("op_defaults") for it in _list_timeouts(part)]
    templates = {it.get("id", ""): it for it in root.iter("template")}
    wanted = set(resources)
    times = [_DEFAULT_TIMEOUT]
    for element in root.iter():
        if element.get("id") in wanted:
            for primitive in element.iter("primitive"):
                template = templates.get(primitive.get("template", ""))
                times += _list_probe_times(primitive, template) or defaults
    return max(times)


def _list_probe_times(primitive: Element, template: Element | None) -> list[float]:
    is_remote = primitive.get("type") == "remote"
    names = ("monitor", "start") if is_remote else ("monitor",)
    places = [primitive] if template is None else [primitive, template]
    operations = (op for place in places for op in place.iter("op"))
    times = [it for op in operations if op.get("name") in names for it in _list_timeouts(op)]
    return times + list(_list_durations(primitive, "remote-connect-timeout"))


def _list_timeouts(operation: Element) -> Iterator[float]:
    """Yield the timeouts of an operation or of operation defaults, as attribute and as nvpair."""
    time = _parse_duration(operation.get("timeout"))
    if time is not None:
        yield time
    yield from _list_durations(operation, "timeout")


def _list_durations(element: Element, name: str) -> Iterator[float]:
    """Yield the durations in the name-value pairs that have this name."""
    for pair in element.iter("nvpair"):
        time = _parse_duration(pair.get("value"))
        if pair.get("name") == name and time is not None:
            yield time


def _parse_duration(text: str | None) -> float | None:
    try:
        return parse_seconds(text or "")
    except ValueError:
        return None


def find_node_attributes(
    document: bytes, nodes: Collection[str], prefix: str
) -> dict[str, dict[str, str]]:
    """Return the permanent attributes of these nodes whose names begin with ``prefix``.

    Attributes that a rule makes conditional are left out.
    """
    root = parse_document(document, "cibadmin")
    found: dict[str, dict[str, str]] = {}
    for node in root.iter("node"):
        if node.get("uname") not in nodes:
            continue
        sets = (it for it in node.iter("instance_attributes") if it.find("rule") is None)
        for pair in (pair for part in sets for pair in part.iter("nvpair")):
            name, value = pair.get("name", ""), pair.get("value", "")
            if name.startswith(prefix):
                found.setdefault(node.get("uname", ""), {})[name] = value
    return found
