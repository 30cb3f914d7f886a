"""Interfaces read through pyroute2, and notices of their changes; for one thread.

Importing pyroute2 costs a tenth of a second and 22 MB, so only a long-lived process does it.  All
functions used here behave alike in pyroute2 0.7 and 0.9.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import time
import warnings
from contextlib import ExitStack, suppress

from ...address.interfaces import LONGEST_NAME, Interface
from ...address.netlink_messages import build_interface, is_interrupted
from ...dependencies import from_package
from ...errors import LvsdrError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PACKAGE = "python3-pyroute2 in Debian, EL and Fedora"
_GROUPS = 0x1 | 0x10 | 0x100  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
_SKIP_STATISTICS = 8  # RTEXT_FILTER_SKIP_STATS (linux/rtnetlink.h)
_ATTEMPTS = 5
_LONGEST_TRUST = 10.0  # seconds for which the absence of notices is believed
_LONGEST_NOTICE = 1 << 16
_DESCRIPTORS = 8  # of one object of pyroute2, and some for other threads
_NO_NOTICES = "cannot watch the addresses of this host"


def load_pyroute2() -> Any:
    """Import and return pyroute2; raise NotInstalled or SourceUnavailable if that fails.

    Its messages have no place in our log: it logs them through ``logging`` and ``warnings``, and
    so does asyncio, which nothing else uses.
    """
    for name in ("pyroute2", "pr2modules", "asyncio"):
        logger = logging.getLogger(name)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
    with warnings.catch_warnings(), from_package(_PACKAGE):
        warnings.simplefilter("ignore")
        import pyroute2
    return pyroute2


class InterfaceReader:
    """Two sockets of netlink(7): one for questions, one for notices of changes."""

    def __init__(self) -> None:
        """Open both sockets; raise LvsdrError, with both closed."""
        self._pyroute2 = load_pyroute2()
        self._sockets: list[Any] = []
        self._noticed = False
        self._known: dict[str, tuple[float, Interface | None]] = {}
        try:
            self._questions, self._notices = self._open(), self._open()
            self._notices.bind(groups=_GROUPS)
            os.set_blocking(self._notices.fileno(), False)
        except Exception as error:
            self.close()
            raise LvsdrError(f"{_NO_NOTICES}: {_describe(error)}") from None

    def close(self) -> None:
        """Close both sockets."""
        for each in self._sockets:
            with suppress(Exception):  # a socket that failed may fail again
                each.close()
        self._sockets.clear()

    def fileno(self) -> int:
        """Return the descriptor that is readable after a change."""
        descriptor: int = self._notices.fileno()
        return descriptor

    def take_notices(self) -> bool:
        """Return whether there was any notice since the last call; raise LvsdrError."""
        self._drain()
        noticed, self._noticed = self._noticed, False
        return noticed

    def read(self, name: str) -> Interface | None:
        """Return the interface with this name or alternative name; None without one.

        Without a notice since, the answer is the last one for the same name, for some seconds: the
        kernel sends the notice of a change before it reports success.  Raise LvsdrError if the
        kernel gives no answer.
        """
        self._drain()
        expiry, interface = self._known.get(name, (0.0, None))
        if time.monotonic() >= expiry:
            interface = self._ask(name)
        return interface

    def _ask(self, name: str) -> Interface | None:
        """Ask the kernel; a list of addresses that changed while it was read is read again."""
        for attempt in range(1, _ATTEMPTS + 1):
            self._drain()
            asked_at = time.monotonic()
            try:
                link = self._ask_for_link(name)
                addresses = () if link is None else tuple(self._questions.get_addr())
            except self._pyroute2.NetlinkDumpInterrupted:  # 0.7 raises it, 0.9 does not
                continue
            except Exception as error:
                reason = f"the kernel does not describe {name}: {_describe(error)}"
                raise LvsdrError(reason) from None
            # pyroute2 0.9 hides the flag of the message that ends a list: a notice counts as well.
            # On a host where changes never stop, the last notice causes another call of this.
            changed, complete = self._drain(), not is_interrupted(addresses)
            if complete and (not changed or attempt == _ATTEMPTS):
                interface = None if link is None else build_interface(link, addresses)
                if not changed:
                    self._known[name] = (asked_at + _LONGEST_TRUST, interface)
                return interface
        raise LvsdrError("the addresses of this host do not stop changing")

    def _drain(self) -> bool:
        """Remove all notices; return whether there was any.  Raise LvsdrError.

        They are not decoded: any of them, or their loss, means that the state is read anew.
        """
        found = False
        while True:
            try:
                if not os.read(self.fileno(), _LONGEST_NOTICE):
                    raise LvsdrError(f"{_NO_NOTICES}: the socket is closed")
            except BlockingIOError:
                return found
            except OSError as error:
                # ENOBUFS: the kernel had more notices than the socket holds.
                if error.errno != errno.ENOBUFS:
                    raise LvsdrError(f"{_NO_NOTICES}: {_describe(error)}") from None
            found = self._noticed = True
            self._known.clear()

    def _open(self) -> Any:
        """Open a socket; raise OSError if that is impossible.

        pyroute2 0.7 loses descriptors if it cannot have a socket, so a test precedes the attempt.
        """
        with ExitStack() as stack:
            family, kind = socket.AF_NETLINK, socket.SOCK_RAW
            wire = stack.enter_context(socket.socket(family, kind, socket.NETLINK_ROUTE))
            for _ in range(_DESCRIPTORS):
                stack.callback(os.close, os.dup(wire.fileno()))
        self._sockets.append(self._pyroute2.IPRoute())
        return self._sockets[-1]

    def _ask_for_link(self, name: str) -> Any:
        """Return the message that describes an interface; None if it does not exist."""
        kind = "ifname" if len(name) <= LONGEST_NAME else "altname"
        try:
            # Statistics, and the virtual functions that pyroute2 wants by default, are long.
            found = self._questions.link("get", ext_mask=_SKIP_STATISTICS, **{kind: name})
            return next(iter(tuple(found)))  # no reply stays in the socket
        except self._pyroute2.NetlinkError as error:
            if error.code in (errno.ENODEV, errno.EINVAL):  # EINVAL: Linux without such names
                return None
            raise


def _describe(error: Exception) -> str:
    """Return the reason of an error of pyroute2, or of the kernel."""
    code = getattr(error, "code", None) or getattr(error, "errno", None)
    return os.strerror(code) if isinstance(code, int) else f"{type(error).__name__}: {error}"
