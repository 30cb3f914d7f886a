"""The record of the tests in other systems, and the conversion of CIBs to older schemas."""

from __future__ import annotations

import pytest

from tests.systems.main import Ended, updated
from tests.systems.recording import readable
from tests.systems.steps import Step
from tests.systems.versions import number

FOUND = {"System": "Debian 13", "Pacemaker": "3.0.0"}
ROW = {"System": "Debian 13", "Pacemaker": "2.1.9", "Tests": "core, lab"}
OTHER = {"System": "Debian 12", "Pacemaker": "2.1.5", "Tests": "unit"}


def ended(name: str, status: int) -> Ended:
    """Return a step that has ended."""
    return Ended(Step(name, "trixie", ("true",)), status, 1.0)


@pytest.mark.parametrize(
    ("steps", "tests"),
    [
        ([ended("unit", 0)], "core, lab, unit"),
        ([ended("lab", 0)], "core, lab"),
        ([ended("lab", 1)], "core"),
        ([ended("lab", 1), ended("core", 2)], ""),
    ],
)
def test_the_record_has_the_last_passed_run(steps: list[Ended], tests: str) -> None:
    assert updated([ROW, OTHER], FOUND, steps) == [OTHER, {**FOUND, "Tests": tests}]


def test_the_record_begins_empty() -> None:
    assert updated([], FOUND, [ended("lab", 1)]) == [{**FOUND, "Tests": ""}]


NEW = '<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9"><op role="Promoted"/></cib>'


def test_a_cib_of_a_newer_schema_becomes_older() -> None:
    old = '<cib crm_feature_set="3.0.14" validate-with="pacemaker-3.5"><op role="Master"/></cib>'
    assert readable(NEW, (3, 5)) == old
    assert readable(old, (3, 10)) == old


def test_a_cib_of_a_known_schema_stays_as_it_is() -> None:
    assert readable(NEW, (3, 10)) == NEW


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Pacemaker 3.0.0", "3.0.0"),
        ("postgres (PostgreSQL) 17.12 (Debian 17.12-0+deb13u1)", "17.12"),
        ("", "-"),
    ],
)
def test_a_version_is_found_in_the_output_of_a_program(text: str, version: str) -> None:
    assert number(text) == version
