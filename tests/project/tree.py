"""Paths and files of this tree, for tests of the tree itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.paths import ROOT

LIB = ROOT / "lib"
PACKAGE = LIB / "lvsdr"


def library() -> list[Path]:
    """Return every module of the library."""
    return sorted(PACKAGE.rglob("*.py"))


def stubs(directory: str) -> list[Path]:
    """Return the executables in ``ocf`` or ``tools``."""
    return sorted(path for path in (ROOT / directory).glob("*") if path.is_file())


def module_name(path: Path) -> str:
    """Return the dotted name under which a file of the library is imported.

    >>> module_name(PACKAGE / "ipvs" / "plan.py")
    'lvsdr.ipvs.plan'
    >>> module_name(PACKAGE / "ipvs" / "__init__.py")
    'lvsdr.ipvs'
    """
    parts = path.relative_to(LIB).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def project_files() -> list[Path]:
    """Return every file that is, or is about to be, under version control."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = (ROOT / name for name in listing.stdout.split("\0") if name)
    return sorted(path for path in paths if path.is_file() and not path.is_symlink())
