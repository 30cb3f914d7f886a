"""Fixtures of the cluster that all tests share, evidence of failed tests, and reports of drills."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import pytest
from lvsdr.pacemaker.cluster import Role

from tests.cluster import foreign_service
from tests.cluster.cluster import Cluster
from tests.cluster.drill import Drill, recover
from tests.cluster.example import Example, assert_example_serves
from tests.cluster.observed_state import directors
from tests.cluster.progress import Progress
from tests.cluster.report import Report, table
from tests.lab.network import require_lab

DRILLED = "4-roles"  # the example that all drills are made with
REPORTS = pytest.StashKey[list[Report]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the number of measurements in test_reaction.py."""
    help_text = "measurements of each kind of change (default 1)"
    parser.addoption("--turns", type=int, default=1, help=help_text)


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Yield the machines, in the state that earlier tests have left."""
    require_lab()
    with Cluster(Progress(visible_line(request.config))) as cluster:
        yield cluster


def visible_line(config: pytest.Config) -> Callable[[str], None]:
    """Return a function that writes a line which pytest does not capture."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    assert reporter
    assert capture

    def write(line: str) -> None:
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(line, flush=True)

    return write


@pytest.fixture(scope="module")
def replicated(cluster: Cluster) -> Cluster:
    """Return the cluster with examples/4-roles.sh, reused from earlier drills if there were any."""
    if cluster.configuration != DRILLED:
        assert_example_serves(Example(cluster, DRILLED))
    return cluster


@pytest.fixture
def reports(request: pytest.FixtureRequest) -> list[Report]:
    """Return the reports of all drills so far, for the table at the end."""
    return request.config.stash.setdefault(REPORTS, [])


@pytest.fixture
def drill(
    request: pytest.FixtureRequest, replicated: Cluster, reports: list[Report]
) -> Iterator[Drill]:
    """Yield a drill that begins in a whole cluster, with the director on a node of this role.

    Afterwards it asserts that foreign services are unchanged, and that one node has the read
    service.
    """
    recover(replicated, getattr(request, "param", Role.UNPROMOTED))
    for node in replicated.nodes:
        foreign_service.add(node)
    name = request.node.name[len("test_") :].replace("_", " ")
    with Drill(name, replicated) as drill:
        yield drill
        reports.append(drill.report())
        print("", reports[-1], *drill.seen, *drill.clients.failures, sep="\n")
    assert foreign_service.untouched(replicated.nodes)
    assert len(directors(replicated)) == 1


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the reports of all drills, even if some have failed."""
    reports = config.stash.get(REPORTS, [])
    if reports:
        terminalreporter.section("drills")
        terminalreporter.write_line("\n".join(table(reports)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Collect the evidence of all machines when a test has failed, before any cleanup."""
    report = yield
    cluster = getattr(item, "funcargs", {}).get("cluster")
    if report.failed and isinstance(cluster, Cluster):
        # The module's name distinguishes it from evidence of parallel boots.
        directory = cluster.collect(f"{item.path.stem}-{item.name}-{call.when}")
        report.sections.append(("evidence of the machines", f"is in {directory}"))
    return report
