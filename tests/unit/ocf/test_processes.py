"""The example agent as a process of its own, as Pacemaker and people start it."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.tree import PACKAGE
from tests.unit.ocf import example

PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def installation() -> Iterator[Path]:
    """Yield a copy of the framework and the agent that every user may read."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        for room in ("ocf", "system", "values"):
            shutil.copytree(PACKAGE / room, home / "lvsdr" / room)
        for module in ("__init__", "errors"):
            shutil.copy(PACKAGE / f"{module}.py", home / "lvsdr")
        shutil.copy(example.__file__, home / "agent")
        subprocess.run(["chmod", "-R", "a+rX", name], check=True)
        yield home


def call(home: Path, action: str, **environ: str) -> tuple[int, str, str]:
    """Return exit code, standard output and standard error of one run."""
    run = subprocess.run(
        [PYTHON, "-B", str(home / "agent"), action],
        env={"PYTHONPATH": str(home), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return run.returncode, run.stdout, run.stderr


def test_metadata_needs_no_environment(installation: Path) -> None:
    command = [PYTHON, "-B", str(installation / "agent"), "meta-data"]
    if os.geteuid() == 0:
        command[:0] = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    environ = {"PYTHONPATH": str(installation), "PATH": "/usr/bin:/bin"}
    output = subprocess.check_output(command, env=environ, cwd="/", stderr=subprocess.STDOUT)
    assert output.decode() == example.AGENT.render_metadata()


def test_metadata_in_any_locale(installation: Path) -> None:
    environ = {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0"}
    assert call(installation, "meta-data", **environ)[0] == 0


def test_problems_end_with_the_exit_reason(installation: Path) -> None:
    code, out, err = call(installation, "validate-all", OCF_RESKEY_port="99999")
    assert (code, out) == (6, "")
    assert err.splitlines() == [
        "port=99999: must be a whole number from 1 to 65535",
        "state is required: must be an absolute path",
        "ocf-exit-reason:port=99999: must be a whole number from 1 to 65535; "
        "state is required: must be an absolute path",
    ]


def test_bytes_that_are_no_text(installation: Path) -> None:
    run = subprocess.run(
        [PYTHON, "-B", str(installation / "agent"), "validate-all"],
        env={b"PYTHONPATH": bytes(installation), b"OCF_RESKEY_port": b"\xff\xfe"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert run.returncode == 6
    assert rb"ocf-exit-reason:port=\udcff\udcfe: must be" in run.stderr


def test_a_reader_that_closes_the_pipe_causes_no_error(installation: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        [PYTHON, "-B", str(installation / "agent"), "meta-data"],
        env={"PYTHONPATH": str(installation)},
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (run.returncode, run.stderr) == (0, b"")


def test_a_terminal_gets_the_log(installation: Path, tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    run = subprocess.run(
        [PYTHON, "-B", str(installation / "agent"), "start"],
        env={
            "PYTHONPATH": str(installation),
            "OCF_RESOURCE_INSTANCE": "rsc",
            "OCF_RESKEY_port": "80",
            "OCF_RESKEY_state": str(tmp_path / "state"),
            "HA_LOGFILE": str(tmp_path / "log"),
            "OCF_TRACE_RA": "1",
        },
        stdin=terminal,
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(terminal)
    os.close(controller)
    assert run.returncode == 0
    assert [line.partition(" ")[2] for line in run.stderr.splitlines()] == [
        "DEBUG: start begins; parameters set: port, state",
        "INFO: started",
        "DEBUG: start ends with 0 (SUCCESS)",
    ]
    assert not (tmp_path / "log").exists()


def test_crm_resource_switches_tracing_on(installation: Path) -> None:
    environ = {"OCF_TRACE_RA": "1", "OCF_TRACE_FILE": "/dev/stderr"}
    code, _, err = call(installation, "monitor", **environ)
    assert code == 7
    assert "DEBUG: monitor ends with 7 (NOT_RUNNING)\n" in err
