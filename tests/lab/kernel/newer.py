"""Debian's newest User Mode Linux: it starts on every x86-64 processor and is three times faster.

The option `seccomp=on` makes it intercept system calls by seccomp(2) instead of ptrace(2). It
therefore never handles the extended state of the processor, at which older kernels fail. It needs a
newer libc than this machine may have. So the libc of the same suite lies beside it, and a copy of
the program is changed to use that. Starting the program through ld.so would fail: it executes
/proc/self/exe.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.debian import suite
from tests.lab.kernel.guest import GuestKernel, Unusable
from tests.support.paths import ROOT

NAME = "uml-new"
SUITE = "testing"
PACKAGES = ("user-mode-linux", "libc6")


def make() -> GuestKernel:
    """Return the kernel; fetch it unless an earlier run did. Raise Unusable with the reason."""
    try:
        files = suite.unpack(SUITE, PACKAGES)
    except (suite.Unavailable, OSError) as problem:
        raise Unusable(f"Debian's newest User Mode Linux cannot be fetched: {problem}") from None
    modules = files / "usr/lib/uml/modules"
    try:
        _index(modules)
        program = _patched(files)
    except suite.Unavailable as problem:
        raise Unusable(str(problem)) from None
    return GuestKernel(NAME, program, modules, options=("seccomp=on",))


def _index(modules: Path) -> None:
    """Write modules.dep where the package has none."""
    for release in modules.iterdir():
        if not (release / "modules.dep").exists():
            suite.run(["depmod", "--basedir", str(_modules_root(modules)), release.name])


def _patched(files: Path) -> Path:
    """Return a copy of the program that uses the libc beside it, at the tree's present path."""
    original, program = files / "usr/bin/linux.uml", ROOT / "build/kernel/linux.uml"
    stamp = program.with_suffix(".stamp")
    # The time changes when another version is fetched into the same place.
    current = f"{original} {original.stat().st_ctime_ns}"
    if stamp.exists() and stamp.read_text() == current:
        return program
    library = next(files.glob("usr/lib/*/libc.so.6")).parent
    program.parent.mkdir(parents=True, exist_ok=True)
    new = program.with_suffix(".new")
    shutil.copy(original, new)
    interpreter = str(library / "ld-linux-x86-64.so.2")
    paths = ["--set-interpreter", interpreter, "--set-rpath", str(library)]
    suite.run(["patchelf", *paths, str(new)])
    os.replace(new, program)
    stamp.write_text(current)
    return program


def _modules_root(modules: Path) -> Path:
    """Return a directory in which `lib/modules` links to `modules`, as depmod requires."""
    root = modules.parent / "depmod"
    (root / "lib").mkdir(parents=True, exist_ok=True)
    link = root / "lib/modules"
    if not link.is_symlink():
        link.symlink_to(modules)
    return root
