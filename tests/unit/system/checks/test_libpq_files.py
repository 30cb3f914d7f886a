"""The files of libpq before a login: none may block, and an unusable passfile is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lvsdr.system.checks.libpq_files import (
    find_passfile_problem,
    replace_passfile,
    require_regular_files,
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PGPASSFILE", "PGSERVICEFILE", "PGSSLCERT", "PGSSLKEY", "PGSSLROOTCERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def passfile(path: Path, mode: int = 0o600) -> Path:
    path.write_text("*:*:*:monitor:secret\n")
    path.chmod(mode)
    return path


def test_a_passfile_is_used(home: Path) -> None:
    path = str(passfile(home / "pass"))
    assert replace_passfile({"passfile": path}) == ({"passfile": path}, "")
    passfile(home / ".pgpass")
    assert replace_passfile({"user": "monitor"}) == ({"user": "monitor"}, "")


def test_no_passfile_is_no_problem() -> None:
    assert replace_passfile({"user": "monitor"}) == ({"user": "monitor"}, "")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_passfile_that_others_may_read(mode: int, home: Path) -> None:
    path = passfile(home / "pass", mode)
    assert replace_passfile({"passfile": str(path)}) == (
        {"passfile": "/dev/null/none"},
        f"; passfile {path} is not used: others may read it, so libpq ignores it: chmod 0600",
    )
    passfile(home / ".pgpass", mode)
    assert replace_passfile({})[0] == {"passfile": "/dev/null/none"}


def test_a_passfile_from_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", str(home / "absent"))
    assert replace_passfile({})[1] == (
        f"; passfile {home}/absent is not used: No such file or directory"
    )


def test_a_passfile_that_is_a_fifo(home: Path) -> None:
    os.mkfifo(home / "pass", 0o600)
    assert find_passfile_problem(f"{home}/pass") == "it is not a regular file"


@pytest.mark.parametrize("keyword", ["sslcert", "sslkey", "sslrootcert", "sslcrl"])
def test_another_file_that_is_a_fifo_is_refused(keyword: str, home: Path) -> None:
    os.mkfifo(home / "fifo")
    with pytest.raises(OSError, match=f"{keyword} {home}/fifo is not a regular file"):
        require_regular_files({keyword: str(home / "fifo")})


def test_a_service_file_that_is_a_fifo_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(home / ".pg_service.conf")
    with pytest.raises(OSError, match=r"service file .* is not a regular file"):
        require_regular_files({})
    monkeypatch.setenv("PGSERVICEFILE", str(passfile(home / "service")))
    require_regular_files({})


def test_missing_files_are_left_to_libpq(home: Path) -> None:
    require_regular_files({"sslrootcert": str(home / "absent"), "sslkey": "system"})
    require_regular_files({"sslrootcert": "system"})
