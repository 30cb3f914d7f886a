"""Expected texts in files: readable in a diff, and refreshed by one command.

``UPDATE_GOLDEN=1 .venv/bin/pytest tests/unit`` writes them anew; review the diff.
"""

from __future__ import annotations

import os
from pathlib import Path


def compare(path: Path, text: str) -> None:
    """Fail unless the file has this text; with UPDATE_GOLDEN set, write it instead."""
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()
