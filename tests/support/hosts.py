"""Hosts: network namespaces with processes of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from tests.support.namespaces import entered
from tests.support.processes import TIMEOUT, Completed, Running, checked


class NamespaceHost:
    """A host. `name` is also the name of its network namespace."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._started: list[Running] = []

    def entered(self) -> contextlib.AbstractContextManager[None]:
        """Return a context that puts the calling thread, and its new threads, into this network."""
        return entered(self.name)

    def start(
        self, argv: Sequence[str], *, stdin: str | None = None, env: Mapping[str, str] | None = None
    ) -> Running:
        """Start a process on this host. It is killed at the latest by `close`."""
        with self.entered():
            running = Running(argv, stdin, env)
        self._started.append(running)
        return running

    def run(
        self,
        argv: Sequence[str],
        *,
        check: bool = True,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
    ) -> Completed:
        """Run a command on this host.

        Raises CommandFailed if it takes longer than `timeout` seconds or, with `check`, fails.
        """
        running = self.start(argv, stdin=stdin, env=env)
        completed = running.wait(timeout)
        self._started.remove(running)
        return checked(argv, completed, check)

    def close(self) -> None:
        """End all processes that were started here."""
        for running in self._started:
            running.close()
        self._started.clear()
