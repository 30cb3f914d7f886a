"""Twenty random events in a cluster, which comes to rest after each.

LAB_SEED selects other events than the usual ones.
"""

from __future__ import annotations

import os
import random

from tests.cluster import foreign_service
from tests.cluster.drill import Drill
from tests.cluster.random_events import RandomEvents

TOGETHER = "drills"  # see tests/support/shared_tests.py
MINUTES = 9
SEED, EVENTS = 20261123, 20
BACK = 60  # intervals of the director's monitor


def test_twenty_random_events(drill: Drill) -> None:
    seed = int(os.environ.get("LAB_SEED") or SEED)
    drill.name += f", seed {seed}"
    events = RandomEvents(drill, random.Random(seed))
    for _ in range(EVENTS):
        drill.happens()
        event = events.step()
        events.rest()
        drill.tell(event)
        print(drill.story[-1], flush=True)
        assert foreign_service.untouched(events.here)
    drill.happens()
    events.back()
    assert drill.wait_until_whole().intervals < BACK
