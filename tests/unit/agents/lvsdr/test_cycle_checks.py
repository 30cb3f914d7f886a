"""The checks of one cycle: counted answers of the script, and the results of the watcher."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from lvsdr.agents.lvsdr.cycle_checks import CheckTargets, CycleChecks
from lvsdr.agents.lvsdr.parameter_rules import PARAMETERS
from lvsdr.agents.lvsdr.settings import DirectorSettings, read_settings
from lvsdr.ocf.context import Context
from lvsdr.ocf.log import Log
from lvsdr.pool.check_history import CheckResult, CheckState, Reply, begin_state, render_board
from lvsdr.pool.model import Candidate, Located, Outcome, Verdict
from lvsdr.system.process.identity import find_own_process
from lvsdr.system.saved_facts import store_facts
from lvsdr.watcher.control import Record, store_record
from lvsdr.watcher.facts import CHECKS, build_paths

STANDS = Verdict(Outcome.IN, "runs db")
NODES = [Candidate("node1", STANDS), Candidate("node2", STANDS)]
WITH_SCRIPT = {"realserver_check_active_real_server_script": "/opt/check -h"}
WITH_CHECK = {"realserver_check": "tcp"}


class Resource:
    """A resource with its files in a directory."""

    def __init__(self, directory: Path, given: Mapping[str, str]) -> None:
        texts = {"vip": "10.9.0.20", "port": "5432", **given}
        self.environ = {f"OCF_RESKEY_{name}": text for name, text in texts.items()}
        self.environ["HA_RSCTMP"] = str(directory)
        self.settings: DirectorSettings = read_settings(PARAMETERS.parse(self.environ))

    def checks(self, action: str = "monitor") -> CycleChecks:
        """Return the checks of one cycle."""
        log = Log("lvsdr", self.environ)
        return CycleChecks(self.settings, Context("lvsdr", action, PARAMETERS, self.environ, log))

    def store_results(self, board: Mapping[str, CheckState]) -> None:
        """Store results as the watcher does."""
        facts = render_board(board, "tcp 5432")
        store_facts(build_paths(self.environ, "lvsdr").checks, CHECKS, facts)

    def record_watcher(self, age: float) -> None:
        """Record a watcher that was started so many seconds ago."""
        record = Record(find_own_process(), time.monotonic() - age)
        store_record(build_paths(self.environ, "lvsdr").record, record)

    def call_script(self, *outcomes: Outcome) -> list[Candidate]:
        """Run one cycle in which the script has these outcomes; return the candidates."""
        checks = self.checks()
        after = [c._replace(verdict=Verdict(o, "check")) for c, o in zip(NODES, outcomes)]
        judged = checks.count_answers(NODES, after)
        checks.conclude(NODES, located(NODES), [])
        assert checks.save_counts() == ()
        return judged

    def judge(self, action: str = "monitor") -> tuple[list[Outcome], list[str]]:
        """Return the outcomes of the nodes by the results of the watcher, and the complaints."""
        servers, complaints = self.checks(action).judge_servers(located(NODES), [])
        return [server.verdict.outcome for server in servers], complaints


def located(candidates: list[Candidate]) -> list[Located]:
    return [
        Located(candidate.host, f"10.9.0.{number}", 1, candidate.verdict)
        for number, candidate in enumerate(candidates, start=1)
    ]


def counted(*replies: Reply) -> CheckState:
    """Return the state of a host whose last checks had these results."""
    now = time.monotonic()
    state = begin_state(now - len(replies))
    failures = sum(reply is Reply.REFUSED for reply in replies)
    last = CheckResult(replies[-1], replies[-1].value, now - 0.1, now)
    return state._replace(
        last=last, failures=failures, refusals=failures, failed_at=now - 2, down=failures >= 3
    )


# --- the check script


def test_the_answers_are_counted_from_cycle_to_cycle(tmp_path: Path) -> None:
    resource = Resource(tmp_path, WITH_SCRIPT)
    outcomes = [
        [c.verdict.outcome.name for c in resource.call_script(*answers)]
        for answers in [
            (Outcome.IN, Outcome.IN),
            *3 * [(Outcome.FAILED, Outcome.IN)],
            *2 * [(Outcome.IN, Outcome.WITHDRAWN)],
        ]
    ]
    assert outcomes == [
        ["IN", "IN"],
        ["IN", "IN"],
        ["IN", "IN"],
        ["FAILED", "IN"],
        ["UNKNOWN", "WITHDRAWN"],
        ["IN", "WITHDRAWN"],
    ]


@pytest.mark.parametrize("command", ["/opt/check -p 5433", "/other/check -h"])
def test_another_command_begins_anew(tmp_path: Path, command: str) -> None:
    for _ in range(2):
        Resource(tmp_path, WITH_SCRIPT).call_script(Outcome.FAILED, Outcome.IN)
    other = Resource(tmp_path, {"realserver_check_active_real_server_script": command})
    (node1, _) = other.call_script(Outcome.FAILED, Outcome.IN)
    assert node1.verdict.reason == "1 of 3 failures: check"


def test_without_a_script_the_counts_end(tmp_path: Path) -> None:
    Resource(tmp_path, WITH_SCRIPT).call_script(Outcome.FAILED, Outcome.IN)
    assert [path.suffix for path in tmp_path.iterdir()] == [".script-checks"]
    Resource(tmp_path, {}).call_script(Outcome.IN, Outcome.IN)
    assert list(tmp_path.iterdir()) == []


def test_the_arguments_of_the_script_are_not_stored(tmp_path: Path) -> None:
    secret = {"realserver_check_active_real_server_script": "/opt/check --password=geheim"}
    Resource(tmp_path, secret).call_script(Outcome.FAILED, Outcome.IN)
    (path,) = tmp_path.iterdir()
    assert "geheim" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_cycle_that_knows_no_candidates_keeps_the_counts(tmp_path: Path) -> None:
    resource = Resource(tmp_path, WITH_SCRIPT)
    for _ in range(2):
        resource.call_script(Outcome.FAILED, Outcome.IN)
    blind = resource.checks()
    unknown = [c._replace(verdict=Verdict(Outcome.UNKNOWN, "no answer")) for c in NODES]
    blind.count_answers(unknown, unknown)
    assert blind.save_counts() == ()
    (node1, _) = resource.call_script(Outcome.FAILED, Outcome.IN)
    assert node1.verdict.reason == "3 failures: check"


def test_a_failure_is_judged_after_all_answers_are_there(tmp_path: Path) -> None:
    resource = Resource(tmp_path, WITH_SCRIPT)
    for _ in range(3):
        resource.call_script(Outcome.FAILED, Outcome.IN)
    after = [NODES[0]._replace(verdict=Verdict(Outcome.FAILED, "check")), NODES[1]]
    judged = resource.checks().count_answers(NODES, after, interim=True)
    assert [c.verdict.outcome for c in judged] == [Outcome.UNKNOWN, Outcome.IN]


# --- the results of the watcher


def test_the_results_of_the_watcher_decide(tmp_path: Path) -> None:
    resource = Resource(tmp_path, WITH_CHECK)
    resource.record_watcher(age=60.0)
    resource.store_results({"node1": counted(*3 * [Reply.REFUSED]), "node2": counted(Reply.FIT)})
    assert resource.judge() == ([Outcome.FAILED, Outcome.IN], [])


def test_old_results_do_not_count(tmp_path: Path) -> None:
    resource = Resource(tmp_path, WITH_CHECK)
    resource.record_watcher(age=60.0)
    old = counted(*3 * [Reply.REFUSED])
    last = old.last._replace(began=old.last.began - 9, ended=old.last.ended - 9)
    resource.store_results({"node1": old._replace(last=last), "node2": counted(Reply.FIT)})
    outcomes, complaints = resource.judge()
    assert outcomes == [Outcome.IN, Outcome.IN]
    assert complaints == ["node1: no recent check result; the cluster's state alone counts"]


def test_results_of_another_check_do_not_count(tmp_path: Path) -> None:
    resource = Resource(tmp_path, {**WITH_CHECK, "port": "80"})
    resource.record_watcher(age=60.0)
    resource.store_results({"node1": counted(*3 * [Reply.REFUSED]), "node2": counted(Reply.FIT)})
    assert resource.judge() == (
        [Outcome.IN, Outcome.IN],
        ["the watcher has stored no result of a health check: the cluster's state alone counts"],
    )


@pytest.mark.parametrize(
    ("action", "complaints"),
    [
        ("monitor", ["no watcher makes the health checks: the cluster's state alone counts"]),
        ("reconcile", ["no watcher makes the health checks: the cluster's state alone counts"]),
        ("start", []),
        ("reload-agent", []),
    ],
)
def test_a_missing_watcher_is_reported_unless_the_action_starts_one(
    tmp_path: Path, action: str, complaints: list[str]
) -> None:
    resource = Resource(tmp_path, WITH_CHECK)
    assert resource.judge(action) == ([Outcome.IN, Outcome.IN], complaints)


def test_a_watcher_that_has_just_begun_is_not_reported(tmp_path: Path) -> None:
    resource = Resource(tmp_path, WITH_CHECK)
    resource.record_watcher(age=0.5)
    assert resource.judge() == ([Outcome.IN, Outcome.IN], [])


def test_without_a_check_no_file_is_read(tmp_path: Path) -> None:
    resource = Resource(tmp_path, {})
    os.mkfifo(build_paths(resource.environ, "lvsdr").checks)  # a reader would hang
    assert resource.judge() == ([Outcome.IN, Outcome.IN], [])


# --- the hosts to check


def test_candidates_that_are_in_and_usable_fallbacks_are_checked(tmp_path: Path) -> None:
    checks = Resource(tmp_path, WITH_CHECK).checks()
    assert checks.targets is None
    leaving = Candidate("node3", Verdict(Outcome.WITHDRAWN, "on standby"))
    servers = located([*NODES, leaving])
    servers[1] = servers[1]._replace(address=None)
    fallback = [
        Located("node1", "10.9.0.1", 1, STANDS),
        Located("node3", "10.9.0.3", 1, STANDS),
        Located("node4", "10.9.0.4", 0, STANDS),
        Located("node5", None, 1, STANDS),
        Located("node6", "10.9.0.6", 1, Verdict(Outcome.FAILED, "offline")),
    ]
    checks.conclude([*NODES, leaving], servers, fallback)
    assert checks.targets == CheckTargets(
        {"node1": "10.9.0.1", "node3": "10.9.0.3"}, frozenset({"node3"})
    )
