"""Twenty random events in a cluster, which comes to rest after each.

LAB_SEED selects another walk than the usual one.
"""

from __future__ import annotations

import os
import random

from tests.cluster import foreign
from tests.cluster.drill import Drill
from tests.cluster.walk import Walk

TOGETHER = "drills"  # see tests/support/shared_tests.py
MINUTES = 9
SEED, EVENTS = 20261123, 20
BACK = 60  # intervals of the director's monitor


def test_twenty_random_events(drill: Drill) -> None:
    seed = int(os.environ.get("LAB_SEED") or SEED)
    drill.name += f", seed {seed}"
    walk = Walk(drill, random.Random(seed))
    for _ in range(EVENTS):
        drill.happens()
        what = walk.step()
        walk.rest()
        drill.tell(what)
        print(drill.story[-1], flush=True)
        assert foreign.untouched(walk.here)
    drill.happens()
    walk.back()
    assert drill.wait_until_whole().intervals < BACK
