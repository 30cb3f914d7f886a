"""A thread that runs until it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.support.waiting import PATIENCE


class Worker:
    """Thread that runs `work` at once; `work` must return soon after its event is set."""

    def __init__(self, work: Callable[[threading.Event], None]) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=work, args=(self._over,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, and wait for its end."""
        self._over.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
