"""Contents of an installation: the files, their places, and the test whether a file is ours."""

from __future__ import annotations

import importlib
import os
import py_compile
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from staging import Entry, Staging, make_directory, naming

SOURCE = Path(__file__).resolve().parents[1]

# The line by which a unit of ours is known, edited or not.
UNIT_MARK = "# Installed with lvsdr."

DOCUMENTATION = ("README.md", "CHANGELOG.md", "LICENSE", "docs/**/*.md", "examples/**/*")

# Modules beside the standard library: package in Debian, package in EL and Fedora.
MODULES = {
    "lxml": ("python3-lxml", "python3-lxml"),
    "pyroute2": ("python3-pyroute2", "python3-pyroute2"),
    "psycopg": ("python3-psycopg", "python3-psycopg3"),
    "click": ("python3-click", "python3-click"),
    "urllib3": ("python3-urllib3", "python3-urllib3"),
    "yaml": ("python3-yaml", "python3-pyyaml"),
}


class Places(NamedTuple):
    """Directories of one installation. `destdir` is in front of each, and in no file."""

    destdir: str
    prefix: str
    ocf_root: str
    provider: str

    @property
    def library(self) -> str:
        return f"{self.prefix}/lib/lvsdr"

    @property
    def agents(self) -> str:
        return f"{self.ocf_root}/resource.d/{self.provider}"

    @property
    def documentation(self) -> str:
        return f"{self.prefix}/share/doc/lvsdr"

    @property
    def find_library(self) -> str:
        """Return the line of a stub that finds the library: a file that has it is ours."""
        return f'sys.path.insert(0, "{self.library}")'

    @property
    def record(self) -> Path:
        """Return the file that lists the installed files and their digests."""
        return self.real(f"{self.library}/installed")

    @property
    def replaced(self) -> Path:
        """Return the directory of the foreign files that ours have replaced."""
        return self.real(f"{self.library}/replaced")

    def real(self, path: str) -> Path:
        """Return where a path of the installed system is now, below `destdir`."""
        return Path(self.destdir + path)

    def kept(self, path: str) -> Path:
        """Return where the foreign file of this path is kept."""
        return self.replaced / path.lstrip("/")


class File(NamedTuple):
    """A file to be installed; `path` is without DESTDIR."""

    topic: str
    path: str
    content: bytes
    mode: int

    @property
    def entry(self) -> Entry:
        return Entry.of(self.path, self.content)


# --- what is installed


def sources(*patterns: str) -> list[Path]:
    """Return the files of the tree that match, without backup files of editors."""
    found = sorted(path for pattern in patterns for path in SOURCE.glob(pattern))
    return [path for path in found if path.is_file() and not path.name.endswith("~")]


def files(places: Places) -> list[File]:
    """Return everything that is installed beside the library."""
    prefix = places.prefix
    return [
        *(File("agent", f"{places.agents}/{path.name}", stub(places, path), 0o755)
          for path in sources("ocf/*")),
        *(File("tool", f"{prefix}/bin/{path.name}", stub(places, path), 0o755)
          for path in sources("tools/*")),
        *(File("unit", f"{prefix}/lib/systemd/system/{path.name}", unit(places, path), 0o644)
          for path in sources("systemd/*.service")),
        *(File("man pages", f"{prefix}/share/man/man{path.suffix[1:]}/{path.name}",
               path.read_bytes(), 0o644)
          for path in sources("docs/man/*.[1-9]")),
        *(File("documentation", f"{places.documentation}/{path.relative_to(SOURCE)}",
               path.read_bytes(), 0o755 if os.access(path, os.X_OK) else 0o644)
          for path in sources(*DOCUMENTATION)),
    ]  # fmt: skip


def stub(places: Places, source: Path) -> bytes:
    """Return an agent or tool that runs with this Python and finds the installed library."""
    lines = source.read_text().splitlines(keepends=True)
    lines[0] = f"#!{os.path.abspath(sys.executable)} -IS\n"
    return "".join(
        f"{places.find_library}\n" if line.startswith("sys.path.insert(") else line
        for line in lines
    ).encode()


def unit(places: Places, source: Path) -> bytes:
    """Return a unit that starts the installed tool."""
    text = source.read_text()
    return text.replace("\nExecStart=/usr/bin/", f"\nExecStart={places.prefix}/bin/").encode()


def stage_library(places: Places, staging: Staging) -> None:
    """Write the library, byte-compiled, to take the old one's place by two renames.

    Its bytecode never looks at the source's time again (unchecked hash). So it stays valid when a
    package is built from DESTDIR, and no agent writes there.
    """
    library = places.real(places.library)
    there, new, old = library / "lvsdr", library / ".new", library / ".old"
    if old.exists() and not there.exists():  # an installation was killed between the renames
        old.rename(there)
    for left in (new, old):
        if left.exists():
            shutil.rmtree(left)
    staging.directory(library)
    if there.exists():
        staging.rename(there, old)
    staging.rename(new, there)
    for source in sources("lib/lvsdr/**/*.py"):
        name = str(source.relative_to(SOURCE / "lib" / "lvsdr"))
        make_directory((new / name).parent)
        with naming(new / name):
            (new / name).write_bytes(source.read_bytes())
            py_compile.compile(
                str(new / name),
                dfile=f"{places.library}/lvsdr/{name}",
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )


def missing_modules() -> Iterator[str]:
    """Yield a warning for each module that the library imports and this Python does not have."""
    for module, (debian, el) in MODULES.items():
        users = " ".join(
            str(path.relative_to(SOURCE))
            for path in sources("lib/lvsdr/**/*.py")
            if re.search(rf"^ *(import|from) {module}\b", path.read_text(), re.MULTILINE)
        )
        try:
            if users:
                importlib.import_module(module)
        except ImportError:
            packages = f"Debian: {debian}, EL: {el}"
            yield f"warning: {sys.executable} lacks {module} ({packages}), used by {users}"


def is_ours(places: Places, record: set[Entry], path: str) -> bool:
    """Test whether the file in this place is one that was installed from here.

    The record knows it by its digest. A stub and a unit are known by a line, too, so that they are
    ours after somebody has edited them, and where an older version has kept no record.
    """
    place = places.real(path)
    if place.is_symlink() or not place.is_file():
        return False
    content = place.read_bytes()
    if Entry.of(path, content) in record:
        return True
    marks = (places.find_library.encode(), UNIT_MARK.encode())
    return any(line.startswith(marks) for line in content.splitlines())


def is_agent(path: str) -> bool:
    """Test whether a path is that of an agent, of any provider."""
    return bool(re.search(r"/resource\.d/[^/]+/[^/]+$", path))
