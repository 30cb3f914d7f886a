"""Executables run as Pacemaker runs them: a process, an environment, an exit code."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import ROOT

NOBODY = 65534
Settings = Mapping[str, str]
"""An agent's parameters as Pacemaker has them."""


class Run(NamedTuple):
    """Exit code and output of an action."""

    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """Return the exit reason that Pacemaker would show."""
        prefix = "ocf-exit-reason:"
        lines = [line for line in self.err.splitlines() if line.startswith(prefix)]
        return lines[-1][len(prefix) :] if lines else ""


def run(stub: Path, action: str, rsctmp: Path, settings: Settings, **environ: str) -> Run:
    """Run an action of an agent with ``settings`` as parameters and ``environ`` added.

    PATH is empty, the worst case in a cluster daemon.
    """
    basic = {
        "OCF_ROOT": "/usr/lib/ocf",
        "OCF_RA_VERSION_MAJOR": "1",
        "OCF_RA_VERSION_MINOR": "1",
        "OCF_RESOURCE_INSTANCE": "read-vip",
        "OCF_RESOURCE_TYPE": stub.name,
        "OCF_RESOURCE_PROVIDER": "lvsdr",
        "OCF_RESKEY_CRM_meta_timeout": "20000",
        "HA_RSCTMP": str(rsctmp),
        "HA_LOGFILE": "/dev/null",
        "PATH": "",
    }
    parameters = {f"OCF_RESKEY_{name}": value for name, value in settings.items()}
    done = subprocess.run(
        [str(stub), action],
        env={**basic, **parameters, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Run(done.returncode, done.stdout, done.stderr)


@contextmanager
def seen_by_nobody(*names: str) -> Iterator[dict[str, Path]]:
    """Yield stubs that run as the user nobody, on a copy of the tree which that user can read.

    The copy has the compiled modules, too, because this user could not store newly compiled ones.
    """
    directory = Path(tempfile.mkdtemp(prefix="lvsdr-nobody-"))
    try:
        directory.chmod(0o755)
        for part in ("lib", "ocf"):
            shutil.copytree(ROOT / part, directory / part)
        stubs = {name: directory / "ocf" / name for name in names}
        if os.geteuid() == 0:
            for stub in stubs.values():
                _drop_privilege(stub)
        yield stubs
    finally:
        shutil.rmtree(directory)


def _drop_privilege(stub: Path) -> None:
    head, line, rest = stub.read_text().partition("import sys\n")
    assert line, "the stub is not what it was"
    drop = f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    stub.write_text(head + line + drop + rest)
