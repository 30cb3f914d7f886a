"""Messages to the service manager, and capabilities of a process."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from lvsdr.system.daemon.environment import (
    find_missing_capabilities,
    notify_service_manager,
    programs_may_change_addresses,
    read_watchdog_interval,
)


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_a_notification_arrives(abstract: bool, tmp_path: Path) -> None:
    name = f"@lvsdr-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if abstract else name)
        manager.settimeout(10)
        notify_service_manager("READY=1", "STATUS=x y", environ={"NOTIFY_SOCKET": name})
        assert manager.recv(100) == b"READY=1\nSTATUS=x y"


@pytest.mark.parametrize("where", ["", "relative", "/nosuch/socket", "@nosuch-lvsdr"])
def test_a_missing_service_manager_is_no_error(where: str) -> None:
    notify_service_manager("READY=1", environ={"NOTIFY_SOCKET": where})


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
def test_the_watchdog_interval_is_for_this_process(
    environ: dict[str, str], seconds: float | None
) -> None:
    assert read_watchdog_interval(environ) == seconds


@pytest.mark.parametrize(
    ("mask", "names"),
    [
        ("0000000000000000", ["CAP_NET_ADMIN", "CAP_NET_RAW"]),
        ("000001ffffffffff", []),
        ("0000000000003000", []),
        ("0000000000001000", ["CAP_NET_RAW"]),
        ("0000000000002000", ["CAP_NET_ADMIN"]),
    ],
)
def test_missing_capabilities_have_names(mask: str, names: list[str], tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text(f"Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t{mask}\n")
    assert find_missing_capabilities(str(status)) == names


@pytest.mark.parametrize(
    ("uid", "ambient", "may"),
    [
        ("0", "0000000000000000", True),
        ("1000", "0000000000000000", False),
        ("1000", "0000000000002000", False),
        ("1000", "0000000000001000", True),
    ],
    ids=["root", "setcap", "another capability", "ambient"],
)
def test_programs_get_capabilities_of_root_or_ambient_ones(
    uid: str, ambient: str, may: bool, tmp_path: Path
) -> None:
    status = tmp_path / "status"
    lines = (f"Uid:\t1000\t{uid}\t0\t0", "CapEff:\t0000000000003000", f"CapAmb:\t{ambient}")
    status.write_text("Name:\tx\n" + "\n".join(lines) + "\n")
    assert programs_may_change_addresses(str(status)) is may


def test_this_process_may_lack_both_capabilities() -> None:
    assert set(find_missing_capabilities()) <= {"CAP_NET_ADMIN", "CAP_NET_RAW"}
