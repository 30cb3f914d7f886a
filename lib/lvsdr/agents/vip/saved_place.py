"""The place and the announcer that one run leaves to the next."""

from __future__ import annotations

from ...system.net.announcer import Process
from ...system.saved_facts import load_facts, store_facts
from ...values.facts import find_value
from ...values.light_typing import NamedTuple
from .settings import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...values.facts import Facts

_KIND = "place"


class SavedPlace(NamedTuple):
    """The place and the announcer of a start; probes and stop can do without them."""

    place: Place | None = None
    announcer: Process | None = None


def recall(path: str) -> SavedPlace:
    """Return the state stored during this boot; empty if the file is missing or malformed."""
    return load_facts(path, _KIND, _parse) or SavedPlace()


def store(path: str, memory: SavedPlace) -> None:
    """Write the state for the next run; raise LvsdrError."""
    facts = ("place", memory.place), ("announcer", memory.announcer)
    store_facts(path, _KIND, facts)


def _parse(facts: Facts) -> SavedPlace:
    return SavedPlace(
        find_value(facts, "place", lambda address, bits, nic: Place(address, int(bits), nic)),
        find_value(facts, "announcer", lambda pid, started: Process(int(pid), int(started))),
    )
