"""The agent as Pacemaker's own tools find it: installed where a user's would be."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = (
    Path("/usr/share/pcs/data/ocf-1.1.rng"),
    Path("/usr/share/pacemaker/api/ocf-ra-1.1.rng"),  # not in Debian 12's packages
)


AGENTS = Path("/usr/lib/ocf/resource.d")


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[None]:
    """``make install`` among the distribution's agents, as this mount namespace sees them."""
    shutil.copytree(AGENTS, tmp_path / "resource.d", symlinks=True)
    subprocess.run(["mount", "--bind", tmp_path / "resource.d", AGENTS], check=True)
    make = ["make", "-s", "-C", str(ROOT), f"PREFIX={tmp_path}/usr"]
    try:
        subprocess.run([*make, "install"], check=True)
        yield
        subprocess.run([*make, "uninstall"], check=True)
        assert not (AGENTS / "lvsdr").exists()
    finally:
        subprocess.run(["umount", AGENTS], check=True)


@pytest.mark.usefixtures("world", "installed")
def test_pcs_and_crm_resource_know_the_agent() -> None:
    described = _run("pcs", "resource", "describe", "ocf:lvsdr:lvsdr")
    assert described.startswith("ocf:lvsdr:lvsdr - LVS director: a virtual service whose real")
    assert "vip (required) (unique group: service)" in described
    assert re.search(r"^  realserver_dependent_role\b", described, re.MULTILINE)
    assert "heatbeat_file" not in described  # deprecated ones are shown with --full only
    assert "monitor:" in described
    assert "interval=5s" in described

    metadata = _run("crm_resource", "--show-metadata=ocf:lvsdr:lvsdr")
    schemas = [path for path in SCHEMAS if path.exists()]
    assert schemas
    for path in schemas:
        etree.RelaxNG(file=str(path)).assertValid(etree.fromstring(metadata.encode()))


@pytest.mark.usefixtures("world", "installed")
def test_crm_resource_validates_options() -> None:
    command = ["crm_resource", "--validate", "--class=ocf", "--provider=lvsdr", "--agent=lvsdr"]
    assert _code(*command, "--option=vip=10.77.0.100", "--option=port=5432") == 0
    assert _code(*command, "--option=vip=10.77.0.300", "--option=port=http") == 6


def _run(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def _code(*argv: str) -> int:
    return subprocess.run(argv, capture_output=True, check=False, env={**os.environ}).returncode
