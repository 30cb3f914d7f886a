"""Queries of the installed crm_mon, with a file for a cluster, and other programs in its place."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lvsdr.errors import SourceUnavailable
from lvsdr.pacemaker.crm_mon import parse
from lvsdr.system import crm
from lvsdr.values.deadline import Deadline

from tests.unit.crm import cib
from tests.unit.descriptors import open_descriptors, require_none_left


@pytest.fixture(autouse=True)
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set a cluster, and check that no test leaves open descriptors or unreaped children."""
    monkeypatch.setenv("CIB_file", str(cib("steady")))
    before = open_descriptors()
    yield
    require_none_left(before)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.fixture
def crm_mon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a program that is found before the installed crm_mon."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path / "crm_mon"


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def soon() -> Deadline:
    return Deadline.after(20)


@pytest.mark.parametrize("begun", [True, False])
def test_a_snapshot(begun: bool) -> None:
    if begun:
        crm.begin()
    assert set(parse(crm.snapshot(soon())).nodes) == {"node1", "node2", "node3"}


def test_what_was_begun_is_used_once(crm_mon: Path, tmp_path: Path) -> None:
    program(crm_mon, f"echo run >>{tmp_path}/runs; cat {tmp_path}/runs")
    crm.begin()
    assert crm.snapshot(soon()) == b"run\n"
    assert crm.snapshot(soon()) == b"run\nrun\n"


def test_what_was_begun_and_is_not_needed_is_ended(crm_mon: Path) -> None:
    program(crm_mon, "sleep 60")
    crm.begin()
    start = time.monotonic()
    crm.abandon()
    crm.abandon()
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("begun", [True, False])
def test_no_crm_mon(begun: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if begun:
        crm.begin()
    with pytest.raises(SourceUnavailable) as raised:
        crm.snapshot(soon())
    assert str(raised.value) == ("crm_mon: crm_mon cannot be executed: No such file or directory")


@pytest.mark.parametrize("begun", [True, False])
def test_a_crm_mon_that_hangs(begun: bool, crm_mon: Path) -> None:
    program(crm_mon, "echo '<pacemaker-result>'; sleep 60")
    if begun:
        crm.begin()
    with pytest.raises(SourceUnavailable, match=r"^crm_mon: timed out after 0\.\d+ s$"):
        crm.snapshot(Deadline.after(0.2))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("exit 0", "exit status 0"),
        ("echo 'crm_mon: broken' >&2; exit 70", "exit status 70: crm_mon: broken"),
        ("kill -9 $$", "exit status 137"),
        ("yes", "printed more than 67108864 bytes"),
    ],
)
def test_a_crm_mon_that_fails(text: str, problem: str, crm_mon: Path) -> None:
    program(crm_mon, text)
    with pytest.raises(SourceUnavailable) as raised:
        crm.snapshot(soon())
    assert str(raised.value) == f"crm_mon: {problem}"


def test_no_time_left() -> None:
    with pytest.raises(SourceUnavailable) as raised:
        crm.snapshot(Deadline.after(0))
    assert str(raised.value) == "crm_mon: no time left for crm_mon"


def test_an_error_of_its_own_is_a_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of crm_mon itself is a document, too; only the parser decides its meaning."""
    monkeypatch.setenv("CIB_file", str(tmp_path / "missing.xml"))
    with pytest.raises(SourceUnavailable):
        parse(crm.snapshot(soon()))


def test_a_cluster_that_is_bigger_than_any(crm_mon: Path, tmp_path: Path) -> None:
    """A document of some 30,000 instances, more than any cluster has, is read as a whole."""
    document = tmp_path / "document"
    document.write_text("x" * 8 * 1024 * 1024)
    program(crm_mon, f"exec cat {document}")
    assert len(crm.snapshot(soon())) == 8 * 1024 * 1024


def test_the_configuration() -> None:
    assert crm.configuration(soon()).startswith(b"<configuration>")


def test_a_configuration_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIB_file", "/nowhere/cib.xml")
    with pytest.raises(SourceUnavailable, match=r"^cibadmin: exit status "):
        crm.configuration(soon())
