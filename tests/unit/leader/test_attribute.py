"""A node attribute, read with the real crm_mon from clusters that are files."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr import leader
from lvsdr.leader.gate import Leadership, State
from lvsdr.leader.settings import GivenSettings
from lvsdr.system.net.first_answer import Bell
from lvsdr.values.deadline import Deadline

from tests.unit.crm import cib

PATIENCE = 20.0


def said(node: str, value: str, name: str = "pgsql-status") -> Leadership:
    settings = leader.build_settings("attribute", node, GivenSettings(key=name, value=value))
    return leader.query_store(
        leader.open_store("attribute", settings), Deadline.after(PATIENCE)
    ).leadership


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIB_file", str(cib("steady")))


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize(
    ("node", "value", "state", "reason", "name"),
    [
        ("node2", "PRI", State.LEADER, "pgsql-status is PRI on node2", "node2"),
        ("node1", "PRI", State.FOLLOWER, "pgsql-status is PRI on node2", "node2"),
        ("node2", "PR", State.NO_LEADER, "pgsql-status is PR on no node", None),
        (
            "node2",
            "HS:async",
            State.FOLLOWER,
            "pgsql-status is HS:async on node1 and node3",
            "node1 and node3",
        ),
        ("node1", "HS:async", State.UNKNOWN, "pgsql-status is HS:async on node1 and node3", None),
        ("node9", "PRI", State.UNKNOWN, "node9 is no node of this cluster", None),
    ],
)
def test_the_only_holder_of_the_attribute_leads(
    node: str, value: str, state: State, reason: str, name: str | None
) -> None:
    assert said(node, value) == (state, reason, name)


@pytest.mark.usefixtures("steady")
def test_an_attribute_that_no_node_has() -> None:
    assert said("node1", "1", "no-such-attribute").state is State.NO_LEADER


def test_without_quorum_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition without quorum knows nothing: the others may have gone on without it."""
    copy = tmp_path / "cib.xml"
    copy.write_text(cib("steady").read_text().replace('have-quorum="1"', 'have-quorum="0"'))
    monkeypatch.setenv("CIB_file", str(copy))
    found = said("node2", "PRI")
    assert found == (State.UNKNOWN, "this part of the cluster has no quorum", None)


def test_a_node_that_is_gone_does_not_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIB_file", str(cib("node3-crashed")))
    assert said("node3", "HS:async").state is not State.LEADER


def test_without_a_cluster_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIB_file", "/no/such/file")
    assert said("node1", "PRI").state is State.UNKNOWN
    monkeypatch.setenv("PATH", "/nowhere")
    found = said("node1", "PRI")
    assert (found.state, found.reason[:8]) == (State.UNKNOWN, "crm_mon:")


def test_a_wait_is_cancelled() -> None:
    settings = leader.build_settings("attribute", "node1", GivenSettings(key="k", value="v"))
    store, bell = leader.open_store("attribute", settings), Bell()
    store.wait(Deadline.after(0.01), bell)
    bell.stop()
    store.wait(Deadline.after(PATIENCE), bell)


def test_an_attribute_with_two_values_names_no_leader(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ambiguous attribute names no leader.

    Two nodes of one name are online; crm_mon shows the attributes of both.
    """
    monkeypatch.setenv("CIB_file", str(cib("two-online-entries")))
    assert said("node1", "1", "ready").reason == "ready is ambiguous on node2"
