"""The English of code, messages and documents names its subjects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.project import prose
from tests.project.prose import Prose
from tests.project.test_docs import DECISIONS, PAGES
from tests.support.paths import ROOT, TESTS

LIMITS = {"what": 1.0, "who": 0.5, "said": 0.25, "asked": 0.25}  # words in 1000 words
LIMITS_OF_DOCUMENTS = {"what": 0.5, "who": 0.3, "said": 0.3, "asked": 0.5}
BEGINNINGS = 0.02  # of all docstrings

GENERATED = re.compile(r"(?ms)^[^\n]* begin: `make [^\n]*\n.*?^[^\n]* end\b[^\n]*$")
PROGRAMS = {name: sorted((ROOT / name).rglob("*.py")) for name in ("lib", "tests")}
DOCUMENTS = [*PAGES, *(ROOT / "docs" / "man").iterdir()]

BAD = '''
"""What nobody said."""
def told(who):
    """Of whom it was asked."""
    raise Failed("somebody asked what was heard")  # whoever said what
'''


def documents_prose(path: Path) -> Prose:
    return prose.measured([GENERATED.sub("", path.read_text())])


def excess(counts: Prose, limits: Mapping[str, float]) -> list[str]:
    """Return the limits that a tree exceeds."""
    groups = [group for group, limit in limits.items() if counts.rate(group) > limit]
    return groups + (["beginnings"] if counts.share_of_beginnings() > BEGINNINGS else [])


def assert_plain(
    paths: list[Path], measure: Callable[[Path], Prose], limits: Mapping[str, float]
) -> None:
    files = {str(path.relative_to(ROOT)): measure(path) for path in paths}
    exceeded = excess(prose.total(files.values()), limits)
    assert exceeded == [], "\n".join(prose.worst(files.items()))


@pytest.mark.parametrize("tree", PROGRAMS)
def test_docstrings_and_comments_name_their_subjects(tree: str) -> None:
    assert_plain(PROGRAMS[tree], prose.of_program, LIMITS)


def test_messages_name_their_subjects() -> None:
    assert_plain(PROGRAMS["lib"], prose.of_messages, LIMITS)


def test_documents_name_their_subjects() -> None:
    assert_plain(DOCUMENTS, documents_prose, LIMITS_OF_DOCUMENTS)


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_the_title_of_a_decision_is_no_riddle(path: Path) -> None:
    title = path.read_text().partition("\n")[0].removeprefix("# ")
    assert not prose.QUESTION.match(title)


@pytest.mark.parametrize(
    "room", sorted(path.name for path in TESTS.iterdir() if list(path.rglob("test_*.py")))
)
def test_names_of_tests_are_statements(room: str) -> None:
    found = {
        str(path.relative_to(TESTS)): prose.riddles(path.read_text())
        for path in sorted((TESTS / room).rglob("test_*.py"))
    }
    assert {path: names for path, names in found.items() if names} == {}


# --- the counter itself


def test_bad_prose_exceeds_every_limit() -> None:
    counts = prose.measured(prose.comments(BAD), prose.docstrings(BAD))
    assert counts.vague == {"what": 2, "who": 3, "said": 2, "asked": 1}
    assert excess(counts, LIMITS) == ["what", "who", "said", "asked", "beginnings"]


def test_bad_messages_exceed_every_limit() -> None:
    counts = prose.measured(prose.messages(BAD))
    assert excess(counts, LIMITS) == ["what", "who", "said", "asked"]


def test_good_prose_exceeds_no_limit() -> None:
    counts = prose.measured(["The node is lost."], ["Return the nodes.", "Wait for a node."])
    assert (counts.words, counts.docstrings) == (11, 2)
    assert excess(counts, LIMITS) == []


def test_the_worst_files_are_named() -> None:
    files = [("good", prose.measured(["A node."])), ("bad", prose.measured(["What? Who?"]))]
    assert prose.worst(files) == ["bad: 2"]


def test_a_riddle_is_found_as_a_whole_word() -> None:
    source = "def test_nobody_serves(): ...\ndef test_the_whole_pool(): ...\ndef told(): ..."
    assert prose.riddles(source) == ["test_nobody_serves"]
