"""The generated parts of the documentation agree with the declarations."""

from __future__ import annotations

import datetime
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lvsdr import __date__, __version__

from tests.house.tree import ROOT


def test_the_generated_parts_are_current() -> None:
    command = [sys.executable, "-B", "docs/generate.py", "--check"]
    check = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (check.stdout, check.returncode) == ("", 0)


@pytest.mark.parametrize("page", (ROOT / "docs/man").iterdir(), ids=lambda page: page.name)
def test_a_man_page_has_the_date_of_its_version(page: Path) -> None:
    title = page.read_text().partition("\n")[0]
    assert re.fullmatch(rf'\.TH \S+ [17] {__date__} "lvsdr {__version__}" ".+"', title)
    assert page.suffix == f".{title.split()[2]}"


def test_the_date_is_that_of_the_version_in_the_changelog() -> None:
    datetime.date.fromisoformat(__date__)
    released = re.findall(
        r"^## \[([0-9.]+)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert dict(released).get(__version__, __date__) == __date__
