"""Messages to the service manager."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from lvsdr.system.daemon.notify import tell, watchdog


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_what_is_told_arrives(abstract: bool, tmp_path: Path) -> None:
    name = f"@lvsdr-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if abstract else name)
        manager.settimeout(10)
        tell("READY=1", "STATUS=x y", environ={"NOTIFY_SOCKET": name})
        assert manager.recv(100) == b"READY=1\nSTATUS=x y"


@pytest.mark.parametrize("where", ["", "relative", "/nosuch/socket", "@nosuch-lvsdr"])
def test_nobody_need_be_there(where: str) -> None:
    tell("READY=1", environ={"NOTIFY_SOCKET": where})


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "10000000"}, 10.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "x"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_a_watchdog_may_be_waiting(environ: dict[str, str], seconds: float | None) -> None:
    assert watchdog(environ) == seconds
