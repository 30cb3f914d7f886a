"""A thread that goes on until it is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.leader.waiting import PATIENCE


class Worker:
    """Runs `work` from now on; it is to return soon once the event that it gets is set."""

    def __init__(self, work: Callable[[threading.Event], None]) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=work, args=(self._over,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Return when it has ended."""
        self._over.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
