"""Reader of a growing file; each reader continues at its own position."""

from __future__ import annotations

from pathlib import Path


class LogReader:
    """A reader of the lines that are appended to a file, starting at its beginning.

    The file need not exist yet. A file that has become shorter is read from its beginning.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def lines(self) -> str:
        """Return the whole lines that have been appended since the last call."""
        try:
            with self._path.open("rb") as file:
                if file.seek(0, 2) < self._read:
                    self._read = 0
                file.seek(self._read)
                lines, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            self._read = 0
            return ""
        self._read += len(lines + newline)
        return (lines + newline).decode(errors="replace")

    def skip(self) -> None:
        """Skip the lines that exist now."""
        self.lines()
