"""The User Mode Linux of this machine's own Debian release: 6.1 on Debian 12.

It handles the extended state of the processor in a buffer of fixed size. If the state is larger
(AMX), each PTRACE_SETREGSET fails and the kernel panics at once. The preloaded `xsave.c` prevents
that.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.lab.boot_job import HERE
from tests.lab.kernel.guest import GuestKernel, Unusable
from tests.support.paths import ROOT

NAME = "uml-old"
PROGRAM = Path("/usr/bin/linux.uml")
MODULES = Path("/usr/lib/uml/modules")
SOURCE = HERE / "kernel/xsave.c"
NO_COMPILER = (
    "it needs a C compiler on processors with AMX, such as this one; "
    "run: apt-get install --no-install-recommends gcc libc6-dev"
)


def make() -> GuestKernel:
    """Return the kernel. Raise Unusable if it, or a compiler that it needs, is not installed."""
    if not os.access(PROGRAM, os.X_OK):
        raise Unusable(f"{PROGRAM} is not installed; run tests/setup")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler:
        return GuestKernel(NAME, PROGRAM, MODULES, preload=_compiled(compiler))
    if has_large_state():
        raise Unusable(NO_COMPILER)
    return GuestKernel(NAME, PROGRAM, MODULES)


def has_large_state() -> bool:
    """Test whether the processor has AMX: its state does not fit into 6.1's buffer."""
    return "amx_tile" in Path("/proc/cpuinfo").read_text().split()


def _compiled(compiler: str) -> Path:
    """Return the workaround as a shared object, compiled unless an earlier run did."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    library = ROOT / f"build/kernel/xsave-{digest}.so"
    if library.exists():
        return library
    library.parent.mkdir(parents=True, exist_ok=True)
    new = library.with_suffix(f".{os.getpid()}")
    command = [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-o", str(new), str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unusable(f"{' '.join(command)} failed: {done.stderr.strip().splitlines()[-1:]}")
    os.replace(new, library)
    return library
