"""The installed agent as Pacemaker's own tools find it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from tests.support.paths import ROOT

SCHEMAS = (
    Path("/usr/share/pcs/data/ocf-1.1.rng"),
    Path("/usr/share/pacemaker/api/ocf-ra-1.1.rng"),  # not in Debian 12's packages
)


AGENTS = Path("/usr/lib/ocf/resource.d")


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[None]:
    """Run ``make install`` into the distribution's agents, as this mount namespace sees them."""
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


def files(directory: Path) -> dict[Path, bytes]:
    """Return the contents of all files below a directory."""
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("already", "renamed"),
    [
        (False, "usr/lib/lvsdr/.installed.new"),
        (False, "usr/lib/lvsdr/replaced/usr/bin/.vip-manager.new"),
        (False, "usr/bin/.vip-manager.new"),
        (True, "usr/lib/lvsdr/.new"),
        (True, "usr/share/man/man1/.vip-manager.1.new"),
    ],
)
def test_an_installation_that_is_killed_loses_no_file(
    tmp_path: Path, already: bool, renamed: str
) -> None:
    """After a kill at one of its renames, a second install and uninstall find every file."""
    tool, page = tmp_path / "usr/bin/vip-manager", tmp_path / "usr/share/man/man1/vip-manager.1"
    for path in (tool, page):
        path.parent.mkdir(parents=True)
        path.write_text("of another package")
    before = files(tmp_path)
    make = ["make", "-s", "-C", str(ROOT), f"DESTDIR={tmp_path}"]
    if already:
        subprocess.run([*make, "install"], check=True)
    only = ["-P", str(tmp_path / renamed), "-e", "inject=rename:signal=KILL"]
    assert _code("strace", "-f", "-o", "/dev/null", *only, *make, "install") != 0
    for path in before:
        kept = tmp_path / "usr/lib/lvsdr/replaced" / path.relative_to(tmp_path)
        assert b"of another package" in {files(tmp_path).get(place) for place in (path, kept)}
    subprocess.run([*make, "install"], check=True)
    assert tool.read_text().startswith("#!/usr/bin/python3")
    subprocess.run([*make, "uninstall"], check=True)
    assert files(tmp_path) == before


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", tmp_path], check=True)
    try:
        make = ["make", "-s", "-C", str(ROOT), f"DESTDIR={tmp_path}", "install"]
        failed = subprocess.run(make, check=False, capture_output=True, text=True)
        assert failed.returncode != 0
        assert "No space left on device (nothing has been changed)" in failed.stderr
        assert list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_user_without_permission_gets_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make = ["make", "-s", "-C", str(ROOT), f"DESTDIR={tmp_path}", "install"]
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *make]
    failed = subprocess.run(user, check=False, capture_output=True, text=True)
    assert failed.returncode != 0
    assert "Permission denied (nothing has been changed; be root, or set" in failed.stderr
    assert list(tmp_path.iterdir()) == []


def _run(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def _code(*argv: str) -> int:
    return subprocess.run(argv, capture_output=True, check=False, env={**os.environ}).returncode
