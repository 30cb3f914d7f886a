"""An installation in a test's own directory, made by `make install`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.paths import ROOT

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

Snapshot = dict[str, tuple[int, int, bytes]]


def make(target: str, **variables: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a target as a user would, without variables that an outer make has exported."""
    settings = [f"{name}={value}" for name, value in variables.items()]
    return subprocess.run(
        ["make", "-C", str(ROOT), "--no-print-directory", target, *settings],
        env={"PATH": PATH, "LC_ALL": "C"},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )


def failure(target: str, **variables: str | Path) -> str:
    """Run a target that must fail. Return its message.

    The message must be one line, beside make's own lines.
    """
    with pytest.raises(subprocess.CalledProcessError) as raised:
        make(target, **variables)
    lines = str(raised.value.stderr).splitlines()
    (message,) = [line for line in lines if not line.startswith("make: ***")]
    return message


def snapshot(directory: Path) -> Snapshot:
    """Return mode, modification time and content of every file below ``directory``."""
    return {
        str(path.relative_to(directory)): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            path.read_bytes(),
        )
        for path in directory.rglob("*")
        if path.is_file()
    }


class Place(NamedTuple):
    """An installation outside the system's directories, in which agents can run."""

    prefix: Path
    ocf_root: Path
    provider: str

    @property
    def agents(self) -> Path:
        return self.ocf_root / "resource.d" / self.provider

    def make(self, target: str, **more: str | Path) -> subprocess.CompletedProcess[str]:
        prefix, ocf_root, provider = self
        return make(target, PREFIX=prefix, OCF_ROOT=ocf_root, PROVIDER=provider, **more)


def run(agent: Path, action: str) -> subprocess.CompletedProcess[str]:
    """Run an installed agent with an empty environment."""
    argv = ["/usr/bin/env", "-i", str(agent), action]
    return subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
