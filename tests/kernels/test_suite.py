"""Packages of another suite: fetched once, whole or not at all, by one process at a time."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.bench.peers.programs import Programs
from tests.debian import suite
from tests.support.paths import ROOT

SMALL = ("hostname",)
FETCH = "import sys; from pathlib import Path; from tests.debian import suite\n"
CALL = "print(suite.unpack('testing', {packages!r}, Path(sys.argv[1])))"


def fetch(
    cache: Path, packages: tuple[str, ...] = SMALL, prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Fetch in another process."""
    program = FETCH + CALL.format(packages=packages)
    command = [*prefix, sys.executable, "-B", "-c", program, str(cache)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_own_suite_is_one_that_apt_knows() -> None:
    command = ["apt-get", "indextargets", "--format", "$(CODENAME)", "Created-By: Packages"]
    known = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert suite.own_suite() in known.splitlines()


def test_a_package_is_fetched_once(tmp_path: Path) -> None:
    place = suite.unpack("testing", SMALL, tmp_path)
    assert (place / "usr/bin/hostname").is_file()
    offline = fetch(tmp_path, prefix=("unshare", "--net"))
    assert (offline.stdout.strip(), offline.stderr) == (str(place), "")


def test_a_program_runs_with_the_packages_that_it_needs(tmp_path: Path) -> None:
    place = suite.unpack(suite.own_suite(), ("pgbouncer",), tmp_path, needs=True)
    assert place.name == "pgbouncer+needs"
    assert re.fullmatch(r"[\d.]+", Programs(place).version("pgbouncer"))


def test_two_processes_at_the_same_time(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: fetch(tmp_path), range(3)))
    assert {each.returncode for each in done} == {0}
    assert sum("fetching" in each.stderr for each in done) == 1


def test_files_of_an_interrupted_run_are_removed(tmp_path: Path) -> None:
    half = tmp_path / "testing/new-half"
    (half / "usr/bin").mkdir(parents=True)
    (half / "usr/bin/hostname").touch()
    place = suite.unpack("testing", SMALL, tmp_path)
    assert (place / "usr/bin/hostname").stat().st_size > 0
    assert sorted(path.name for path in place.parent.iterdir()) == ["hostname", "lock"]


def test_an_unknown_package(tmp_path: Path) -> None:
    with pytest.raises(suite.Unavailable, match="no-such-package"):
        suite.unpack("testing", ("no-such-package",), tmp_path)
    assert [path.name for path in (tmp_path / "testing").iterdir()] == ["lock"]


def test_no_network(tmp_path: Path) -> None:
    done = fetch(tmp_path, prefix=("unshare", "--net"))
    assert done.returncode == 1
    assert "suite.Unavailable: " in done.stderr.splitlines()[-1]


def test_no_apt(tmp_path: Path) -> None:
    done = fetch(tmp_path, prefix=("env", "PATH=/nowhere"))
    assert done.stderr.splitlines()[-1].endswith("apt-get is not installed: this is no Debian")


def test_no_room(tmp_path: Path) -> None:
    mounted = 'mount -t tmpfs -o size=64k tmpfs "$1"; shift; exec "$@"'
    prefix = ("unshare", "--mount", "sh", "-c", mounted, "sh", str(tmp_path))
    done = fetch(tmp_path, prefix=prefix)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1].lower()
    assert "space" in last
