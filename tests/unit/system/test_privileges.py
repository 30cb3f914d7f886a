"""Capabilities of a process."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.system.privileges import missing, programs_may_change_addresses


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
def test_what_is_missing(mask: str, names: list[str], tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text(f"Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t{mask}\n")
    assert missing(str(status)) == names


@pytest.mark.parametrize(
    ("uid", "ambient", "may"),
    [
        ("0", "0000000000000000", True),
        ("1000", "0000000000000000", False),
        ("1000", "0000000000002000", False),
        ("1000", "0000000000001000", True),
    ],
    ids=["root", "setcap", "the other one", "ambient"],
)
def test_what_programs_get(uid: str, ambient: str, may: bool, tmp_path: Path) -> None:
    status = tmp_path / "status"
    lines = (f"Uid:\t1000\t{uid}\t0\t0", "CapEff:\t0000000000003000", f"CapAmb:\t{ambient}")
    status.write_text("Name:\tx\n" + "\n".join(lines) + "\n")
    assert programs_may_change_addresses(str(status)) is may


def test_of_this_process() -> None:
    assert set(missing()) <= {"CAP_NET_ADMIN", "CAP_NET_RAW"}
