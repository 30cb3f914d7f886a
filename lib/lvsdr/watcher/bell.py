"""The bell: it rings when the state of the cluster changes.

It is only a sign: each cycle asks crm_mon itself.
"""

from __future__ import annotations

import os
from enum import Enum

from ..system import small_files
from ..system.crm import CIB_FILE, COMMAND
from ..system.process.fork import spawn_tied
from ..system.process.spawn import kill_group, reap


class Ring(Enum):
    """The sign that a bell gives."""

    NOTHING = "nothing"
    EVENT = "event"
    """The CIB has changed, and perhaps the state that a cycle reads."""
    CHANGE = "change"
    """The state that a cycle reads has changed."""


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from ..system.process.spawn import Child

    class StateBell(Protocol):
        """A sign of changes."""

        looks: bool  # True if only looking at it shows a change

        @property
        def trouble(self) -> str:
            """Return the reason why there is no sign of changes; empty if there is."""
            ...

        @property
        def descriptors(self) -> tuple[int, ...]:
            """Return the descriptors that become readable at a change."""
            ...

        def tend(self, now: float) -> None:
            """Begin to listen if that has ended."""
            ...

        def read(self, descriptor: int) -> None:
            """Read what has become readable."""
            ...

        def take_ring(self) -> Ring:
            """Return the sign since the last call."""
            ...

        def end(self) -> None:
            """End all processes."""
            ...


_RETRY = 10.0  # seconds between two starts of crm_mon
_PIECE = 65536
_TRIES = 2  # starts of crm_mon without output before that is reported
_MOST = 16 << 20  # bytes of one state; more comes only from a crm_mon that never pauses
_SIGNS = (
    "crm_mon",
    "--output-as=text",  # without --one-shot, crm_mon prints the state again at each change
    # A change that follows the last text within this time is held back for two seconds.  crm_mon
    # counts whole seconds (crm_mon.c), so less than one holds back the fewest changes.
    "--interval=900ms",
    # The sections that a cycle reads: the text stays the same at other changes.
    *(option for option in COMMAND if option.startswith(("--include", "--inactive"))),
)


def create_bell(environ: Mapping[str, str]) -> StateBell:
    """Return the bell of the cluster that crm_mon reads in this environment."""
    path = environ.get(CIB_FILE)
    return _ClusterBell() if path is None else _FileBell(path)


class _ClusterBell:
    """A crm_mon that goes on running, and ends with this process."""

    def __init__(self) -> None:
        self._reason = ""
        self._complaint = b""
        self._failed = 0  # starts in a row without output
        self._child: Child | None = None
        self._begun: float | None = None
        self.looks = False
        self._text = bytearray()
        self._last = b""

    @property
    def descriptors(self) -> tuple[int, ...]:
        child = self._child
        return () if child is None else (child.stdout, child.stderr)

    @property
    def trouble(self) -> str:
        return self._reason if self._failed >= _TRIES else ""

    def tend(self, now: float) -> None:
        if self._child is not None or (self._begun is not None and now - self._begun < _RETRY):
            return
        self._begun = now
        self._complaint = b""
        try:
            self._child = spawn_tied(_SIGNS)
        except OSError as error:
            self._fail(f"cannot be started: {error.strerror}")

    def read(self, descriptor: int) -> None:
        child = self._child
        text = os.read(descriptor, _PIECE)
        if child is not None and descriptor == child.stderr:
            self._complaint = (self._complaint + text)[-_PIECE:]
        else:
            self._text += text
        if not text:
            self._fail(f"has ended: {_find_last_line(self._complaint + _read_rest(child))}")
        elif len(self._text) > _MOST:
            self._fail("prints without a pause")

    def _fail(self, reason: str) -> None:
        self._failed += 1
        self._reason = f"{_SIGNS[0]} {reason}"
        self._text.clear()
        self.end()

    def take_ring(self) -> Ring:
        if not self._text:
            return Ring.NOTHING
        self._failed = 0
        # crm_mon prints a dot at each event at once, and the state up to two seconds later.  A
        # state that is printed again is an event, too: dots of later ones may have come with it.
        text, self._text = bytes(self._text.strip(b".\n")), bytearray()
        if text in (b"", self._last):
            return Ring.EVENT
        self._last = text
        return Ring.CHANGE

    def end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        kill_group(child.pid)
        reap(child)


def _read_rest(child: Child | None) -> bytes:
    """Return the messages of an ended program that nothing has read yet."""
    if child is None:
        return b""
    os.set_blocking(child.stderr, False)
    try:
        return os.read(child.stderr, _PIECE)
    except BlockingIOError:
        return b""  # a child of the program is left


def _find_last_line(text: bytes) -> str:
    """Return the last line of a program's output, for a message."""
    lines = text.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else "no message"


class _FileBell:
    """The file CIB_file, which crm_mon reads in place of a cluster: it is looked at."""

    descriptors: tuple[int, ...] = ()
    trouble = ""
    looks = True

    def __init__(self, path: str) -> None:
        self._path = path
        self._fingerprint = self._text = ""
        self.take_ring()

    def tend(self, now: float) -> None:
        pass

    def read(self, descriptor: int) -> None:
        pass

    def take_ring(self) -> Ring:
        before, self._fingerprint = self._fingerprint, small_files.compute_fingerprint(self._path)
        if self._fingerprint == before:
            return Ring.NOTHING
        text, self._text = self._text, small_files.read_text(self._path)
        return Ring.NOTHING if self._text == text else Ring.CHANGE

    def end(self) -> None:
        pass
