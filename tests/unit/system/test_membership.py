"""Detection of a cluster on this host: crm_mon, and other programs in its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lvsdr.errors import SourceUnavailable
from lvsdr.pacemaker.crm_mon import parse
from lvsdr.system.membership import document
from lvsdr.values.deadline import Deadline

from tests.unit.crm import cib


def put(directory: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program in the place of crm_mon."""
    path = directory / "crm_mon"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")


def test_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIB_file", str(cib("steady")))
    found = document(Deadline.after(20))
    assert found is not None
    assert set(parse(found).nodes) == {"node1", "node2", "node3"}


def test_no_pacemaker_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert document(Deadline.after(20)) is None


def test_no_pacemaker_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "echo '<pacemaker-result/>'; exit 102", monkeypatch)
    assert document(Deadline.after(20)) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("echo no >&2; exit 4", "crm_mon: exit status 4: no"),
        ("exit 0", "crm_mon: exit status 0"),
        ("exec sleep 60", "crm_mon: timed out after 0."),
    ],
)
def test_a_cluster_that_does_not_say(
    text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, text, monkeypatch)
    deadline = Deadline.after(0.3 if "sleep" in text else 20)
    with pytest.raises(SourceUnavailable) as caught:
        document(deadline)
    assert str(caught.value).startswith(says)
