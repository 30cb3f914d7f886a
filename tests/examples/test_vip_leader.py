"""The address that follows a leader's key: pcs accepts it, Pacemaker reacts as the agent needs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from lvsdr.agents.vip.gate.leadership import KEEPING_SCORE, LEADING_SCORE
from lvsdr.agents.vip.gate.parameter_rules import PARAMETERS
from lvsdr.agents.vip.gate.settings import read_gate, read_policy
from lvsdr.ocf.value_parsers import duration
from lvsdr.pacemaker.cluster import Role
from lxml import etree

from tests.examples.cluster import NODES, Action, Cluster
from tests.examples.conftest import Configured, run
from tests.examples.test_configured import complaints, parameters, primitive

NAME = "leader-vip"
PROMOTED_MONITOR = f"{NAME}_monitor_3000"


@pytest.fixture(scope="module")
def configured(inside: list[str], tmp_path_factory: pytest.TempPathFactory) -> Configured:
    return run(inside, tmp_path_factory.mktemp("vip-leader"), "vip-leader", {})


@pytest.fixture
def cluster(configured: Configured, tmp_path: Path) -> Cluster:
    """Return the cluster in operation, with node1 as the leader."""
    made = configured.cluster.copy(tmp_path / "cluster.xml")
    made.react()
    prefer(made, node1=LEADING_SCORE)
    made.react()
    assert made.only(NAME, Role.PROMOTED) == "node1"
    return made


def prefer(cluster: Cluster, **scores: int | None) -> None:
    """Set promotion scores as the agent's monitors would; None removes one."""
    for node, score in scores.items():
        wish = "--delete" if score is None else f"--update={score}"
        where = (f"--node={node}", "--lifetime=reboot", f"--promotion={NAME}")
        cluster.tool("crm_attribute", *where, wish)


def test_pcs_accepts_it_without_a_complaint(configured: Configured) -> None:
    assert (complaints(configured.said), configured.status) == ([], 0), configured.said


def test_pacemaker_finds_nothing_wrong(configured: Configured) -> None:
    verify = ["crm_verify", "-V", "--xml-file", str(configured.cluster.cib)]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (done.stdout + done.stderr, done.returncode) == ("", 0)


def test_the_agent_understands_it(configured: Configured) -> None:
    given = parameters(configured.cluster, NAME)
    values = PARAMETERS.parse({f"OCF_RESKEY_{name}": given[name] for name in given})
    found = read_gate(values, "node1")
    assert (found.kind, len(found.settings.endpoints), found.settings.value) == ("etcd", 3, "node1")


def test_it_looks_three_times_in_the_grace(configured: Configured) -> None:
    given = parameters(configured.cluster, NAME)
    values = PARAMETERS.parse({f"OCF_RESKEY_{name}": given[name] for name in given})
    found = primitive(configured.cluster, NAME).iterfind("operations/op[@name='monitor']")
    intervals = [duration(str(op.get("interval"))) for op in found]
    assert len(intervals) == 2
    assert max(intervals) * 3 <= read_policy(values).grace


def test_only_the_leader_in_the_store_is_promoted(configured: Configured) -> None:
    cluster = configured.cluster
    cluster.react()
    assert cluster.where(NAME) == set(NODES)
    assert cluster.where(NAME, Role.PROMOTED) == set()


def test_the_score_alone_leads_to_a_demotion(cluster: Cluster) -> None:
    """A missing score causes a demotion, without a failure or a stop."""
    prefer(cluster, node1=None)
    assert set(cluster.react().before) == {Action("demote", NAME, "node1")}
    assert cluster.where(NAME, Role.UNPROMOTED) == set(NODES)


def test_the_old_one_is_demoted_before_the_new_one_is_promoted(cluster: Cluster) -> None:
    prefer(cluster, node1=None, node2=LEADING_SCORE)
    done = cluster.react()
    demote, promote = Action("demote", NAME, "node1"), Action("promote", NAME, "node2")
    assert set(done.before) == {demote, promote}
    assert done.keeps_order(demote, promote)


def test_the_leader_in_the_store_precedes_a_kept_holder(cluster: Cluster) -> None:
    prefer(cluster, node1=KEEPING_SCORE)
    assert not cluster.react().before
    prefer(cluster, node2=LEADING_SCORE)
    cluster.react()
    assert cluster.only(NAME, Role.PROMOTED) == "node2"


def answered(cluster: Cluster, node: str, code: int) -> None:
    """Record this exit code of the promoted instance's monitor, for which Pacemaker expects 8."""
    document = etree.parse(cluster.cib)
    where = f".//node_state[@uname='{node}']//lrm_rsc_op[@operation_key='{NAME}_monitor_3000']"
    (operation,) = document.getroot().iterfind(where)
    key = str(operation.get("transition-key"))
    assert key.split(":")[2] == "8"
    operation.set("rc-code", str(code))
    operation.set("transition-magic", f"0:{code};{key}")
    document.write(str(cluster.cib))


@pytest.mark.parametrize(
    ("code", "tasks"),
    [
        pytest.param(191, {"demote"}, id="promoted"),
        pytest.param(0, {"demote", "stop", "start"}, id="unpromoted"),
        pytest.param(7, {"demote", "stop", "start"}, id="not running"),
        pytest.param(9, {"demote", "stop", "start"}, id="failed"),
    ],
)
def test_actions_after_a_release(cluster: Cluster, code: int, tasks: set[str]) -> None:
    prefer(cluster, node1=None)
    answered(cluster, "node1", code)
    assert {action.task for action in cluster.react().before} == tasks
