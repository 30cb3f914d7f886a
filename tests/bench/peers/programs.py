"""The peers' programs: packages of this machine's Debian, unpacked apart from the system."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.debian import suite

PACKAGES = ("haproxy", "keepalived", "ldirectord", "pgbouncer", "pgpool2")
PROGRAMS = ("haproxy", "keepalived", "ldirectord", "pgbouncer", "pgpool")
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
PERL = ("usr/share/perl5", "usr/lib/*/perl5/*", "usr/share/perl/*", "usr/lib/*/perl/*")
VERSION = re.compile(r"\d+(\.\d+)+")


class Missing(Exception):
    """A program that neither the unpacked packages nor the system has."""


class Programs(NamedTuple):
    """The programs below the directory `root`, or the system's where that is installed."""

    root: Path

    def environment(self) -> dict[str, str]:
        """Return the environment in which programs below `root` find their libraries."""
        return {
            "PATH": f"{self.root}/usr/sbin:{self.root}/usr/bin:{PATH}",
            "LD_LIBRARY_PATH": self._places("usr/lib/*-linux-gnu*"),
            "PERL5LIB": self._places(*PERL),
            "LANG": "C.UTF-8",
        }

    def command(self, name: str) -> list[str]:
        """Return the begin of a command line. Raises Missing."""
        path = shutil.which(name, path=self.environment()["PATH"])
        if path is None:
            raise Missing(f"{name} is neither below {self.root} nor installed: remove {self.root}")
        # The first line of ldirectord names the system's Perl.
        return ["perl", path] if name == "ldirectord" else [path]

    def version(self, name: str) -> str:
        """Return the version that a program prints."""
        option = "-v" if name == "haproxy" else "--version"
        done = subprocess.run(
            [*self.command(name), option],
            env={**os.environ, **self.environment()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return parse_version(done.stdout + done.stderr)

    def _places(self, *patterns: str) -> str:
        found = (path for pattern in patterns for path in sorted(self.root.glob(pattern)))
        return ":".join(str(path) for path in found if path.is_dir())


def fetch() -> Programs:
    """Return the programs, fetched unless an earlier run did. Raises suite.Unavailable."""
    programs = Programs(suite.unpack(suite.own_suite(), PACKAGES, needs=True))
    for name in PROGRAMS:
        programs.command(name)
    return programs


def parse_version(text: str) -> str:
    """Return the first version number in the output of a program.

    >>> parse_version("pgpool-II version 4.3.5 (tamahomeboshi)")
    '4.3.5'
    >>> parse_version("no number")
    'unknown'
    """
    found = VERSION.search(text)
    return found.group() if found else "unknown"
