"""Destinations of a trace."""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path

import pytest
from lvsdr.ocf.trace import open_trace


def written(environ: dict[str, str], where: Path) -> list[Path]:
    """Trace one line, and return the files below ``where``."""
    stream = open_trace({"OCF_RESKEY_trace_ra": "1", **environ}, "agent", "rsc:0", "start")
    assert stream is not None
    with stream:
        stream.write("line \udcff\n")
    return [path for path in where.rglob("*") if path.is_file()]


@pytest.mark.parametrize("environ", [{}, {"OCF_TRACE_RA": "0"}, {"OCF_RESKEY_trace_ra": "maybe"}])
def test_off(environ: dict[str, str]) -> None:
    assert open_trace({**environ, "OCF_TRACE_FILE": "/dev/stderr"}, "a", "i", "x") is None


@pytest.mark.parametrize(
    "environ",
    [
        {"OCF_TRACE_RA": "1", "OCF_TRACE_FILE": "/dev/stderr"},
        {"OCF_RESKEY_trace_ra": "true", "OCF_RESKEY_trace_file": "/dev/stderr"},
    ],
)
def test_the_trace_goes_to_standard_error_for_crm_resource(environ: dict[str, str]) -> None:
    assert open_trace(environ, "a", "i", "x") is sys.stderr


def test_to_the_usual_directory(tmp_path: Path) -> None:
    (path,) = written({"HA_VARLIB": str(tmp_path)}, tmp_path)
    assert re.fullmatch(
        r"trace_ra/agent/rsc:0\.start\.\d{4}-\d\d-\d\d\.\d\d:\d\d:\d\d",
        str(path.relative_to(tmp_path)),
    )
    assert path.read_text() == "line \\udcff\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_to_a_file_which_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "new" / "trace"
    environ = {"OCF_RESKEY_trace_file": str(path)}
    written(environ, tmp_path)
    assert written(environ, tmp_path) == [path]
    assert len(path.read_text().splitlines()) == 2


@pytest.mark.parametrize("suffix", ["", "/"])
def test_to_a_directory(tmp_path: Path, suffix: str) -> None:
    (path,) = written({"OCF_RESKEY_trace_file": f"{tmp_path}{suffix}"}, tmp_path)
    assert path.parent == tmp_path / "agent"


def test_to_a_directory_that_is_not_there_yet(tmp_path: Path) -> None:
    (path,) = written({"OCF_TRACE_FILE": f"{tmp_path}/new/"}, tmp_path)
    assert path.parent == tmp_path / "new" / "agent"


def test_a_value_that_is_no_path_means_the_usual_directory(tmp_path: Path) -> None:
    (path,) = written({"OCF_TRACE_FILE": "trace", "HA_VARLIB": str(tmp_path)}, tmp_path)
    assert path.parent == tmp_path / "trace_ra" / "agent"


def test_to_a_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    saved = os.dup(9) if os.path.exists("/proc/self/fd/9") else None
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.dup2(descriptor, 9)
    try:
        written({"OCF_TRACE_FILE": "9"}, tmp_path)
        os.write(9, b"still open\n")
    finally:
        os.close(descriptor)
        os.close(9) if saved is None else os.dup2(saved, 9)
    assert path.read_text() == "line \\udcff\nstill open\n"


@pytest.mark.parametrize("target", ["/proc/nonexistent/x", "/dev/null/x"])
def test_a_place_that_cannot_be_written(target: str) -> None:
    with pytest.raises(OSError, match=r"No such file|File exists|Not a directory"):
        open_trace({"OCF_TRACE_RA": "1", "OCF_TRACE_FILE": target}, "a", "i", "x")


def test_an_unread_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device"):
        open_trace({"OCF_TRACE_RA": "1", "OCF_TRACE_FILE": f"{tmp_path}/pipe"}, "a", "i", "x")


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    """A symbolic link is not followed.

    Other users may be able to write to the directory, and this process is root.
    """
    (tmp_path / "trace").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"):
        written({"OCF_RESKEY_trace_file": str(tmp_path / "trace")}, tmp_path)
    assert not (tmp_path / "victim").exists()
