"""Behaviour common to all agents while nothing of them is active, as processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.agents.processes import Run, run, seen_by_nobody
from tests.unit.agents.subjects import CASES, NO_PROGRAMS, PROBE, RECURRING, SUBJECTS, Subject

each = pytest.mark.parametrize("name", SUBJECTS)
each_with_each = pytest.mark.parametrize(("name", "settings"), CASES)
surroundings = pytest.mark.parametrize(
    "environ", [{}, NO_PROGRAMS], ids=["programs", "no programs"]
)


@pytest.fixture(scope="module")
def nobodys() -> Iterator[dict[str, Path]]:
    """Yield the agents, each run by a user without privileges."""
    with seen_by_nobody(*SUBJECTS) as stubs:
        yield stubs


@pytest.fixture
def subject(name: str) -> Subject:
    return SUBJECTS[name]


@pytest.fixture
def nobody(nobodys: dict[str, Path], name: str) -> Path:
    return nobodys[name]


@pytest.fixture
def locked(nobodys: dict[str, Path], name: str) -> Path:
    """Return the agent's state directory, where the unprivileged user can look but not write."""
    return nobodys[name].parents[1] / "resource-agents"


@pytest.fixture
def rsctmp(tmp_path: Path) -> Path:
    return tmp_path / "resource-agents"


@surroundings
@each_with_each
def test_a_probe_finds_nothing_running(
    subject: Subject, settings: str, environ: dict[str, str], nobody: Path, locked: Path
) -> None:
    """A probe finds nothing running without privilege, cluster, directory or sound parameters."""
    given = {**PROBE, "CIB_file": "/nowhere", **environ}
    done = run(nobody, "monitor", locked, subject.settings[settings], **given)
    assert done == Run(7, "", "")
    assert not locked.exists()


@each_with_each
def test_a_recurring_monitor(subject: Subject, settings: str, nobody: Path, locked: Path) -> None:
    done = run(nobody, "monitor", locked, subject.settings[settings], **RECURRING)
    assert done.code == 7
    assert not locked.exists()


@surroundings
@each_with_each
def test_stop(
    subject: Subject, settings: str, environ: dict[str, str], nobody: Path, locked: Path
) -> None:
    done = run(nobody, "stop", locked, subject.settings[settings], **environ)
    assert done == Run(0, "", "")


@each_with_each
def test_stop_with_the_privilege(subject: Subject, settings: str, rsctmp: Path) -> None:
    """Stop succeeds, even if repeated, as the user that runs the tests."""
    parameters = subject.settings[settings]
    for _ in range(2):
        assert run(subject.stub, "stop", rsctmp, parameters, **NO_PROGRAMS) == Run(0, "", "")


@each
def test_start_without_the_privilege(subject: Subject, nobody: Path, locked: Path) -> None:
    done = run(nobody, "start", locked, subject.legal)
    assert (done.code, done.reason) == (4, subject.privilege)


@pytest.mark.skipif(os.geteuid() != 0, reason="without root start ends before it looks")
@each
def test_start_without_programs(subject: Subject, rsctmp: Path) -> None:
    done = run(subject.stub, "start", rsctmp, subject.legal, **NO_PROGRAMS)
    assert (done.code, done.reason) == (5, subject.programs)


@pytest.mark.parametrize("action", ["start", "validate-all", "reload-agent"])
@each
def test_all_broken_parameters_are_reported(
    subject: Subject, action: str, nobody: Path, locked: Path
) -> None:
    done = run(nobody, action, locked, subject.broken)
    assert done.code == 6
    *others, last = done.err.splitlines()
    lines = [line for line in others if not line.startswith("ocf-exit-reason:")]  # the last counts
    assert [line.partition("=")[0] for line in lines] == list(subject.broken)
    assert all(": must be " in line for line in lines)
    assert last == "ocf-exit-reason:" + "; ".join(lines)


@each
def test_reload_of_a_stopped_resource_fails(subject: Subject, rsctmp: Path) -> None:
    done = run(subject.stub, "reload-agent", rsctmp, subject.legal)
    assert done.code in (1, 4)  # 4 where the tests are not run by root
    assert done.reason


@each
def test_validate_all_is_about_syntax_only(subject: Subject, nobody: Path, locked: Path) -> None:
    done = run(nobody, "validate-all", locked, subject.legal, CIB_file="/nowhere", **NO_PROGRAMS)
    assert done == Run(0, "", "")


@each
def test_validate_all_without_programs(subject: Subject, rsctmp: Path) -> None:
    environ = {"OCF_CHECK_LEVEL": "10", **NO_PROGRAMS}
    done = run(subject.stub, "validate-all", rsctmp, subject.legal, **environ)
    assert (done.code, done.reason) == (5, subject.programs)


@pytest.mark.parametrize("action", ["", "restart", "status", "promote", "notify"])
@each
def test_an_unknown_action_is_not_implemented(subject: Subject, action: str, rsctmp: Path) -> None:
    done = run(subject.stub, action, rsctmp, subject.legal)
    assert (done.code, done.out, done.err) == (3, subject.agent.render_usage(), "")


@each
def test_metadata_needs_no_environment(subject: Subject, nobody: Path, locked: Path) -> None:
    done = run(nobody, "meta-data", locked, {}, CIB_file="/nowhere", **NO_PROGRAMS)
    assert done == Run(0, subject.agent.render_metadata(), "")
    assert not locked.exists()


@each
def test_the_actions(subject: Subject) -> None:
    assert {action.name for action in subject.agent.all_actions if action.advertised} == {
        "start",
        "stop",
        "monitor",
        "reload-agent",
        "meta-data",
        "validate-all",
        *subject.more_actions,
    }
