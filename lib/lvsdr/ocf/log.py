"""Logging like ocf_log and ocf_exit_reason of the resource agents' shell functions.

At a terminal, lines go to standard error.  Otherwise they go to syslog (HA_LOGFACILITY) and to the
file HA_LOGFILE, and debug lines to HA_DEBUGLOG.  If none of these is configured, lines go to
standard error.  No file is opened before the first line.  A line that cannot be written is dropped,
so that no action fails because of its log.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

from ..system import small_files
from ..values.safe_text import format_one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from ..system.syslog import Syslog

_FACILITIES = ("HA_LOGFACILITY", "HA_logfacility", "PCMK_logfacility")


class Log:
    """The log of one run of one agent.

    ``tag`` is ``agent(instance)[pid]``.  ``trace`` is a stream that gets every line, debug lines
    included, independently of the other settings.  ``device`` is the socket of syslog.
    """

    __slots__ = ("_device", "_environ", "_syslog", "_tag", "_trace", "reasons", "reasons_logged")

    def __init__(
        self,
        tag: str,
        environ: Mapping[str, str],
        trace: TextIO | None = None,
        device: str = "/dev/log",
    ) -> None:
        self._tag = format_one_line(environ.get("HA_LOGTAG") or tag)
        self._environ = environ
        self._trace = trace
        self._device = device
        self._syslog: Syslog | None = None
        self.reasons: tuple[str, ...] = ()
        """The last exit reasons."""
        self.reasons_logged = False

    def error(self, message: str) -> None:
        """Log the cause of a present or coming failure of an action."""
        self._log("ERROR", message)

    def warning(self, *messages: str) -> None:
        """Log problems for the operator."""
        for message in messages:
            self._log("WARNING", message)

    def info(self, *messages: str) -> None:
        """Log changes."""
        for message in messages:
            self._log("INFO", message)

    def debug(self, message: str) -> None:
        """Log a detail of a run; it is written only if debugging or tracing is on."""
        self._log("DEBUG", message)

    def exit_reason(self, *reasons: str, logged: bool = True) -> None:
        """Report the reasons of the exit code to Pacemaker and, if ``logged``, to the log.

        Pacemaker keeps only the last marked line (2.1: 128 bytes of it), so that line contains all
        ``reasons``.  Several reasons are also printed one by one, for human readers.
        """
        prefix = self._environ.get("OCF_EXIT_REASON_PREFIX") or "ocf-exit-reason:"
        lines = [format_one_line(reason) for reason in reasons]
        self.reasons, self.reasons_logged = tuple(lines), logged
        for line in lines if len(lines) > 1 else ():
            _write_line(sys.stderr, line)
        _write_line(sys.stderr, prefix + "; ".join(lines))
        for line in lines if logged else ():
            self._log("ERROR", line, on_stderr=True)

    def close(self) -> None:
        """Close the trace, if it is a file."""
        if self._trace is not None and self._trace is not sys.stderr:
            with suppress(OSError, ValueError):
                self._trace.close()
            self._trace = None

    def _log(self, level: str, message: str, *, on_stderr: bool = False) -> None:
        """Log each line of ``message``; ``on_stderr``: it is there already."""
        for line in message.splitlines():
            text = f"{level}: {format_one_line(line)}"
            if self._trace is not None and not (on_stderr and self._trace is sys.stderr):
                _write_line(self._trace, f"{time.strftime('%H:%M:%S')} {text}")
            if level != "DEBUG" or self._environ.get("HA_debug", "0") not in ("", "0"):
                self._deliver_line(level, text, on_stderr or self._trace is sys.stderr)

    def _deliver_line(self, level: str, text: str, on_stderr: bool) -> None:
        debug = level == "DEBUG"
        if os.isatty(0):
            if not on_stderr:
                _write_line(sys.stderr, f"{self._tag}: {text}")
            return
        logfile = self._environ.get("HA_DEBUGLOG" if debug else "HA_LOGFILE", "")
        debuglog = self._environ.get("HA_DEBUGLOG", "")
        facility = self._find_facility()
        if facility:
            self._write_to_syslog(facility, level, text)
        if logfile and not debug:
            _append_line(logfile, f"{self._format_date()} {self._tag}:    {text}")
        if debuglog and (debug or debuglog != logfile):
            _append_line(debuglog, f"{self._tag}:\t{self._format_date()}{text}")
        if not (facility or logfile or on_stderr):
            _write_line(sys.stderr, f"{self._format_date()}{text}")

    def _format_date(self) -> str:
        return time.strftime(self._environ.get("HA_DATEFMT") or "%b %d %T ")

    def _find_facility(self) -> str:
        for name in _FACILITIES:
            if self._environ.get(name):
                return "" if self._environ[name] == "none" else self._environ[name]
        return ""

    def _write_to_syslog(self, facility: str, level: str, text: str) -> None:
        with suppress(OSError, ImportError):  # an import needs a descriptor, too
            from ..system.syslog import Syslog

            if self._syslog is None:
                self._syslog = Syslog(self._tag, facility, self._device)
            self._syslog.write(level, text)


def _append_line(path: str, line: str) -> None:
    ignored_errors = suppress(OSError, ValueError)
    with (
        ignored_errors,
        open(path, "a", encoding="utf-8", opener=small_files.open_without_waiting) as stream,
    ):
        stream.write(line + "\n")


def _write_line(stream: TextIO, line: str) -> None:
    # AttributeError: sys.stderr is None in a process that was started without one.
    with suppress(OSError, ValueError, AttributeError):
        stream.write(line + "\n")
        stream.flush()
