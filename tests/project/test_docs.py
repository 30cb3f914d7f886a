"""Documentation that repeats declarations: it is complete and current."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lvsdr import __date__, __version__
from lvsdr.agents import AGENTS, describe_agent
from lvsdr.vipmanager.options import OPTIONS

from tests.support.paths import ROOT

REFERENCE = ROOT / "docs" / "reference"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
PAGES.append(ROOT / "tests" / "README.md")
LINK = re.compile(r"\]\(([^)#:]*)(?:#([^)]*))?\)")


def anchors(page: Path) -> set[str]:
    """Return the names by which links can lead to headings of a page."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_generated_parts_are_current() -> None:
    command = [sys.executable, "-B", "docs/generate.py", "--check"]
    check = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (check.stdout, check.returncode) == ("", 0)


@pytest.mark.parametrize("name", AGENTS)
def test_the_reference_has_every_parameter_of_an_agent(name: str) -> None:
    page = (REFERENCE / f"{name}.md").read_text()
    agent = describe_agent(name)
    lacking = [one.name for one in agent.all_parameters if f"\n| `{one.name}` |" not in page]
    assert lacking == []


def test_the_reference_has_every_option_of_the_daemon() -> None:
    page = (REFERENCE / "vip-manager.md").read_text()
    assert [one.name for one in OPTIONS if f" `{one.variable}` |" not in page] == []


def test_the_reference_has_the_tested_systems() -> None:
    rows = json.loads((ROOT / "docs" / "tested.json").read_text())
    page = (REFERENCE / "requirements.md").read_text()
    assert [row for row in rows if f"\n| {row['System']} | {row['Pacemaker']} |" not in page] == []


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    for path, anchor in LINK.findall(page.read_text()):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def test_the_index_of_decisions_is_complete() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    listed = re.findall(r"^\| (\d+) \| \[(.*)\]\((.*)\) \| .+ \|$", index, re.MULTILINE)
    assert listed == [
        (path.name[:3], path.read_text().partition("\n")[0][2:], path.name) for path in DECISIONS
    ]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_short_and_has_its_three_parts(path: Path) -> None:
    lines = path.read_text().splitlines()
    parts = [line.split(".**")[0] for line in lines if line.startswith("**")]
    assert len(lines) <= 25
    assert parts == ["**Context", "**Decision", "**Consequence"]
