"""Files that take their places all at once, and the record by which they are known later."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give an OSError the name of the file: the error of a write has none."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, error.filename or str(path)) from error


def temporary(place: Path) -> Path:
    """Return where the new content of a file waits: Pacemaker lists no agent with such a name."""
    return place.with_name(f".{place.name}.new")


def copy(source: Path, target: Path) -> None:
    """Copy a file or a link with mode, owner, times and extended attributes."""
    target.unlink(missing_ok=True)
    with naming(target):
        shutil.copy2(source, target, follow_symlinks=False)
        if os.geteuid() == 0:
            owner = source.lstat()
            os.chown(target, owner.st_uid, owner.st_gid, follow_symlinks=False)
            shutil.copystat(source, target, follow_symlinks=False)  # chown clears the setuid bit


def make_directory(directory: Path) -> list[Path]:
    """Create a directory; return those that did not exist, outermost first."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
    return missing[::-1]


def remove_if_empty(directory: Path) -> None:
    """Remove a directory unless it has entries or does not exist."""
    with contextlib.suppress(OSError):
        directory.rmdir()


def remove_empty_below(directory: Path) -> None:
    """Remove a directory and those below it, as far as they are empty."""
    for place, _, _ in os.walk(directory, topdown=False):
        remove_if_empty(Path(place))


def remove_tree(path: Path) -> None:
    """Remove a file, a link or a directory with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


class Staging:
    """New files beside their places. All are written before `commit` renames the first one.

    So a disk that is full, or a directory that cannot be written, changes nothing.
    """

    def __init__(self) -> None:
        self._renames: list[tuple[Path, Path]] = []
        self._made: list[Path] = []
        self.committed = False

    def __enter__(self) -> Staging:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove what has not taken its place, and directories that nothing is in."""
        for new, _ in self._renames:
            if new.name.startswith("."):
                remove_tree(new)
        for directory in reversed(self._made):
            remove_if_empty(directory)

    def rename(self, new: Path, place: Path) -> None:
        """Have `commit` rename a file or directory."""
        self._renames.append((new, place))

    def directory(self, directory: Path) -> None:
        """Create a directory, for as long as something will be in it."""
        self._made += make_directory(directory)

    def write(self, place: Path, content: bytes, mode: int) -> None:
        """Write the file that will be in this place."""
        self.directory(place.parent)
        new = temporary(place)
        self.rename(new, place)
        with naming(new):
            new.write_bytes(content)
            new.chmod(mode)

    def copy(self, source: Path, place: Path) -> None:
        """Copy the file that will be in this place."""
        self.directory(place.parent)
        self.rename(temporary(place), place)
        copy(source, temporary(place))

    def commit(self) -> None:
        """Put everything in its place, in the order in which it was staged."""
        self.committed = True
        for new, place in self._renames:
            new.replace(place)


class Entry(NamedTuple):
    """An installed file as the record knows it; `path` is without DESTDIR."""

    digest: str
    path: str

    @classmethod
    def of(cls, path: str, content: bytes) -> Entry:
        return cls(hashlib.sha256(content).hexdigest(), path)


def read_record(file: Path) -> set[Entry]:
    """Read the record of installed files: lines as sha256sum writes them."""
    if not file.exists():
        return set()
    lines = re.findall(r"^([0-9a-f]{64})  (/.+)$", file.read_text(errors="replace"), re.MULTILINE)
    return {Entry(digest, path) for digest, path in lines}


def record_text(entries: Iterable[Entry]) -> bytes:
    """Return the record, which `sha256sum --check` understands."""
    lines = sorted(f"{path}\0{digest}  {path}\n" for digest, path in entries)
    return "".join(line.partition("\0")[2] for line in lines).encode()


def write_record(file: Path, entries: Iterable[Entry]) -> None:
    """Replace the record."""
    with Staging() as staging:
        staging.write(file, record_text(entries), 0o644)
        staging.commit()
