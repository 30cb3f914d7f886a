"""Start of a tool."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from lvsdr import __version__
from lvsdr.cli import TOOLS

from tests.support.paths import ROOT
from tests.unit.cli.processes import run

WITHOUT_CLICK = """
import sys

sys.modules["click"] = None
sys.path.insert(0, sys.argv.pop(1))

from lvsdr.cli import main

main(sys.argv.pop(1))
"""


@pytest.mark.parametrize("name", TOOLS)
def test_help_is_printed(name: str) -> None:
    status, out, err = run(name, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"Usage: {name} [OPTIONS] ")


@pytest.mark.parametrize("name", TOOLS)
def test_the_version_is_printed(name: str) -> None:
    assert run(name, "--version") == (0, f"{name} {__version__}\n", "")


@pytest.mark.parametrize("name", TOOLS)
def test_a_missing_click_gives_one_line(name: str) -> None:
    """A tool without click reports no host as failed, because it has learnt nothing of any host."""
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
def test_a_broken_click_gives_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise ValueError('not\\nfor this Python')\n")
    script = WITHOUT_CLICK.replace(
        'sys.modules["click"] = None', f'sys.path.insert(0, "{tmp_path}")'
    )
    done = subprocess.run(
        ["/usr/bin/python3", "-IS", "-c", script, ROOT / "lib", name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (126, "")
    assert done.stderr == (f"{name}: a Python module is broken: ValueError: not for this Python\n")


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full", "2>&- <&-"])
def test_an_error_on_closed_standard_error_keeps_the_status(closed: str) -> None:
    tool = ROOT / "tools" / "check_active_slave"
    done = subprocess.run(
        ["sh", "-c", f'"$0" -h /nonexistent {closed}', tool],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "f\n", "")


@pytest.mark.parametrize("nowhere", ["closed", "full"])
def test_a_result_that_cannot_be_written_is_an_error(nowhere: str) -> None:
    tool = ROOT / "tools" / "check_active_slave"
    redirection = {"closed": ">&-", "full": ">/dev/full"}[nowhere]
    done = subprocess.run(
        ["sh", "-c", f'"$0" -h /nonexistent {redirection}', tool],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 126
    assert done.stderr.startswith("check_active_slave: standard output")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", TOOLS)
def test_help_that_cannot_be_written_is_an_error(name: str) -> None:
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
