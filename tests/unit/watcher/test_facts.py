"""Files of facts: what was written reads the same; anything else holds no facts."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.system.process.identity import Process
from lvsdr.watcher.control import Record, read_record, store_record
from lvsdr.watcher.facts import build_paths, digest_parameters
from lvsdr.watcher.last_cycle import (
    CheckTarget,
    LastCycle,
    Timing,
    read_cycle,
    replace_timing,
    store_cycle,
)

CYCLE = LastCycle(
    version="1.0",
    names=("vip", "port"),
    digest="ab12",
    timing=Timing("30000", "5000"),
    file="1700000000000000000 12 1 2",
    began=12.25,
    ended=12.5,
    wall=1700000000,
    caller="reconcile",
    code=190,
    due=17.25,
    bell_trouble="crm_mon has ended: no message",
    reasons=("node1: out of sight", "no address"),
    block=("TCP 0A4D0064:1538 rr", "-> 0A4D0015:1538 Route 1"),
    rows=("node1\t10.77.0.21\tIN\t1\t1\tlisted",),
    targets=(CheckTarget("node1", "10.77.0.21", False), CheckTarget("node2", "fd77::22", True)),
)


@pytest.mark.parametrize(
    "cycle",
    [CYCLE, CYCLE._replace(due=None, bell_trouble="", reasons=(), block=(), rows=(), targets=())],
)
def test_a_stored_cycle_reads_the_same(cycle: LastCycle, tmp_path: Path) -> None:
    path = tmp_path / "cycle"
    store_cycle(str(path), cycle)
    assert read_cycle(str(path)) == cycle
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_stored_record_reads_the_same(tmp_path: Path) -> None:
    record = Record(Process(4711, 123456), 98.5)
    store_record(str(tmp_path / "watcher"), record)
    assert read_record(str(tmp_path / "watcher")) == record


def test_a_file_of_another_kind_or_boot_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cycle"
    store_cycle(str(path), CYCLE)
    assert read_record(str(path)) is None
    header, _, rest = path.read_text().partition("\n")
    path.write_text(f"{header[:-1]}?\n{rest}")
    assert read_cycle(str(path)) is None


@pytest.mark.parametrize("lost", ["version", "digest", "timing", "began", "code"])
def test_a_file_without_a_fact_holds_nothing(lost: str, tmp_path: Path) -> None:
    path = tmp_path / "cycle"
    store_cycle(str(path), CYCLE)
    lines = [line for line in path.read_text().splitlines() if not line.startswith(lost)]
    path.write_text("\n".join([*lines, ""]))
    assert read_cycle(str(path)) is None


@pytest.mark.parametrize("text", ["", "\n", "nonsense", "cycle of boot x\nversion 1"])
def test_other_texts_hold_no_cycle(text: str, tmp_path: Path) -> None:
    (tmp_path / "cycle").write_text(text)
    assert read_cycle(str(tmp_path / "cycle")) is None
    assert read_cycle(str(tmp_path / "missing")) is None


def test_the_digest_covers_parameters_and_the_cluster() -> None:
    names = ("vip", "port")
    environ = {"OCF_RESKEY_vip": "10.77.0.100", "OCF_RESKEY_CRM_meta_timeout": "1"}
    digest = digest_parameters(environ, names)
    assert digest == digest_parameters({**environ, "OCF_RESKEY_CRM_meta_timeout": "2"}, names)
    for change in (
        {"OCF_RESKEY_vip": "10.77.0.101"},
        {"OCF_RESKEY_port": "5432"},
        {"CIB_file": "/x"},
        {"CIB_shadow": "test"},
    ):
        assert digest_parameters({**environ, **change}, names) != digest


def test_a_cycle_gets_the_timing_of_the_monitor() -> None:
    environ = replace_timing({"OCF_RESKEY_CRM_meta_timeout": "60000"}, Timing("20000", "5000"))
    assert environ["OCF_RESKEY_CRM_meta_timeout"] == "20000"
    assert environ["OCF_RESKEY_CRM_meta_interval"] == "5000"


def test_the_name_of_the_socket_is_short() -> None:
    environ = {"HA_RSCTMP": "/run/resource-agents", "OCF_RESOURCE_INSTANCE": "x" * 200}
    files = build_paths(environ, "lvsdr")
    assert len(files.socket) < 108
    assert files.cycle == f"/run/resource-agents/lvsdr-{'x' * 200}.cycle"
    assert files.socket != build_paths({**environ, "OCF_RESOURCE_INSTANCE": "y"}, "lvsdr").socket
