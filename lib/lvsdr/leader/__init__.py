"""Stores that name the leader: this node, another node, or none; a store may also not answer.

A store has two methods.  ``look`` queries it, at all of its endpoints if need be.  It never accepts
an answer from an endpoint that is cut off from the others.  ``wait`` returns when the answer may
have changed.  It is only a signal: the result of the next ``look`` decides.

To add a store, write a module with ``KIND`` and ``open_store(settings)``, and add a line to
``STORES``.
"""

from __future__ import annotations

import time
from importlib import import_module

from ..errors import LvsdrError, SourceUnavailable
from ..values.deadline import Deadline
from .gate import Answer, Leadership, State
from .settings import GivenSettings, Kind, StoreSettings, check_settings, find_unused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ..system.net.first_answer import Bell

    class Store(Protocol):
        """The interface of every store; one thread at a time uses it."""

        def look(self, deadline: Deadline, bell: Bell) -> Answer:
            """Query the store; raise SourceUnavailable without an answer in time.

            Raises SourceUnavailable also when ``bell`` is stopped.  Raises NotInstalled if this
            node lacks a program or module for the query.
            """

        def wait(self, deadline: Deadline, bell: Bell) -> None:
            """Return when the answer may have changed since the last ``look``, or at the deadline.

            Raises SourceUnavailable if changes cannot be watched now.
            """


# The name of a store, as in the parameters of agents and tools -> its module.
STORES = {
    "etcd": "lvsdr.leader.etcd",
    "consul": "lvsdr.leader.consul",
    "patroni": "lvsdr.leader.patroni",
    "attribute": "lvsdr.leader.attribute",
}


def find_kind(name: str) -> Kind:
    """Return the possible settings of the store ``name``; raise KeyError for an unknown store."""
    kind: Kind = import_module(STORES[name]).KIND
    return kind


def build_settings(name: str, node: str, given_settings: GivenSettings) -> StoreSettings:
    """Return the settings of this store on the node ``node``.

    Raises UnusableSettings with all problems.
    """
    return check_settings(find_kind(name), node, given_settings)


def open_store(name: str, settings: StoreSettings) -> Store:
    """Return the store, without a query."""
    store: Store = import_module(STORES[name]).open_store(settings)
    return store


def list_unused(name: str, given_settings: GivenSettings) -> list[str]:
    """Return the given fields that this kind of store does not use."""
    return [field for field, _ in find_unused(find_kind(name), given_settings)]


def uses_tls(endpoints: str | None) -> bool:
    """Return whether one of the endpoints uses TLS, given certificates."""
    urls = (endpoints or "").replace(",", " ").split()
    return not urls or any(not url.lower().startswith("http://") for url in urls)


def find_max_silence(name: str) -> float:
    """Return the seconds of silence that the last answer of this kind of store outlives."""
    return find_kind(name).silence


def query_store(store: Store, deadline: Deadline, bell: Bell | None = None) -> Answer:
    """Return the answer of the store; UNKNOWN if it gives none that can be understood.

    Raises LvsdrError other than SourceUnavailable if this node lacks a program or module.
    """
    from ..system.net.first_answer import Bell

    queried_at = time.monotonic()
    try:
        return store.look(deadline, bell or Bell())
    except SourceUnavailable as error:
        reason = str(error)
    except LvsdrError:
        raise
    except Exception as error:  # an internal error is no answer of the store
        reason = f"internal error: {type(error).__name__}"
    return Answer(Leadership(State.UNKNOWN, reason), queried_at, time.monotonic())
