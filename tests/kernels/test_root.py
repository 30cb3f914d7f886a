"""Root directories of other systems: made once, whole or not at all, by one process at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.debian import root, suite
from tests.support.paths import ROOT

SMALL = root.System("trixie", "13", "3.13", ("python3-venv", "mount", "tini"))
MAKE = """
import sys
from pathlib import Path
from tests.debian import root
system = root.SYSTEMS["trixie"]._replace(packages={packages!r})
print(root.make(system, Path(sys.argv[1])))
"""


def make(
    cache: Path, prefix: tuple[str, ...] = (), packages: tuple[str, ...] = SMALL.packages
) -> subprocess.CompletedProcess[str]:
    """Make a root in another process."""
    command = [*prefix, sys.executable, "-B", "-c", MAKE.format(packages=packages), str(cache)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache in which two concurrent processes have made a root."""
    directory = tmp_path_factory.mktemp("roots")
    half = directory / "trixie/new-half"
    half.mkdir(parents=True)
    (directory / "trixie/in-use").mkdir()
    (directory / "trixie/unused").mkdir()
    os.utime(directory / "trixie/unused", (0, 0))
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: make(directory), range(2)))
    assert [each.returncode for each in done] == [0, 0], done
    assert sum("making a root" in each.stderr for each in done) == 1
    return directory


def test_it_is_made_once(cache: Path) -> None:
    offline = make(cache, ("unshare", "--net"))
    assert (offline.stdout.strip(), offline.stderr) == (str(SMALL.place(cache)), "")


def test_files_of_interrupted_runs_and_unused_roots_are_removed(cache: Path) -> None:
    names = sorted(path.name for path in (cache / "trixie").iterdir())
    assert names == sorted([SMALL.digest(), "in-use", "lock"])


def test_other_packages_are_another_root() -> None:
    assert SMALL._replace(packages=("tini",)).digest() != SMALL.digest()


def entered(cache: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the root."""
    enter = str(ROOT / "tests/debian/enter")
    return subprocess.run(
        [enter, str(SMALL.place(cache)), *command], capture_output=True, text=True, check=False
    )


def test_a_command_sees_that_system_and_the_tree(cache: Path) -> None:
    done = entered(cache, "sh", "-c", "cat /etc/debian_version; pwd; ls Makefile; ls -A /mnt")
    version, *rest = done.stdout.splitlines()
    assert version.startswith("13.")
    assert rest == [str(ROOT), "Makefile"]


def test_the_test_tools_are_those_of_the_root(cache: Path) -> None:
    done = entered(
        cache, ".venv/bin/python", "-c", "import sys, pytest; print(sys.version_info[1])"
    )
    assert done.stdout == "13\n", done.stderr


def test_nothing_that_is_written_stays(cache: Path) -> None:
    before = (ROOT / "Makefile").read_text()
    assert entered(cache, "sh", "-c", "echo x >Makefile; echo x >/etc/x; exit 7").returncode == 7
    assert (ROOT / "Makefile").read_text() == before
    assert not (SMALL.place(cache) / "etc/x").exists()


def test_an_unknown_package(tmp_path: Path) -> None:
    done = make(tmp_path, packages=("no-such-package",))
    assert "no-such-package" in done.stderr.splitlines()[-1]
    assert [path.name for path in (tmp_path / "trixie").iterdir()] == ["lock"]


def test_no_network(tmp_path: Path) -> None:
    done = make(tmp_path, ("unshare", "--net"))
    assert done.returncode == 1
    assert "Unavailable: E: " in done.stderr.splitlines()[-1]


def test_no_mmdebstrap(tmp_path: Path) -> None:
    done = make(tmp_path, ("env", "PATH=/nowhere"))
    assert done.stderr.splitlines()[-1].endswith("mmdebstrap is not installed; run tests/setup")


def test_no_room(tmp_path: Path) -> None:
    mounted = 'mount -t tmpfs -o size=30M tmpfs "$1"; shift; exec "$@"'
    done = make(tmp_path, ("unshare", "--mount", "sh", "-c", mounted, "sh", str(tmp_path)))
    assert done.returncode == 1
    assert suite.Unavailable.__name__ in done.stderr.splitlines()[-1]


BOOT = str(ROOT / "tests/lab/boot")
IN_IT = ("--", "sh", "-c", "cat /etc/debian_version; pwd; exit 5")


@pytest.mark.parametrize(
    "native",
    [(), (BOOT, "--", "env", "LAB_KERNEL=native", "LAB_RESULTS=/run/tmp/results")],
    ids=["in a guest", "on the running kernel, a guest's"],
)
def test_the_lab_runs_in_it(native: tuple[str, ...], tmp_path: Path) -> None:
    directory = root.make(root.SYSTEMS["trixie"])
    command = [*native, BOOT, "--root", str(directory), *IN_IT]
    environ = {**os.environ, "LAB_RESULTS": str(tmp_path)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    version, *rest = done.stdout.splitlines()
    assert (done.returncode, version[:3], rest) == (5, "13.", [str(ROOT)])


def test_a_directory_that_is_no_root(tmp_path: Path) -> None:
    command = [BOOT, "--root", str(tmp_path), *IN_IT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    what = "is no root directory made by tests/debian/root"
    assert done.stderr == f"lab: {tmp_path} {what}: no bin/sh\n"
