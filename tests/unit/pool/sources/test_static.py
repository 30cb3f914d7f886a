"""The administrator's list."""

from __future__ import annotations

from lvsdr.pool.sources.static import list_candidates
from lvsdr.values.deadline import Deadline

from tests.unit.crm import state
from tests.unit.pools import SPEC, told


def test_every_listed_host_in_order() -> None:
    spec = SPEC._replace(weights={"node3": 2, "10.77.0.14": None, "node1": 0})
    assert told(list_candidates(state("steady"), spec, Deadline.after(1.0))) == [
        "node3 in: listed in weight_of_realservers",
        "10.77.0.14 in: listed in weight_of_realservers",
        "node1 in: listed in weight_of_realservers",
    ]
