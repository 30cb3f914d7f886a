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
_REMOVAL = 1.0  # seconds to remove the metrics file at the end
_PATIENCE = 5.0  # seconds for a daemon to answer


class StatusPublisher:
    """A publisher of the latest document; ``due`` is the time of the next publication."""

    def __init__(self, configuration: Configuration, log: DaemonLog) -> None:
        self._log = log
        self._directory = configuration.run_directory
        self._textfile = configuration.metrics_textfile
        self._watchdog = environment.read_watchdog_interval()
        self._document: status_document.StatusDocument = {}
        self._summary = ""
        self._metrics_written_at = 0.0
        self._watchdog_fed_at = 0.0
        self._metrics_problem = ""
        self._writer: Thread | None = None  # a thread, because the file's disk may not respond
        path = os.path.join(self._directory, f"{os.getpid()}{_SUFFIX}")
        remove_dead_sockets(self._directory)
        self._open_attempts: list[Callable[[], Listener]] = [lambda: self._open_socket(path)]
        if configuration.metrics_listen is not None:
            address, port = configuration.metrics_listen
            self._open_attempts.append(lambda: self._open_port(address, port))
        self._listeners: list[Listener] = []
        self._troubles: tuple[str, ...] = ()
        self._open_tried_at = -inf

    @property
    def due(self) -> float:
        """Return the latest time of the next publication, on the monotonic clock."""
        next_feed = inf if self._watchdog is None else self._watchdog_fed_at + self._watchdog / 2
        next_write = self._metrics_written_at + _REFRESH if self._textfile else inf
        return min(
            next_feed, next_write, self._open_tried_at + _REFRESH if self._open_attempts else inf
        )

    def publish(self, document: status_document.StatusDocument) -> None:
        """Publish the document where that is due, and answer queries with it from now on."""
        now = time.monotonic()
        if self._open_attempts and now >= self._open_tried_at + _REFRESH:
            self._open_tried_at = now
            self._open_listeners()
        self._document = {**document, "unpublished": list(self._troubles)}
        if self._watchdog is not None and now >= self._watchdog_fed_at + self._watchdog / 4:
            self._watchdog_fed_at = now
            environment.notify_service_manager("WATCHDOG=1")
        summary = status_document.summarize(document)
        is_changed, self._summary = summary != self._summary, summary
        if is_changed:
            environment.notify_service_manager(f"STATUS={summary}")
        if self._textfile is not None and (
            is_changed or now >= self._metrics_written_at + _REFRESH
        ):
            self._metrics_written_at = now
            if self._writer is None or not self._writer.is_alive():
                self._writer = Thread(
                    target=self._write_metrics_file, args=(self._textfile,), daemon=True
                )
                self._writer.start()

    def end(self) -> None:
        """Close the listeners and remove the metrics file, which would be wrong from now on."""
        for listener in self._listeners:
            listener.close()
        if self._textfile is not None:
            remover = Thread(target=self._remove_metrics_file, args=(self._textfile,), daemon=True)
            remover.start()
            remover.join(_REMOVAL)

    def _open_listeners(self) -> None:
        """Try to open the missing listeners; a failure must not stop the daemon."""
        results = [(attempt, self._try_open(attempt)) for attempt in self._open_attempts]
        self._open_attempts = [attempt for attempt, trouble in results if trouble]
        troubles = [trouble for _, trouble in results if trouble]
        for trouble in troubles:
            if trouble not in self._troubles:
                self._log.warning("unpublished", reason=f"{trouble}; trying again")
        self._troubles = tuple(troubles)

    def _try_open(self, attempt: Callable[[], Listener]) -> str:
        """Open a listener; return the error as a sentence, or an empty text."""
        try:
            self._listeners.append(attempt())
        except LvsdrError as error:
            return str(error)
        return ""

    def _open_socket(self, path: str) -> Listener:
        listener = listeners.open_unix_socket(path)
        requests.serve_unix(listener, self._build_status_reply)
        return listener

    def _open_port(self, address: str, port: int) -> Listener:
        listener = listeners.open_port(address, port)
        requests.serve_http(listener, "/metrics", self._build_metrics_page)
        return listener

    def _build_status_reply(self) -> bytes:
        return json.dumps(status_document.add_ages(self._document)).encode()

    def _build_metrics_page(self) -> bytes:
        return status_document.format_metrics(status_document.add_ages(self._document)).encode()

    def _remove_metrics_file(self, path: str) -> None:
        if self._writer is not None:
            self._writer.join()
        with suppress(OSError):
            state.remove(path)

    def _write_metrics_file(self, path: str) -> None:
        try:
            state.replace(path, self._build_metrics_page().decode(), 0o644)
            self._metrics_problem = ""
        except OSError as error:
            reason = f"cannot write {path}: {error.strerror}"
            if reason != self._metrics_problem:
                self._log.warning("metrics", reason=reason)
            self._metrics_problem = reason


def remove_dead_sockets(directory: str) -> None:
    """Remove the sockets of daemons that were killed."""
    for path in _list_sockets(directory):
        with suppress(LvsdrError, OSError):
            if listeners.query_socket(path, _PATIENCE) is None:
                os.unlink(path)


def read_documents(directory: str) -> list[status_document.StatusDocument]:
    """Return the documents of the running daemons; raise LvsdrError."""
    answers = [listeners.query_socket(path, _PATIENCE) for path in _list_sockets(directory)]
    return [json.loads(answer) for answer in answers if answer]


def _list_sockets(directory: str) -> list[str]:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    return [os.path.join(directory, name) for name in names if name.endswith(_SUFFIX)]
