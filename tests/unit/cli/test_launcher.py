"""How a tool is started."""

from __future__ import annotations

import subprocess

import pytest
from lvsdr import __version__
from lvsdr.cli import TOOLS

from tests.unit.cli.processes import ROOT, run

WITHOUT_CLICK = """
import sys

sys.modules["click"] = None
sys.path.insert(0, sys.argv.pop(1))

from lvsdr.cli import main

main(sys.argv.pop(1))
"""


@pytest.mark.parametrize("name", TOOLS)
def test_help(name: str) -> None:
    status, out, err = run(name, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"Usage: {name} [OPTIONS] ")


@pytest.mark.parametrize("name", TOOLS)
def test_version(name: str) -> None:
    assert run(name, "--version") == (0, f"{name} {__version__}\n", "")


@pytest.mark.parametrize("name", TOOLS)
def test_without_click(name: str) -> None:
    """Nothing is learnt of any host: to an agent this is no failure of one."""
    done = subprocess.run(
        ["/usr/bin/python3", "-IS", "-c", WITHOUT_CLICK, ROOT / "lib", name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (126, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"{name}: ")
    assert "python3-click" in done.stderr


@pytest.mark.parametrize("name", TOOLS)
def test_output_that_goes_nowhere(name: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [ROOT / "tools" / name, "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == f"{name}: [Errno 28] No space left on device\n"
