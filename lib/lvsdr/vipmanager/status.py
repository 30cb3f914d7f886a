"""Publication of the daemon's state: to the service manager, to status queries, to Prometheus."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf
from threading import Thread

from ..errors import LvsdrError
from ..system import state
from ..system.daemon import environment, listeners, requests
from ..system.daemon.listeners import Listener
from . import status_document
from .configuration import Configuration
from .log import DaemonLog

_SUFFIX = ".sock"
_REFRESH = 10.0  # seconds between writes of the metrics file without a change
_LAST = 1.0  # seconds to remove the metrics file at the end
_PATIENCE = 5.0  # seconds for a daemon to answer


class StatusPublisher:
    """A publisher of the latest document; ``due`` is the time of the next publication."""

    def __init__(self, configuration: Configuration, log: DaemonLog) -> None:
        self._log = log
        self._directory = configuration.run_directory
        self._textfile = configuration.metrics_textfile
        self._watchdog = environment.watchdog_interval()
        self._document: status_document.StatusDocument = {}
        self._status = ""
        self._written = 0.0
        self._fed = 0.0
        self._unwritten = ""
        self._writer: Thread | None = None  # a thread, because the file's disk may not respond
        path = os.path.join(self._directory, f"{os.getpid()}{_SUFFIX}")
        remove_dead_sockets(self._directory)
        self._waiting: list[Callable[[], Listener]] = [lambda: self._socket(path)]
        if configuration.metrics_listen is not None:
            address, port = configuration.metrics_listen
            self._waiting.append(lambda: self._port(address, port))
        self._listeners: list[Listener] = []
        self._troubles: tuple[str, ...] = ()
        self._tried = -inf

    @property
    def due(self) -> float:
        """Return the latest time of the next publication, on the monotonic clock."""
        feed = inf if self._watchdog is None else self._fed + self._watchdog / 2
        write = self._written + _REFRESH if self._textfile else inf
        return min(feed, write, self._tried + _REFRESH if self._waiting else inf)

    def begin(self, document: status_document.StatusDocument) -> None:
        """Publish the first document, and answer queries from now on."""
        self.publish(document)

    def publish(self, document: status_document.StatusDocument) -> None:
        now = time.monotonic()
        if self._waiting and now >= self._tried + _REFRESH:
            self._tried = now
            self._listen()
        self._document = {**document, "unpublished": list(self._troubles)}
        if self._watchdog is not None and now >= self._fed + self._watchdog / 4:
            self._fed = now
            environment.notify_service_manager("WATCHDOG=1")
        summary = status_document.summarize(document)
        changed, self._status = summary != self._status, summary
        if changed:
            environment.notify_service_manager(f"STATUS={summary}")
        if self._textfile is not None and (changed or now >= self._written + _REFRESH):
            self._written = now
            if self._writer is None or not self._writer.is_alive():
                self._writer = Thread(target=self._write, args=(self._textfile,), daemon=True)
                self._writer.start()

    def end(self) -> None:
        """Close the listeners and remove the metrics file, which would be wrong from now on."""
        for listener in self._listeners:
            listener.close()
        if self._textfile is not None:
            last = Thread(target=self._remove, args=(self._textfile,), daemon=True)
            last.start()
            last.join(_LAST)

    def _listen(self) -> None:
        """Try to open the missing listeners; a failure must not stop the daemon."""
        found = [(attempt, self._opened(attempt)) for attempt in self._waiting]
        self._waiting = [attempt for attempt, trouble in found if trouble]
        troubles = [trouble for _, trouble in found if trouble]
        for trouble in troubles:
            if trouble not in self._troubles:
                self._log.warning("unpublished", reason=f"{trouble}; trying again")
        self._troubles = tuple(troubles)

    def _opened(self, attempt: Callable[[], Listener]) -> str:
        """Open a listener; return the error as a sentence, or an empty text."""
        try:
            self._listeners.append(attempt())
        except LvsdrError as error:
            return str(error)
        return ""

    def _socket(self, path: str) -> Listener:
        listener = listeners.at_path(path)
        requests.serve(listener, self._answer)
        return listener

    def _port(self, address: str, port: int) -> Listener:
        listener = listeners.at_port(address, port)
        requests.serve_http(listener, "/metrics", self._page)
        return listener

    def _answer(self) -> bytes:
        return json.dumps(status_document.with_ages(self._document)).encode()

    def _page(self) -> bytes:
        return status_document.format_metrics(status_document.with_ages(self._document)).encode()

    def _remove(self, path: str) -> None:
        if self._writer is not None:
            self._writer.join()
        with suppress(OSError):
            state.remove(path)

    def _write(self, path: str) -> None:
        try:
            state.replace(path, self._page().decode(), 0o644)
            self._unwritten = ""
        except OSError as error:
            reason = f"cannot write {path}: {error.strerror}"
            if reason != self._unwritten:
                self._log.warning("metrics", reason=reason)
            self._unwritten = reason


def remove_dead_sockets(directory: str) -> None:
    """Remove the sockets of daemons that were killed."""
    for path in _sockets(directory):
        with suppress(LvsdrError, OSError):
            if listeners.ask(path, _PATIENCE) is None:
                os.unlink(path)


def read_documents(directory: str) -> list[status_document.StatusDocument]:
    """Return the documents of the running daemons; raise LvsdrError."""
    answers = [listeners.ask(path, _PATIENCE) for path in _sockets(directory)]
    return [json.loads(answer) for answer in answers if answer]


def _sockets(directory: str) -> list[str]:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    return [os.path.join(directory, name) for name in names if name.endswith(_SUFFIX)]
