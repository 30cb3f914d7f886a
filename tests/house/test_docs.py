"""The documentation says what the declarations say."""

from __future__ import annotations

import subprocess
import sys

from tests.house.tree import ROOT


def test_the_generated_parts_are_current() -> None:
    command = [sys.executable, "-B", "docs/generate.py", "--check"]
    check = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (check.stdout, check.returncode) == ("", 0)
