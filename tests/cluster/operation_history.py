"""Operations of Pacemaker, from the logs of the nodes.

The CIB is not enough: it records a successful reload-agent as a start.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from tests.cluster.node import LOG, Node

# A recurring monitor logs only its first result, and each result that differs from the previous
# one.
_RESULT = re.compile(
    r" Result of (?P<action>\S+) operation for (?P<resource>\S+) on (?P<node>\S+): "
    r"(?P<result>.*?) \| "
)
_RECURRING = "monitor"
_CANCELLED = "Cancelled"


class Done(NamedTuple):
    """An operation that has ended. `result` is "ok", "not running", or the like."""

    node: str
    action: str
    resource: str
    result: str


class History:
    """Operations on these nodes from now on."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._begins = {node: len(_log(node)) for node in nodes}

    def text(self, node: Node) -> str:
        """Return all that Pacemaker and the agents have logged on a node."""
        return _log(node)[self._begins[node] :].decode(errors="replace")

    def done(self) -> list[Done]:
        """Return the operations that have ended, node by node in their order."""
        results = (_RESULT.finditer(self.text(node)) for node in self._begins)
        done = [Done(**found.groupdict()) for node in results for found in node]
        return [it for it in done if it.result != _CANCELLED]

    def changes(self) -> list[tuple[str, str]]:
        """Return the changes of resources, as pairs of action and resource.

        Probes and monitors are no changes.
        """
        looking = ("probe", _RECURRING)
        return [(it.action, it.resource) for it in self.done() if it.action not in looking]


def _log(node: Node) -> bytes:
    return (node.disk / LOG).read_bytes()
