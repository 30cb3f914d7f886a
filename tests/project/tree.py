"""Paths and files of this tree, for tests of the tree itself."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

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


class Import(NamedTuple):
    """One imported name and its module; the name is empty for ``import MODULE``."""

    line: int
    origin: str
    name: str

    @property
    def full(self) -> str:
        """Return the dotted name, which may be that of a module or of something in one."""
        return f"{self.origin}.{self.name}" if self.name else self.origin


def imports(module: str, is_package: bool, tree: ast.AST) -> Iterator[Import]:
    """Yield all imports of a module, at any place in it, with absolute names.

    >>> tree = ast.parse("def f():\\n from . import b")
    >>> [found.full for found in imports("lvsdr.a", False, tree)]
    ['lvsdr.b']
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")
            base = base[: len(base) + is_package - node.level] if node.level else []
            origin = ".".join([*base, *filter(None, [node.module])])
            yield from (Import(node.lineno, origin, alias.name) for alias in node.names)


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
