"""The bells, with real programs in the place of crm_mon."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lvsdr.watcher.bell import Ring, create_bell

if TYPE_CHECKING:
    from lvsdr.watcher.bell import Ring, StateBell

SOON = 10.0


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the program that is started as crm_mon."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "crm_mon"


@pytest.fixture
def of_cluster() -> Iterator[StateBell]:
    made = create_bell({})
    yield made
    made.end()


def crm_mon(program: Path, body: str) -> None:
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)


def listen(made: StateBell, seconds: float = SOON) -> Ring:
    """Read until nothing more comes for a moment; return the sign."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        ready, _, _ = select.select(made.descriptors, [], [], 0.3)
        if not ready:
            break
        for descriptor in ready:
            if descriptor in made.descriptors:
                made.read(descriptor)
    return made.take_ring()


def test_new_text_is_a_change_and_a_dot_an_event(
    program: Path, of_cluster: StateBell, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    crm_mon(program, f"exec cat {fifo}")
    of_cluster.tend(0.0)
    with fifo.open("w", buffering=1) as text:
        rung = []
        for state in ("node1 online\n", ".", "node1 online\n..", "node1 offline\n"):
            text.write(state)
            text.flush()
            rung.append(listen(of_cluster))
    assert rung == [Ring.CHANGE, Ring.EVENT, Ring.EVENT, Ring.CHANGE]


def test_an_end_is_noticed_and_tended(program: Path, of_cluster: StateBell) -> None:
    crm_mon(program, "echo what is --interval >&2; exit 1")
    of_cluster.tend(0.0)
    listen(of_cluster)
    assert of_cluster.descriptors == ()
    assert of_cluster.trouble == ""  # it may be better the next time
    of_cluster.tend(9.0)
    assert of_cluster.descriptors == ()
    of_cluster.tend(10.0)
    assert len(of_cluster.descriptors) == 2
    listen(of_cluster)
    assert of_cluster.trouble == "crm_mon has ended: what is --interval"
    crm_mon(program, "echo node1 online; exec sleep 60")
    of_cluster.tend(20.0)
    assert of_cluster.trouble
    assert listen(of_cluster) is Ring.CHANGE
    assert of_cluster.trouble == ""


def test_a_missing_program_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_cluster: StateBell
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    of_cluster.tend(0.0)
    of_cluster.tend(10.0)
    assert of_cluster.trouble == "crm_mon cannot be started: No such file or directory"
    assert of_cluster.descriptors == ()


def test_a_program_that_prints_for_ever_is_ended(program: Path, of_cluster: StateBell) -> None:
    crm_mon(program, "exec yes")
    for now in (0.0, 10.0):
        of_cluster.tend(now)
        listen(of_cluster, 60.0)
    assert of_cluster.trouble == "crm_mon prints without a pause"
    assert of_cluster.descriptors == ()


def test_the_file_of_a_cluster_rings_at_each_change(tmp_path: Path) -> None:
    path = tmp_path / "cib.xml"
    path.write_text("<cib/>")
    made = create_bell({"CIB_file": str(path)})
    rung = [made.take_ring()]
    for text in ("<cib/>", "<cib", ""):
        path.write_text(text)
        rung.append(made.take_ring())
    assert rung == [Ring.NOTHING, Ring.NOTHING, Ring.CHANGE, Ring.CHANGE]
