"""Directories on a file system that is full or read-only."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path


def mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


def unmount(directory: Path) -> None:
    """Let the directory's former content appear again.

    A process that started meanwhile, for example a watcher, may have a file of it open.
    """
    subprocess.run(["umount", "--lazy", str(directory)], check=True)


@contextlib.contextmanager
def read_only(directory: Path) -> Iterator[None]:
    """Let a directory be on a file system that is read-only."""
    mount("--bind", directory, directory)
    mount("-o", "remount,bind,ro", directory)
    try:
        yield
    finally:
        unmount(directory)


@contextlib.contextmanager
def full(directory: Path) -> Iterator[None]:
    """Move the content of a directory to a full file system, until the end of the block."""
    files = {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}
    mount("-t", "tmpfs", "-o", "size=64k", "none", directory)
    try:
        for name, content in files.items():
            (directory / name).write_bytes(content)
        with contextlib.suppress(OSError), (directory / "filler").open("wb", 0) as filler:
            while filler.write(b"x" * 4096):
                pass
        yield
    finally:
        unmount(directory)
