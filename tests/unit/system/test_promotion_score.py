"""The promotion score: the call of crm_attribute, and the message if that fails."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from lvsdr.errors import SourceUnavailable
from lvsdr.system.crm import set_promotion_score
from lvsdr.values.deadline import Deadline

from tests.unit.crm import cib


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a cluster that is a file and has this host as a node."""
    file = tmp_path / "cib.xml"
    name = subprocess.run(["uname", "-n"], capture_output=True, text=True, check=True).stdout
    file.write_text(cib("steady").read_text().replace('"node1"', f'"{name.strip()}"'))
    monkeypatch.setenv("CIB_file", str(file))
    return file


def stored(cluster: Path) -> list[str]:
    """Return the values of the promotion score in the cluster."""
    words = cluster.read_text().split("<nvpair ")
    return [word.split('value="')[1].split('"')[0] for word in words if "-leader-vip" in word]


def test_a_score_is_set_changed_and_removed(cluster: Path) -> None:
    for score in (1000, 10):
        set_promotion_score("leader-vip", score, Deadline.after(20))
        assert stored(cluster) == [str(score)]
    set_promotion_score("leader-vip", None, Deadline.after(20))
    assert stored(cluster) == []
    set_promotion_score("leader-vip", None, Deadline.after(20))


def test_without_a_cluster_the_score_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIB_file", "/nowhere/cib.xml")
    with pytest.raises(SourceUnavailable, match=r"^promotion score not set: "):
        set_promotion_score("leader-vip", 1000, Deadline.after(20))


def test_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceUnavailable, match="crm_attribute cannot be executed: No such file"):
        set_promotion_score("leader-vip", 1000, Deadline.after(20))
