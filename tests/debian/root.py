"""Root directories of other Debian systems, made once by mmdebstrap from this machine's archive.

tests/debian/root trixie         print the directory of a Debian 13, made if it is not there
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.debian import suite
from tests.debian.suite import Unavailable
from tests.lab.boot_job import say
from tests.support.paths import ROOT

ROOTS = suite.CACHE / "roots"
REQUIREMENTS = ROOT / "tests/requirements.txt"
PACKAGES = Path(__file__).resolve().parent / "packages"
VENV = "opt/venv"  # of a root: the directory that enter mounts as .venv
# of a root: the directory in which the tools find Debian's packages, too
DIST = "usr/lib/python3/dist-packages"
UNUSED = 24 * 3600  # seconds: longer than any run of tests
TIMEOUT = 1800  # seconds: 1 GB, unpacked by a busy machine


class System(NamedTuple):
    """A system to make: the suite, its release, its Python, and its packages.

    `wheels` are of PyPI, in place of packages that the suite does not have.
    """

    suite: str
    release: str
    python: str
    packages: tuple[str, ...]
    wheels: tuple[str, ...] = ()

    def digest(self) -> str:
        """Return a short digest of all commands that make the root."""
        told = (packages_command(self, Path("/")), wheel_commands(self, Path("/")))
        return hashlib.sha256(repr(told).encode()).hexdigest()[:12]

    def place(self, cache: Path = ROOTS) -> Path:
        """Return the path of the root, whether it exists or not."""
        return cache / self.suite / self.digest()


def _listed(name: str) -> tuple[str, ...]:
    """Return the packages in a list, without its comments."""
    lines = (PACKAGES / name).read_text().splitlines()
    return tuple(sorted({word for line in lines for word in line.split("#")[0].split()}))


SYSTEMS = {
    "trixie": System("trixie", "13", "3.13", _listed("trixie")),
    "bullseye": System(
        "bullseye",
        "11",
        "3.9",
        _listed("bullseye"),
        ("psycopg==3.2.10", "psycopg-binary==3.2.10", "typing_extensions==4.15.0", "click==8.1.8"),
    ),
}


def make(system: System, cache: Path = ROOTS) -> Path:
    """Return the root of this system, made if it is not there.

    It is complete once it exists: it is renamed into place. Two processes make one after the other,
    and remove unused roots of other package lists. Raises Unavailable if a package or a tool is
    missing, and OSError if there is no room.
    """
    place = system.place(cache)
    with suite.only_one(place.parent):
        if not place.is_dir():
            _make(system, place)
        os.utime(place)
        _remove_unused(place.parent)
    return place


def _make(system: System, place: Path) -> None:
    if not shutil.which("mmdebstrap"):
        raise Unavailable("mmdebstrap is not installed; run tests/setup")
    say(f"making a root of Debian {system.release}: some minutes, 1 GB, once")
    with suite.beside(place) as new:
        suite.run(packages_command(system, new), timeout=TIMEOUT)
        for command in wheel_commands(system, new):
            suite.run(command, timeout=TIMEOUT)
        new.rename(place)


def _remove_unused(directory: Path) -> None:
    """Remove the roots of a suite that no run has used in a day."""
    for root in directory.iterdir():
        if root.is_dir() and time.time() - root.stat().st_mtime > UNUSED:
            shutil.rmtree(root)


def packages_command(system: System, directory: Path) -> list[str]:
    """Return the command that installs the packages into an empty directory."""
    source = f"deb [signed-by={suite.KEYRING}] {suite.archive()} {system.suite} main"
    # create_main_cluster: without it the package would make a database and start it
    cluster = "$1/etc/postgresql-common"
    make_venv = f"python3 -m venv --system-site-packages --without-pip /{VENV}"
    return [
        *("mmdebstrap", "--mode=root", "--variant=apt"),
        *("--aptopt=Acquire::Retries 0", f"--aptopt=Acquire::http::Timeout {suite.SILENCE}"),
        f"--essential-hook=mkdir -p {cluster}",
        f"--essential-hook=echo create_main_cluster=false >{cluster}/createcluster.conf",
        f"--include={','.join(system.packages)}",
        f'--customize-hook=mkdir -p "$1"/lib/modules && chroot "$1" {make_venv}',
        *(system.suite, str(directory), source),
    ]


def wheel_commands(system: System, directory: Path) -> list[list[str]]:
    """Return the commands that install the pinned test tools, and packages that the suite lacks.

    This machine's pip runs them, because it reaches PyPI if tests/setup does.
    """
    lines = [line.split(";")[0].split("#")[0] for line in REQUIREMENTS.read_text().splitlines()]
    tools = [line.strip() for line in lines if line.strip()]
    places = {f"{VENV}/lib/python{system.python}/site-packages": tools, DIST: system.wheels}
    return [
        [
            *(str(ROOT / ".venv/bin/python"), "-m", "pip", "install", "--quiet", "--no-deps"),
            *("--no-input", "--disable-pip-version-check", "--retries", "2"),
            *("--only-binary=:all:", "--python-version", system.python),
            *("--target", str(directory / place), *wheels),
        ]
        for place, wheels in places.items()
        if wheels
    ]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests/debian/root", description=__doc__)
    parser.add_argument("suite", choices=sorted(SYSTEMS))
    system = SYSTEMS[parser.parse_args(arguments).suite]
    try:
        print(make(system))
    except (Unavailable, OSError) as problem:
        print(f"debian: no root of {system.suite}: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
