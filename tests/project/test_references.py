"""Names of tests and modules in strings, which no import checks, exist."""

from __future__ import annotations

import importlib
import re

import pytest

from tests.lab.agent_server import LOADED
from tests.project.test_docs import PAGES
from tests.support.paths import ROOT, TESTS
from tests.systems import steps

NAMED = re.compile(r"\b(tests/[\w/]+\.py)(?:::(test_\w+))?")
PLACEHOLDER = "NAME"


@pytest.mark.parametrize(
    "page",
    [*PAGES, ROOT / "Makefile", TESTS / "systems" / "steps.py"],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_a_named_test_exists(page: object) -> None:
    text = (ROOT / str(page)).read_text()
    assert missing(NAMED.findall(text)) == []


def test_a_deselected_test_exists() -> None:
    options = "\n".join(steps.NOT_IN_BULLSEYE)
    named = NAMED.findall(options)
    assert len(named) == len(steps.NOT_IN_BULLSEYE)
    assert missing(named) == []


def test_a_missing_test_is_found() -> None:
    assert missing([("tests/no/such.py", ""), ("tests/project/test_docs.py", "test_none")]) == [
        "tests/no/such.py",
        "tests/project/test_docs.py::test_none",
    ]


@pytest.mark.parametrize("module", LOADED)
def test_the_agent_server_loads_modules_that_exist(module: str) -> None:
    importlib.import_module(f"lvsdr.{module}")


def missing(named: list[tuple[str, str]]) -> list[str]:
    """Return the files, and the tests in them, that do not exist."""
    lacking = []
    for path, test in named:
        if PLACEHOLDER in path or PLACEHOLDER in test:
            continue
        if not (ROOT / path).exists():
            lacking.append(path)
        elif test and not re.search(rf"\bdef {test}\(", (ROOT / path).read_text()):
            lacking.append(f"{path}::{test}")
    return lacking
