"""Results of parts: with reports, without, and with reports that contradict the exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parts import declaration
from tests.parts.commands import Done, render
from tests.parts.declaration import Part
from tests.parts.results import Result, exit_status, prepare, read

GOOD, BAD = Done("good", 0, 0.5, ""), Done("bad", 1, 1.5, "it is broken\n")


@pytest.fixture
def part(tmp_path: Path) -> Part:
    made = Part("lint", ("true",), 1.0, build=tmp_path)
    prepare(made)
    return made


def write(part: Part, *done: Done, number: str = "") -> None:
    (part.directory / f"junit{number}.xml").write_text(render(part.name, done))


def words(result: Result) -> list[tuple[str, str]]:
    return [(outcome.name, outcome.word) for outcome in result.outcomes]


def test_a_part_that_passed(part: Part) -> None:
    write(part, GOOD)
    result = read(part, 0, 2.0, [])
    assert (result.status, result.seconds, words(result)) == (0, 2.0, [("lint::good", "passed")])
    assert result.outcomes[0].seconds == 0.5


def test_a_test_that_failed_has_its_text(part: Part) -> None:
    write(part, GOOD, BAD)
    result = read(part, 1, 2.0, ["not repeated"])
    assert words(result) == [("lint::good", "passed"), ("lint::bad", "failed")]
    assert result.outcomes[1].text == "it is broken"


def test_reports_of_several_runs_are_added(part: Part) -> None:
    write(part, GOOD, number="-1")
    write(part, GOOD, BAD, number="-2")
    assert len(read(part, 1, 2.0, []).outcomes) == 3


def test_reports_of_an_earlier_run_do_not_count(part: Part) -> None:
    write(part, GOOD)
    prepare(part)
    assert read(part, 0, 1.0, []).status == 1


@pytest.mark.parametrize(("status", "worst"), [(0, 1), (125, 125)])
def test_a_part_without_a_report_is_an_error(part: Part, status: int, worst: int) -> None:
    result = read(part, status, 1.0, ["lab: needs root"])
    assert (result.status, words(result)) == (worst, [("lint", "error")])
    problem = f"lint: left no report in {part.directory}, exit status {status}"
    assert result.outcomes[0].text == f"lab: needs root\n{problem}"


def test_an_exit_status_that_no_test_explains_is_an_error(part: Part) -> None:
    write(part, GOOD)
    result = read(part, 3, 1.0, [])
    assert (result.status, result.count("error"), result.count("passed")) == (3, 1, 1)
    assert result.outcomes[-1].text == "lint: exit status 3, although no test failed"


def test_a_broken_report_is_an_error(part: Part) -> None:
    (part.directory / "junit.xml").write_text("<testsuite>")
    result = read(part, 0, 1.0, [])
    assert (result.status, words(result)) == (1, [("lint", "error")])


def test_a_part_that_ran_no_test_is_an_error(part: Part) -> None:
    write(part)
    assert read(part, 0, 1.0, []).status == 1


def test_set_up_leaves_no_report(part: Part) -> None:
    silent = part._replace(reports=False)
    assert read(silent, 0, 1.0, []) == Result("lint", 0, 1.0, [])
    failed = read(silent, 1, 1.0, ["setup: pip failed"])
    assert failed.outcomes[0].text == "setup: pip failed\nlint: failed with exit status 1"


def test_the_worst_exit_status() -> None:
    assert exit_status([Result("a", 0), Result("b", 4), Result("c", 1)]) == 4
    assert exit_status([Result("a", 0), Result("b", None)]) == 1
    assert exit_status([Result("a", 0)]) == 0


def test_each_part_has_one_name_in_each_set() -> None:
    for parts in declaration.SETS.values():
        assert len(declaration.by_name(parts)) == len(parts)
