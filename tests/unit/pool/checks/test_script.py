"""The user's check of one real server: the meaning of its answers and failures."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from lvsdr.pool.checks import run_checks
from lvsdr.pool.checks.script import check_candidates
from lvsdr.pool.model import Candidate, CheckLimits, Outcome, Script, Verdict
from lvsdr.values.deadline import Deadline

from tests.unit.pools import SPEC, program, shell, told

FIT = Verdict(Outcome.IN, "is a cluster node")


def check(
    script: Script, *names: str, seconds: float = 20.0, enough: float = 10.0
) -> list[Candidate]:
    """Run the script for hosts that were IN, and return the candidates."""
    found = [Candidate(name, FIT) for name in names or ("node1",)]
    limits = CheckLimits(Deadline.after(seconds), enough)
    return check_candidates(found, SPEC._replace(check_script=script), limits)


def verdict(script: Script, seconds: float = 20.0) -> str:
    """Return the verdict on a single host."""
    (candidate,) = check(script, seconds=seconds)
    return f"{candidate.verdict.outcome.value}: {candidate.verdict.reason}"


def test_without_a_script_nothing_changes() -> None:
    found = [Candidate("node1", FIT)]
    assert run_checks(found, SPEC, CheckLimits(Deadline.after(1.0), 1.0)) == found


def test_the_candidate_is_appended(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = program(tmp_path, f"import sys; print(sys.argv[1:], file=open({str(log)!r}, 'a'))")
    check(script._replace(argv=(*script.argv, "-h", "a b; exit")), "node1")
    assert log.read_text() == "['-h', 'a b; exit', 'node1']\n"


def test_each_has_its_own_verdict() -> None:
    script = shell("case $1 in node1) echo t;; node2) echo f;; node3) exit 2;; *) echo ?;; esac")
    assert told(check(script, "node1", "node2", "node3", "node4")) == [
        "node1 in: sh printed t",
        "node2 withdrawn: sh printed f",
        "node3 failed: sh: exit status 2",
        "node4 unknown: sh printed '?', not t or f",
    ]


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.IN])
def test_only_candidates_that_are_in_are_checked(outcome: Outcome, tmp_path: Path) -> None:
    settled = Candidate("node1", Verdict(outcome, "said before"))
    script = program(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')")
    spec = SPEC._replace(check_script=script)
    assert run_checks([settled], spec, CheckLimits(Deadline.after(20.0), 10.0)) == [settled]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("t", "in: sh printed t"),
        (r"t\n", "in: sh printed t"),
        (r"  t \r\n\n", "in: sh printed t"),
        (r"f\n", "withdrawn: sh printed f"),
        (r"T\n", "unknown: sh printed 'T', not t or f"),
        (r"true\n", "unknown: sh printed 'true', not t or f"),
        (r"t\nf\n", r"unknown: sh printed 't\nf', not t or f"),
        ("", "unknown: sh printed '', not t or f"),
        (r"\377\000\n", r"unknown: sh printed '\ufffd\x00', not t or f"),
        ("x" * 1000, f"unknown: sh printed '{'x' * 60}', not t or f"),
    ],
)
def test_answers(output: str, says: str) -> None:
    assert verdict(shell(f"printf '{output}'")) == says


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("echo t; exit 1", "failed: sh: exit status 1"),
        ("echo f; exit 2", "failed: sh: exit status 2"),
        ("echo could not connect >&2; exit 2", "failed: sh: exit status 2: could not connect"),
        ("kill -SEGV $$", "failed: sh: exit status 139"),
        ("exec /nowhere/psql", "unknown: sh gave no answer: exit status 127"),
        ("exec /etc", "unknown: sh gave no answer: exit status 126"),
    ],
)
def test_exit_statuses(code: str, says: str) -> None:
    assert verdict(shell(code)).startswith(says)


def test_a_failure_of_the_check_may_be_its_own_fault() -> None:
    (candidate,) = check(shell("exit 1"))
    assert not candidate.verdict.certain


def test_a_check_that_is_not_there() -> None:
    why = "/nowhere/check cannot be executed: No such file or directory"
    script = Script(("/nowhere/check", "--password=secret"), 10.0)
    assert verdict(script) == f"unknown: check gave no answer: {why}"


def test_a_check_that_may_not_be_executed(tmp_path: Path) -> None:
    script = program(tmp_path, "print('t')")
    os.chmod(script.argv[0], 0o644)
    assert verdict(script).startswith("unknown: script gave no answer: ")


def test_a_check_that_takes_too_long() -> None:
    says = "failed: sh: timed out after 0.2 s"
    assert verdict(shell("echo t; sleep 60", timeout=0.2)) == says


def test_when_the_time_of_the_action_is_up_nothing_was_learnt() -> None:
    says = verdict(shell("echo t; sleep 60", timeout=30.0), seconds=0.2)
    assert says.startswith("unknown: sh gave no answer: timed out after 0")


def test_a_timeout_of_the_operation_that_is_shorter_than_the_scripts_is_a_failure() -> None:
    """A check that had its fair share of the time and gave no answer has failed."""
    (found,) = check(shell("echo t; sleep 60", timeout=30.0), seconds=1.0, enough=0.5)
    assert re.fullmatch(r"node1 failed: sh: timed out after 0\.\d+ s", told([found])[0])
    assert not found.verdict.certain


def test_interim_results_are_reported_after_a_second() -> None:
    told_early: list[list[str]] = []
    script = shell("test $1 = node1 && sleep 60; echo f", timeout=1.5)
    found = [Candidate(name, FIT) for name in ("node1", "node2")]
    limits = CheckLimits(
        Deadline.after(20.0), 10.0, lambda candidates: told_early.append(told(candidates))
    )
    final = check_candidates(found, SPEC._replace(check_script=script), limits)
    assert told_early == [
        ["node1 unknown: sh has not answered yet", "node2 withdrawn: sh printed f"],
    ]
    assert told(final) == [
        "node1 failed: sh: timed out after 1.5 s",
        "node2 withdrawn: sh printed f",
    ]


def test_quick_checks_report_no_interim_results() -> None:
    told_early: list[list[Candidate]] = []
    limits = CheckLimits(Deadline.after(20.0), 10.0, told_early.append)
    check_candidates([Candidate("node1", FIT)], SPEC._replace(check_script=shell("echo t")), limits)
    assert told_early == []


def test_when_there_is_no_time_left_at_all() -> None:
    assert verdict(shell("echo t"), seconds=0.0) == (
        "unknown: sh gave no answer: no time left for /bin/sh"
    )


def test_a_check_that_prints_too_much(tmp_path: Path) -> None:
    script = program(tmp_path, "while True: print('t' * 10000)")
    assert verdict(script) == "failed: script: printed more than 1048576 bytes"


def test_all_are_checked_side_by_side() -> None:
    """Twenty checks run side by side; one after the other they would take 6 seconds."""
    names = [f"node{number}" for number in range(20)]
    began = time.monotonic()
    found = check(shell("sleep 0.3; echo t"), *names)
    assert time.monotonic() - began < 3.0
    assert [(c.host, c.verdict.outcome) for c in found] == [(name, Outcome.IN) for name in names]


def test_a_slow_one_does_not_spoil_the_others() -> None:
    script = shell("test $1 = node1 && sleep 60; echo t", timeout=0.5)
    assert told(check(script, "node1", "node2")) == [
        "node1 failed: sh: timed out after 0.5 s",
        "node2 in: sh printed t",
    ]
