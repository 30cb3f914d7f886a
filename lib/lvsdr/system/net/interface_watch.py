"""The thread that reads interfaces for another thread, and reports changes to it.

All sockets of netlink(7) belong to this thread, because pyroute2 ties them to one.  A kernel that
does not answer, as during the reset of a network card, blocks this thread only.
"""

from __future__ import annotations

import os
import queue
import select
from collections.abc import Callable
from contextlib import closing, suppress

from ...address.interfaces import Interface
from ...errors import LvsdrError
from ...values.deadline import Deadline
from . import addresses
from .interface_reader import InterfaceReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    Reply = Union[Interface, LvsdrError, None]

_PATIENCE = 5.0  # seconds; the kernel answers at once
_WAKE = b"w"
_MANY = 1 << 12


class _Question:
    """A question about an interface, and the queue for its reply."""

    __slots__ = ("name", "replies")

    def __init__(self, name: str) -> None:
        self.name = name
        self.replies: queue.SimpleQueue[Reply] = queue.SimpleQueue()


class InterfaceWatch:
    """The questions of one thread, and their answers by another one, which is in ``run``."""

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = patience  # seconds that an answer may take
        self._questions: queue.SimpleQueue[_Question] = queue.SimpleQueue()
        self._overdue: _Question | None = None
        self._failed = False
        self._ready, self._bell = os.pipe()
        for descriptor in (self._ready, self._bell):
            os.set_blocking(descriptor, False)

    def read(self, name: str) -> Interface | None:
        """Return the interface with this name or alternative name; None without one.

        Raise LvsdrError if the kernel gives no answer in time.  Then later calls fail at once,
        until the answer has come.  After a failure of pyroute2, ip(8) answers.
        """
        if self._failed:
            return addresses.find_interface(name, Deadline.after(self._patience))
        if self._overdue is None or not self._overdue.replies.empty():
            self._overdue = question = _Question(name)
            self._questions.put(question)
            self._ring()
            with suppress(queue.Empty):
                reply = question.replies.get(timeout=self._patience)
                self._overdue = None
                if isinstance(reply, LvsdrError):
                    raise reply
                return reply
        raise LvsdrError(f"the kernel does not describe {name} within {self._patience:g} s")

    def run(self, ring: Callable[[], None]) -> None:
        """Answer questions, and call ``ring`` after each change of a link or an address.

        Never returns.  Raises LvsdrError after a failure, and may then be called again.
        """
        try:
            with closing(InterfaceReader()) as reader:
                self._failed = False
                ring()  # changes before the subscription are unknown
                self._serve(reader, ring)
        except Exception as error:
            self._failed = True
            while not self._questions.empty():
                self._questions.get().replies.put(_as_reply(error))
            raise

    def _serve(self, reader: InterfaceReader, ring: Callable[[], None]) -> None:
        poller = select.poll()
        for descriptor in (reader.fileno(), self._ready):
            poller.register(descriptor, select.POLLIN)
        while True:
            poller.poll()
            with suppress(BlockingIOError):
                os.read(self._ready, _MANY)
            while not self._questions.empty():
                _answer(self._questions.get(), reader)
            if reader.take_notices():
                ring()

    def _ring(self) -> None:
        with suppress(BlockingIOError):  # a full pipe wakes the thread as well
            os.write(self._bell, _WAKE)


def _answer(question: _Question, reader: InterfaceReader) -> None:
    """Answer a question; raise LvsdrError if the kernel gives no answer."""
    try:
        question.replies.put(reader.read(question.name))
    except Exception as error:
        question.replies.put(_as_reply(error))
        raise


def _as_reply(error: Exception) -> LvsdrError:
    return (
        error if isinstance(error, LvsdrError) else LvsdrError(f"{type(error).__name__}: {error}")
    )
