"""`tests/setup` installs no more than needed, and names missing packages in one line."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

SETUP = ROOT / "tests" / "setup"


def setup(*arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    """Run tests/setup with only these programs in PATH."""
    command = ["/bin/bash", str(SETUP), *arguments]
    return subprocess.run(
        command, env={"PATH": path}, check=False, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("verb", ["demo", "check", "all"])
def test_without_apt_the_packages_are_named_in_one_line(tmp_path: Path, verb: str) -> None:
    dirname = shutil.which("dirname")
    assert dirname
    (tmp_path / "dirname").symlink_to(dirname)
    completed = setup(verb, path=str(tmp_path))
    (line,) = completed.stderr.splitlines()
    assert completed.returncode == 1
    assert line.startswith("setup: this is no Debian (no apt-get); install by hand: python3")
    assert ("ipvsadm" in line) == (verb != "check")
    assert ("corosync" in line) == (verb == "all")


def test_an_unknown_verb_gets_the_usage() -> None:
    completed = setup("demos", path="/usr/bin:/bin")
    assert completed.returncode == 1
    assert completed.stderr == "setup: usage: tests/setup [demo|check|versions]\n"


def test_the_demo_installs_its_packages_and_no_virtual_environment() -> None:
    make = ["make", "-C", str(ROOT), "--no-print-directory", "--dry-run", "demo"]
    recipe = subprocess.run(make, check=True, capture_output=True, text=True).stdout
    assert recipe.split() == ["tests/setup", "demo", "tests/lab/demo"]
    assert ".venv" not in (ROOT / "tests" / "lab" / "demo").read_text()
