"""Running the actions of an agent."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.errors import ExitCode, NotPermitted
from lvsdr.ocf.actions import Action
from lvsdr.ocf.agent import Agent
from lvsdr.ocf.context import Context

from tests.unit.ocf.example import AGENT

Capture = pytest.CaptureFixture[str]

BASE = {"OCF_RESOURCE_INSTANCE": "rsc", "HA_LOGFILE": "/dev/null", "PATH": "/usr/bin:/bin"}


def run(*arguments: str, **environ: str) -> int:
    """Run an action of the example as Pacemaker would, but in this process."""
    return AGENT.run(arguments, {**BASE, **environ})


def agent_that(handler: object) -> Agent:
    """Return an agent with ``handler`` as its start."""
    return AGENT._replace(actions=(Action("start", handler, "20s"),))  # type: ignore[arg-type]


def reasons(capsys: Capture) -> list[str]:
    """Return the lines on standard error; fail if there is anything on standard output."""
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_the_example_starts_and_stops(tmp_path: Path, capsys: Capture) -> None:
    environ = {"OCF_RESKEY_port": "80", "OCF_RESKEY_state": str(tmp_path / "state")}
    codes = [
        run(action, **environ)
        for action in ("monitor", "start", "start", "monitor", "stop", "stop", "monitor")
    ]
    assert codes == [7, 0, 0, 0, 0, 0, 7]
    assert reasons(capsys) == []


def test_arguments_after_the_action_are_ignored() -> None:
    assert run("monitor", "--help", "stop") == ExitCode.NOT_RUNNING


def test_metadata(capsys: Capture) -> None:
    assert run("meta-data") == 0
    assert capsys.readouterr() == (AGENT.render_metadata(), "")


@pytest.mark.parametrize("action", ["usage", "help", "--help", "-h"])
def test_usage(action: str, capsys: Capture) -> None:
    assert run(action) == 0
    out, err = capsys.readouterr()
    assert out.startswith(
        "usage: example {start|stop|monitor|reload-agent|meta-data|validate-all|usage}\n"
    )
    assert err == ""


@pytest.mark.parametrize("arguments", [(), ("",), ("restart",), ("status",), ("promote",)])
def test_an_unknown_action_is_not_implemented(arguments: tuple[str, ...], capsys: Capture) -> None:
    assert run(*arguments) == ExitCode.ERR_UNIMPLEMENTED
    assert capsys.readouterr().out == AGENT.render_usage()


def test_validate_all_is_content(capsys: Capture) -> None:
    assert run("validate-all", OCF_RESKEY_port="80", OCF_RESKEY_state="/x") == 0
    assert reasons(capsys) == []


def test_one_problem_is_one_line(capsys: Capture) -> None:
    assert run("validate-all", OCF_RESKEY_port="99999", OCF_RESKEY_state="/x") == 6
    assert reasons(capsys) == ["ocf-exit-reason:port=99999: must be a whole number from 1 to 65535"]


@pytest.mark.parametrize("action", ["validate-all", "start"])
def test_all_problems_are_reported_together(action: str, capsys: Capture) -> None:
    assert run(action, OCF_RESKEY_port="x", OCF_RESKEY_trace_ra="maybe") == 6
    listed = reasons(capsys)
    assert listed[:-1] == [
        "port=x: must be a whole number from 1 to 65535",
        "state is required: must be an absolute path",
        "trace_ra=maybe: must be true or false (or yes, no, on, off, 1, 0)",
    ]
    assert listed[-1] == "ocf-exit-reason:" + "; ".join(listed[:-1])


@pytest.mark.parametrize(("level", "code"), [("0", 0), ("9", 0), ("10", 5), ("20", 5)])
def test_the_environment_is_validated_from_level_10_on(
    level: str, code: int, capsys: Capture
) -> None:
    environ = {"OCF_RESKEY_port": "80", "OCF_RESKEY_state": "/x"}
    environ["OCF_TESTER_FAIL_HAVE_BINARY"] = "1"
    assert run("validate-all", OCF_CHECK_LEVEL=level, **environ) == code
    assert reasons(capsys) == (["ocf-exit-reason:sh is not installed"] if code else [])


def test_an_agent_without_a_look_at_its_environment(capsys: Capture) -> None:
    agent = AGENT._replace(validate_environment=None)
    environ = {"OCF_RESKEY_port": "80", "OCF_RESKEY_state": "/x", "OCF_CHECK_LEVEL": "10"}
    assert agent.run(["validate-all"], {**BASE, **environ}) == 0
    assert 'depth="10"/>' not in agent.render_metadata().partition("validate-all")[2]
    assert reasons(capsys) == []


def test_stop_and_probe_work_with_broken_parameters(capsys: Capture) -> None:
    assert run("stop", OCF_RESKEY_port="x") == 0
    assert run("monitor", OCF_RESKEY_port="x") == ExitCode.NOT_RUNNING
    assert reasons(capsys) == []


def test_an_error_has_its_code_and_its_reason(tmp_path: Path, capsys: Capture) -> None:
    def refuse(_: Context) -> None:
        raise NotPermitted("must be root")

    log = tmp_path / "log"
    assert agent_that(refuse).run(["start"], {**BASE, "HA_LOGFILE": str(log)}) == 4
    assert reasons(capsys) == ["ocf-exit-reason:must be root"]
    assert "example(rsc)[" in log.read_text()
    assert log.read_text().endswith("]:    ERROR: must be root\n")


def test_an_exit_reason_is_one_line(capsys: Capture) -> None:
    assert run("fail", OCF_RESKEY_port="80", OCF_RESKEY_state="/x") == 1
    assert reasons(capsys) == ["ocf-exit-reason:no luck: not today"]


def test_a_bug_is_an_internal_error(tmp_path: Path, capsys: Capture) -> None:
    log = tmp_path / "log"
    environ = {"OCF_RESKEY_port": "80", "OCF_RESKEY_state": "/bug", "HA_LOGFILE": str(log)}
    assert run("fail", **environ) == 1
    assert reasons(capsys) == ["ocf-exit-reason:internal error: ZeroDivisionError: by zero"]
    assert "ERROR: Traceback (most recent call last):" in log.read_text()


def test_an_interrupt(capsys: Capture) -> None:
    def interrupt(_: Context) -> None:
        raise KeyboardInterrupt

    assert agent_that(interrupt).run(["start"], BASE) == 1
    assert reasons(capsys) == ["ocf-exit-reason:interrupted"]


@pytest.mark.parametrize("code", [None, *ExitCode])
def test_the_code_of_a_handler_is_the_code_of_the_run(code: ExitCode | None) -> None:
    assert agent_that(lambda _: code).run(["start"], BASE) == (code or 0)


def test_a_trace_has_the_run_but_no_values(tmp_path: Path, capsys: Capture) -> None:
    trace = tmp_path / "trace"
    environ = {
        "OCF_RESKEY_port": "80",
        "OCF_RESKEY_state": str(tmp_path / "secret"),
        "OCF_RESKEY_trace_ra": "1",
        "OCF_RESKEY_trace_file": str(trace),
    }
    assert run("start", **environ) == 0
    lines = [line.partition(" ")[2] for line in trace.read_text().splitlines()]
    assert lines == [
        "DEBUG: start begins; parameters set: port, state, trace_ra, trace_file",
        "INFO: started",
        "DEBUG: start ends with 0 (SUCCESS)",
    ]
    assert reasons(capsys) == []


def test_metadata_leaves_no_trace(tmp_path: Path) -> None:
    assert run("meta-data", OCF_TRACE_RA="1", OCF_TRACE_FILE=f"{tmp_path}/") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_run_goes_on_without_its_trace(tmp_path: Path) -> None:
    log = tmp_path / "log"
    environ = {"OCF_TRACE_RA": "1", "OCF_TRACE_FILE": "/dev/null/x", "HA_LOGFILE": str(log)}
    assert run("stop", **environ) == 0
    assert "WARNING: cannot trace: " in log.read_text()
