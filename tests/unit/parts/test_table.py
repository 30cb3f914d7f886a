"""The report at the end of a run, from results of all kinds."""

from __future__ import annotations

import re

from tests.parts.results import Result
from tests.parts.table import report, slowest, table
from tests.support.junit import Outcome

PASSED = Outcome("tests.a::one", "passed", 1.5)
FAILED = Outcome("tests.a::two", "failed", 0.25, "assert 1 == 2")
SKIPPED = Outcome("tests.b::three", "skipped")
GONE = Outcome("lab", "error", text="lab: left no report in build/lab, exit status 125")


def test_a_row_for_each_part_and_one_for_all() -> None:
    results = [Result("unit", 1, 2.0, [PASSED, FAILED]), Result("postgres", 0, 3.25, [SKIPPED])]
    assert table(results, 4.0) == [
        "part        tests   failed  skipped  seconds",
        "unit            2        1        0      2.0",
        "postgres        1        0        1      3.2",
        "all             3        1        1      4.0",
    ]


def test_a_part_that_did_not_run() -> None:
    assert table([Result("setup", 1, 1.0, [GONE]), Result("unit", None)], 1.0)[1:] == [
        "setup        1        1        0      1.0",
        "unit   not run",
        "all          1        1        0      1.0",
    ]


def test_the_slowest_tests_of_all_parts() -> None:
    outcomes = [Outcome(f"t{number}", "passed", float(number)) for number in range(12)]
    lines = slowest([Result("unit", 0, 1.0, outcomes), Result("lab", 0, 1.0, [PASSED])])
    assert lines[:3] == ["slowest 10 tests", "    11.00s unit      t11", "    10.00s unit      t10"]
    assert lines[-1] == "     2.00s unit      t2"


def test_the_last_line_is_that_of_pytest() -> None:
    *_, last = report([Result("unit", 0, 2.0, [PASSED, PASSED]), Result("lint", 0, 1.0)], 1400)
    assert re.fullmatch(r"=+ 2 passed in 1400\.00s =+", last)


def test_failures_of_all_parts_are_shown_before_the_table() -> None:
    results = [Result("unit", 1, 2.0, [PASSED, FAILED]), Result("lab", 125, 3.0, [GONE])]
    lines = report(results, 4.0)
    assert (
        lines.index("assert 1 == 2") < lines.index(GONE.text) < lines.index("FAILED tests.a::two")
    )
    assert lines.index("ERROR lab") < lines.index(table(results, 4.0)[0])
    assert lines[-1].strip("= ") == "1 failed, 1 passed, 1 error in 4.00s"
