"""Who leads?  A store says whether it is this node, another, or nobody; or it does not answer.

A store has two methods.  ``look`` asks it, at all of its endpoints if need be, and never takes an
answer from one that is cut off from the others.  ``wait`` returns when the answer may have changed.
It is a bell and nothing more: what counts is only ever what ``look`` finds afterwards.

Adding a store: a module with ``KIND`` and ``open_store(settings)``, and a line in ``STORES``.
"""

from __future__ import annotations

import time
from importlib import import_module

from ..deadline import Deadline
from ..errors import LvsdrError, SourceUnavailable
from ..gate import Answer, Leadership, State
from .settings import Given, Kind, Settings, checked, not_used

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ..system.race import Bell

    class Store(Protocol):
        """What every store is; one thread at a time uses it."""

        def look(self, deadline: Deadline, bell: Bell) -> Answer:
            """Ask; raises SourceUnavailable if there is no answer in time, or ``bell`` says stop.

            Raises NotInstalled if this node lacks what it takes to ask.
            """

        def wait(self, deadline: Deadline, bell: Bell) -> None:
            """Return when something may have changed since the last ``look``, or at the deadline.

            Raises SourceUnavailable if that cannot be watched now.
            """


# A name that Pacemaker's and other tools' users know -> the module that knows the store.
STORES = {
    "etcd": "lvsdr.leader.etcd",
    "consul": "lvsdr.leader.consul",
    "patroni": "lvsdr.leader.patroni",
    "attribute": "lvsdr.leader.attribute",
}


def kind(name: str) -> Kind:
    """What can be said of the store called ``name``; raises KeyError for none of ours."""
    found: Kind = import_module(STORES[name]).KIND
    return found


def settings(name: str, node: str, given: Given) -> Settings:
    """What ``given`` means for this store on the node called ``node``.

    Raises UnusableSettings with all that is wrong.
    """
    return checked(kind(name), node, given)


def open_store(name: str, settings: Settings) -> Store:
    """The store; nothing is asked yet."""
    store: Store = import_module(STORES[name]).open_store(settings)
    return store


def unused(name: str, given: Given) -> list[str]:
    """Return the fields that were given and that this kind of store does not look at."""
    return [field for field, _ in not_used(kind(name), given)]


def encrypted(endpoints: str | None) -> bool:
    """Whether one of the endpoints is asked over TLS where certificates are given."""
    words = (endpoints or "").replace(",", " ").split()
    return not words or any(not word.lower().startswith("http://") for word in words)


def silence(name: str) -> float:
    """Return how many seconds of silence the last word of this kind of store outlives."""
    return kind(name).silence


def ask(store: Store, deadline: Deadline, bell: Bell | None = None) -> Answer:
    """Return what the store says; UNKNOWN if it says nothing that can be understood.

    Raises LvsdrError other than SourceUnavailable if this node lacks what it takes to ask.
    """
    from ..system.race import Bell

    asked = time.monotonic()
    try:
        return store.look(deadline, bell or Bell())
    except SourceUnavailable as error:
        reason = str(error)
    except LvsdrError:
        raise
    except Exception as error:  # whatever happens here is no word of the store
        reason = f"internal error: {type(error).__name__}"
    return Answer(Leadership(State.UNKNOWN, reason), asked, time.monotonic())
