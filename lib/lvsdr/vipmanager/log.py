"""The log: one line for each change, with an event and its facts, for people and programs."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

from ..system.daemon.line_writer import LineWriter
from .option_parsers import LEVELS

_PRIORITIES = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3}  # sd-daemon(3)
_PLAIN = re.compile(r"[^\s\"=\\]+")


class DaemonLog:
    """A log for a descriptor, with lines of a level or above.

    A call never blocks.  Lines that cannot be written in time are counted, and the number is logged
    afterwards.
    """

    def __init__(
        self, level: str = "INFO", form: str = "text", descriptor: int | None = None
    ) -> None:
        self.adjust(level, form)
        target = _find_stderr() if descriptor is None else descriptor
        self._journal = _is_the_journal(target)
        self._writer = LineWriter(target, self._build_loss_line)

    def adjust(self, level: str, form: str) -> None:
        """Write lines of this level or above from now on, in this form."""
        self._level = LEVELS.index(level)
        self._form = form

    def debug(self, event: str, **facts: object) -> None:
        self._write("DEBUG", event, facts)

    def info(self, event: str, **facts: object) -> None:
        """Log a change."""
        self._write("INFO", event, facts)

    def warning(self, event: str, **facts: object) -> None:
        """Log a problem that an operator should look at."""
        self._write("WARNING", event, facts)

    def error(self, event: str, **facts: object) -> None:
        """Log a failure."""
        self._write("ERROR", event, facts)

    def flush(self, seconds: float) -> bool:
        """Wait until all lines are written, for ``seconds`` at most; return whether all are."""
        return self._writer.flush(seconds)

    def _write(self, level: str, event: str, facts: Mapping[str, object]) -> None:
        if LEVELS.index(level) >= self._level:
            self._writer.write(self._build_line(level, event, facts))

    def _build_loss_line(self, number: int) -> str:
        reason = "the log could not be written in time"
        return self._build_line("WARNING", "log", {"lost": number, "reason": reason})

    def _build_line(self, level: str, event: str, facts: Mapping[str, object]) -> str:
        filled_facts = {name: fact for name, fact in facts.items() if fact != ""}
        if not self._journal and self._form == "json":
            filled_facts = {"time": _format_time(), **filled_facts}
        text = format_line(self._form, level, event, filled_facts)
        if self._journal:
            text = f"<{_PRIORITIES[level]}>{text}"
        elif self._form == "text":
            text = f"{_format_time()} {text}"
        return text


def _find_stderr() -> int | None:
    """Return the descriptor of standard error; None if it was closed.

    The number of a closed descriptor may belong to another file.
    """
    with suppress(OSError, ValueError):
        return None if sys.stderr is None else sys.stderr.fileno()
    return None


def _is_the_journal(descriptor: int | None) -> bool:
    """Return whether lines go to systemd's journal, which adds the time (systemd.exec(5))."""
    with suppress(OSError):
        status = os.fstat(-1 if descriptor is None else descriptor)
        return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
    return False


def _format_time() -> str:
    """Return the time of day in milliseconds (RFC 3339)."""
    now = time.time()
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03}Z"


def format_line(form: str, level: str, event: str, facts: Mapping[str, object]) -> str:
    """Return a line of the log, without its time.

    >>> format_line("text", "INFO", "taken", {"address": "10.9.0.20/24", "reason": "it leads"})
    'INFO taken address=10.9.0.20/24 reason="it leads"'
    >>> format_line("json", "INFO", "taken", {"address": "10.9.0.20/24"})
    '{"level": "INFO", "event": "taken", "address": "10.9.0.20/24"}'
    """
    if form == "json":
        return json.dumps({"level": level, "event": event, **_flatten_facts(facts)})
    pairs = (f"{name}={_quote(value)}" for name, value in _flatten_facts(facts).items())
    return " ".join([level, event, *pairs])


def _flatten_facts(facts: Mapping[str, object]) -> dict[str, str]:
    return {name: " ".join(str(value).split()) for name, value in facts.items()}


def _quote(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
