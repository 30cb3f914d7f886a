"""Trouble of the agent itself: no restart of a serving resource; beginning and end in the log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lvsdr.errors import (
    Busy,
    ExitCode,
    LvsdrError,
    NotInstalled,
    NotPermitted,
    NotRunning,
    OutOfOrder,
)
from lvsdr.ocf.actions import Action
from lvsdr.ocf.context import Context

from tests.unit.ocf.example import AGENT

Handler = Callable[[Context], "ExitCode | None"]

RECURRING = {"OCF_RESKEY_CRM_meta_interval": "5000"}
PROBE = {"OCF_RESKEY_CRM_meta_interval": "0"}
TROUBLE = [
    LvsdrError("ipvsadm -Sn: exit status 1"),
    NotInstalled("ipvsadm cannot be executed"),
    NotPermitted("only root may"),
    Busy("another action of this resource is still running"),
    RuntimeError("can't start new thread"),
    OSError(28, "No space left on device"),
    MemoryError(),
    ZeroDivisionError("a bug"),
]
each = pytest.mark.parametrize("trouble", TROUBLE, ids=lambda error: type(error).__name__)


class Resource:
    """A resource with an action that ends as the test demands."""

    def __init__(self, directory: Path, serves: bool | Exception = True) -> None:
        self._directory = directory
        self._serves = serves

    def run(self, end: object, action: str = "monitor", **environ: str) -> int:
        """Run the action, which raises ``end`` or reports these reasons for a degradation."""
        agent = AGENT._replace(
            actions=(Action(action, self._handler(end), "20s"),),
            still_serves=self._look,
            is_active=self._look,
        )
        basic = {"OCF_RESOURCE_INSTANCE": "rsc", "HA_RSCTMP": str(self._directory)}
        log = {"HA_LOGFILE": str(self._directory / "log")}
        return agent.run([action], {**basic, **log, **(environ or RECURRING)})

    def news(self) -> list[str]:
        """Return the new lines of the log since the last call, without those of tracebacks."""
        path = self._directory / "log"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line.partition(":    ")[2] for line in lines if "ERROR: " not in line]

    def _look(self, _: Context) -> bool:
        if isinstance(self._serves, Exception):
            raise self._serves
        return self._serves

    @staticmethod
    def _handler(end: object) -> Handler:
        if callable(end):
            return end

        def handler(context: Context) -> ExitCode | None:
            if isinstance(end, Exception):
                raise end
            if not isinstance(end, tuple) or not end:
                return None
            context.log.exit_reason(*end, logged=False)
            return ExitCode.DEGRADED

        return handler


@each
@pytest.mark.parametrize("action", ["monitor", "reload-agent"])
def test_a_serving_resource_is_not_restarted(
    trouble: Exception, action: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Resource(tmp_path).run(trouble, action) == ExitCode.DEGRADED
    reason = capsys.readouterr().err.splitlines()[-1]
    assert reason.startswith("ocf-exit-reason:")
    assert str(trouble) in reason
    assert reason.endswith(": left as it is")


@each
def test_a_resource_that_does_not_serve_has_failed(trouble: Exception, tmp_path: Path) -> None:
    code = trouble.exit_code if isinstance(trouble, LvsdrError) else ExitCode.ERR_GENERIC
    assert Resource(tmp_path, serves=False).run(trouble) == code


@each
@pytest.mark.parametrize("action", ["start", "stop"])
def test_other_actions_fail(trouble: Exception, action: str, tmp_path: Path) -> None:
    code = trouble.exit_code if isinstance(trouble, LvsdrError) else ExitCode.ERR_GENERIC
    assert Resource(tmp_path).run(trouble, action) == code


@each
def test_a_stop_that_leaves_nothing_active_has_done_its_work(
    trouble: Exception, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stop that leaves nothing active succeeds despite trouble.

    A stop that fails would have the node fenced.
    """
    resource = Resource(tmp_path, serves=False)
    assert resource.run(trouble, "stop") == ExitCode.SUCCESS
    (line,) = resource.news()
    assert line.startswith("WARNING: stopped, but not all was put in order: ")
    assert str(trouble) in line
    assert "ocf-exit-reason" not in capsys.readouterr().err


@each
def test_a_stop_with_an_unknown_result_has_failed(trouble: Exception, tmp_path: Path) -> None:
    assert Resource(tmp_path, serves=OSError(24, "Too many")).run(trouble, "stop") != 0


def test_a_resource_in_an_unknown_state_is_not_restarted(tmp_path: Path) -> None:
    resource = Resource(tmp_path, serves=OSError(24, "Too many open files"))
    assert resource.run(MemoryError()) == ExitCode.DEGRADED


def test_an_error_that_a_restart_cures_causes_one(tmp_path: Path) -> None:
    assert Resource(tmp_path).run(OutOfOrder("arp_ignore is 0")) == ExitCode.ERR_GENERIC
    assert Resource(tmp_path).run(NotRunning("gone")) == ExitCode.NOT_RUNNING


def test_a_degradation_is_logged_when_it_begins_and_when_it_ends(tmp_path: Path) -> None:
    resource = Resource(tmp_path)
    first, second = "node1 kept as it is: no address", "crm_mon: no answer"
    assert resource.run((first,)) == ExitCode.DEGRADED
    assert resource.news() == [f"WARNING: {first}"]
    resource.run((first,))
    assert resource.news() == []
    resource.run((first, second))
    assert resource.news() == [f"WARNING: {second}"]
    resource.run((second,))
    assert resource.news() == [f"INFO: no longer the case: {first}"]
    assert resource.run(()) == ExitCode.SUCCESS
    assert resource.news() == [f"INFO: well again; no longer the case: {second}"]
    resource.run(())
    assert resource.news() == []
    assert list(tmp_path.glob("lvsdr-*")) == []


def test_a_reason_that_is_logged_each_time_is_no_end_of_the_degradation(tmp_path: Path) -> None:
    """A reason that is logged each time does not end the degradation.

    An address behind a gate is such a case: it is released at the end of a degradation.
    """
    resource = Resource(tmp_path)
    resource.run(("store: no answer",))
    resource.news()

    def release(context: Context) -> ExitCode:
        context.log.exit_reason("address released")
        return ExitCode.DEGRADED_PROMOTED

    assert resource.run(release) == ExitCode.DEGRADED_PROMOTED
    assert resource.news() == ["INFO: no longer the case: store: no answer"]
    resource.run(())
    assert resource.news() == ["INFO: well again; no longer the case: address released"]


def test_trouble_is_logged_once(tmp_path: Path) -> None:
    resource = Resource(tmp_path)
    for expected in (["WARNING: no luck: left as it is"], []):
        resource.run(LvsdrError("no luck"))
        assert resource.news() == expected


def test_a_bug_leaves_its_traceback_once(tmp_path: Path) -> None:
    resource = Resource(tmp_path)
    resource.run(ZeroDivisionError())
    log = tmp_path / "log"
    assert log.read_text().count("Traceback") == 1
    resource.run(ZeroDivisionError())
    assert log.read_text().count("Traceback") == 1


def test_a_probe_knows_nothing_of_degradations(tmp_path: Path) -> None:
    resource = Resource(tmp_path)
    resource.run(("no answer",))
    resource.news()
    assert resource.run((), **PROBE) == ExitCode.SUCCESS
    assert resource.news() == []
    assert (tmp_path / "lvsdr-rsc.degraded").exists()


def test_stop_ends_it(tmp_path: Path) -> None:
    resource = Resource(tmp_path)
    resource.run(("no answer",))
    resource.run((), "stop")
    assert list(tmp_path.glob("lvsdr-*")) == []


def test_reasons_that_cannot_be_kept_are_logged_again(tmp_path: Path) -> None:
    (tmp_path / "lvsdr-rsc.degraded").mkdir()
    resource = Resource(tmp_path)
    for _ in range(2):
        assert resource.run(("no answer",)) == ExitCode.DEGRADED
        assert resource.news() == ["WARNING: no answer"]
