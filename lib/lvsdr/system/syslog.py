"""The system's log, by its socket: syslog(3) waits for ever when the log is not read.

A stop would time out then, and the node would be fenced, because a journal hangs.
"""

from __future__ import annotations

import time

DEVICE = "/dev/log"
_PATIENCE = 1.0  # seconds for all lines of a run together: a reader that is alive is faster
_SEVERITIES = {"ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}  # RFC 5424, section 6.2.1
_FACILITIES = ("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron")
_LOCAL = 16  # local0 to local7; programs may not use the other facilities
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Syslog:
    """The log of one facility; lines that it does not take in time are lost."""

    def __init__(self, tag: str, facility: str, device: str = DEVICE) -> None:
        self._tag = tag
        self._facility = _find_facility_number(facility)
        self._device = device
        self._time_left = _PATIENCE

    def write(self, level: str, text: str) -> None:
        """Send a line; raise OSError if it is lost."""
        import _socket  # not socket, whose import costs more; see system/resolver.py

        began = time.monotonic()
        wire = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
        try:
            wire.settimeout(max(self._time_left, 0.0))
            wire.connect(self._device)
            wire.send(self._format_line(level, text).encode("utf-8", "backslashreplace"))
        finally:
            wire.close()
            self._time_left -= time.monotonic() - began

    def _format_line(self, level: str, text: str) -> str:
        """Return the line as syslog(3) sends it (RFC 3164, section 4.1, without the host)."""
        now = time.localtime()
        date = f"{_MONTHS[now.tm_mon - 1]} {now.tm_mday:2} {time.strftime('%H:%M:%S', now)}"
        return f"<{self._facility * 8 + _SEVERITIES[level]}>{date} {self._tag}: {text}"


def _find_facility_number(facility: str) -> int:
    """Return the number of a facility; the number of daemon for an unknown facility.

    >>> [_find_facility_number(name) for name in ("user", "local3", "LOCAL0", "local8", "nonsense")]
    [1, 19, 16, 3, 3]
    """
    name = facility.lower()
    if name[:5] == "local" and name[5:] in tuple("01234567"):
        return _LOCAL + int(name[5:])
    return _FACILITIES.index(name if name in _FACILITIES else "daemon")
