"""Reports of a bring-up of the cluster, and suggestions of the shell on it."""

from __future__ import annotations

import time

from lvsdr.pacemaker.cluster import ClusterState, Instance, Role

from tests.cluster.progress import Progress, StartReport, started
from tests.cluster.shell import LONG, first_suggestions, listed, suggestions


def instance(node: str, role: Role, failed: bool = False) -> Instance:
    return Instance(node, role, active=True, failed=failed, blocked=False, managed=True)


def state(**resources: list[Instance]) -> ClusterState:
    return ClusterState({}, {name: tuple(found) for name, found in resources.items()}, {})


STANDBY, PRIMARY = instance("node1", Role.UNPROMOTED), instance("node1", Role.PROMOTED)


def test_a_line_says_since_when() -> None:
    lines: list[str] = []
    Progress(lines.append, time.time() - 12.2).say("three nodes are up")
    assert lines == ["cluster: 12 s: three nodes are up"]


def test_warnings_alone_are_written_where_it_is_quiet() -> None:
    lines: list[str] = []
    progress = Progress(lines.append, time.time(), quiet=True)
    progress.say("three nodes are up")
    progress.warn("Pacemaker has ended")
    assert lines == ["cluster: 0 s: Pacemaker has ended"]


def test_starts_and_changes_of_role_are_reported_once() -> None:
    assert started(None, state(pgsql=[STANDBY])) == ["pgsql Unpromoted on node1"]
    assert started(state(pgsql=[STANDBY]), state(pgsql=[PRIMARY])) == ["pgsql Promoted on node1"]
    assert started(state(pgsql=[PRIMARY]), state(pgsql=[PRIMARY])) == []


def test_pending_and_failed_resources_and_clones_are_not_reported() -> None:
    starting = [instance("node1", Role.STARTING), instance("node2", Role.STARTED, failed=True)]
    assert started(None, state(pgsql=starting)) == []
    assert started(None, state(**{"pgsql-clone": [PRIMARY]})) == []


def test_a_state_that_cannot_be_seen_is_no_news() -> None:
    lines: list[str] = []
    states = [None, state(pgsql=[STANDBY])]
    report = StartReport(Progress(lines.append), lambda: states.pop(0), pause=0.0)
    report()
    report()
    assert [line.partition(" s: ")[2] for line in lines] == ["pgsql Unpromoted on node1"]


def test_a_long_suggestion_does_not_move_the_remarks_of_the_others() -> None:
    tried = first_suggestions()
    shown = zip(listed(tried).splitlines(), tried)
    columns = {line.index("   # ") for line, (typed, _) in shown if len(typed) < LONG}
    assert len(columns) == 1


def test_nothing_is_suggested_twice() -> None:
    for tried in (suggestions("node1", "node2"), first_suggestions()):
        lines = [line for line, _ in tried]
        assert len({*lines}) == len(lines)
