"""A guest kernel: the program to start, and the modules that belong to it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Unusable(Exception):
    """A kernel that cannot carry the lab here, with the reason in one line."""


class GuestKernel(NamedTuple):
    """A User Mode Linux. `modules` has one directory for each release, as /lib/modules has."""

    name: str
    program: Path
    modules: Path
    options: tuple[str, ...] = ()
    preload: Path | None = None

    def environment(self) -> dict[str, str]:
        """Return the variables that the program needs beside those of this process."""
        return {"LD_PRELOAD": str(self.preload)} if self.preload else {}

    def release(self) -> str:
        """Return the release of the kernel, such as 6.1.0, read from its modules' directory."""
        return ", ".join(sorted(path.name for path in self.modules.iterdir()))
