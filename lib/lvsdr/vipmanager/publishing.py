"""What others see of the daemon: the service manager, those who ask, and Prometheus."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from threading import Thread

from ..errors import LvsdrError
from ..system import notify, serving, state
from ..system.serving import Listener
from . import report
from .configuration import Configuration
from .log import Log

_SUFFIX = ".sock"
_REFRESH = 10.0  # seconds after which the file of metrics is written even if nothing changed
_LAST = 1.0  # seconds to remove that file at the end
_PATIENCE = 5.0  # seconds for a daemon to answer


class Publisher:
    """Tells what it was told last; ``due`` says when it wants to be told again."""

    def __init__(self, configuration: Configuration, log: Log) -> None:
        self._log = log
        self._directory = configuration.run_directory
        self._textfile = configuration.metrics_textfile
        self._watchdog = notify.watchdog()
        self._document: report.Document = {}
        self._status = ""
        self._metrics = ""
        self._written = 0.0
        self._fed = 0.0
        self._writer: Thread | None = None  # the file may be on a disk that does not answer
        path = os.path.join(self._directory, f"{os.getpid()}{_SUFFIX}")
        sweep(self._directory)
        self._listeners = [serving.at_path(path)]
        if configuration.metrics_listen is not None:
            self._listeners.append(serving.at_port(*configuration.metrics_listen))

    @property
    def due(self) -> float:
        """When to publish again at the latest, on the monotonic clock."""
        feed = float("inf") if self._watchdog is None else self._fed + self._watchdog / 2
        return min(feed, self._written + _REFRESH if self._textfile else float("inf"))

    def begin(self, document: report.Document) -> None:
        """Answer from now on; there is something to tell."""
        self.publish(document)
        status, *metrics = self._listeners
        serving.serve(status, self._answer)
        for listener in metrics:
            serving.serve_http(listener, "/metrics", self._page)

    def publish(self, document: report.Document) -> None:
        self._document = document
        now = time.monotonic()
        if self._watchdog is not None and now >= self._fed + self._watchdog / 4:
            self._fed = now
            notify.tell("WATCHDOG=1")
        summary = report.summary(document)
        changed, self._status = summary != self._status, summary
        if changed:
            notify.tell(f"STATUS={summary}")
        if self._textfile is not None and (changed or now >= self._written + _REFRESH):
            self._written = now
            if self._writer is None or not self._writer.is_alive():
                self._writer = Thread(target=self._write, args=(self._textfile,), daemon=True)
                self._writer.start()

    def end(self) -> None:
        """Nobody is answered any more; the file of metrics goes, for it would be wrong."""
        listener: Listener
        for listener in self._listeners:
            listener.close()
        if self._textfile is not None:
            last = Thread(target=self._remove, args=(self._textfile,), daemon=True)
            last.start()
            last.join(_LAST)

    def _answer(self) -> bytes:
        return json.dumps(report.aged(self._document)).encode()

    def _page(self) -> bytes:
        return report.metrics(report.aged(self._document)).encode()

    def _remove(self, path: str) -> None:
        if self._writer is not None:
            self._writer.join()
        with suppress(OSError):
            state.remove(path)

    def _write(self, path: str) -> None:
        try:
            state.replace(path, self._page().decode(), 0o644)
        except OSError as error:
            self._log.warning("metrics", reason=f"cannot write {path}: {error.strerror}")


def sweep(directory: str) -> None:
    """Remove the sockets of daemons that were killed."""
    for path in _sockets(directory):
        with suppress(LvsdrError, OSError):
            if serving.ask(path, _PATIENCE) is None:
                os.unlink(path)


def running(directory: str) -> list[report.Document]:
    """What the daemons that are running tell of themselves; raises LvsdrError."""
    answers = [serving.ask(path, _PATIENCE) for path in _sockets(directory)]
    return [json.loads(answer) for answer in answers if answer]


def _sockets(directory: str) -> list[str]:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    return [os.path.join(directory, name) for name in names if name.endswith(_SUFFIX)]
