"""The agents as Pacemaker and its administrators use them: through pcs, crm_resource, crm_mon.

The nodes are the real servers, without a database. Each test leaves a pool of all nodes, a running
director, and no node or resource that is banned, unmanaged, or on standby.

Tests that change parameters precede the ones that make Pacemaker probe active resources. Pacemaker
2.1.5 records no reload digest for a probe that found a resource, so the next change would be a
restart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from lvsdr.agents import AGENTS, describe_agent
from lvsdr.pacemaker.cluster import Role

from tests.cluster.addresses import LANGUAGES, NODES, READ_VIP
from tests.cluster.cluster import Cluster
from tests.cluster.machine import NEUTRAL
from tests.cluster.node import Node
from tests.cluster.observed_state import balances, in_role, pool, pool_watched
from tests.cluster.operation_history import History
from tests.cluster.timeouts import PAUSE
from tests.support.waiting import wait_until

MINUTES = 6  # see tests/support/shared_tests.py
PATIENCE = 120.0  # seconds
SERVICE, ADDRESS, REAL_SERVERS, DIRECTOR = "lvs", "read-vip", "real", "director"
RESOURCES = (SERVICE, ADDRESS, REAL_SERVERS)
WEIGHTS = {"node1": 1, "node2": 1, "node3": 1}

# Agents by their short names, as an administrator would create them.
CONFIGURATION = f"""
cib=$(mktemp)
pcs cluster cib $cib
cp $cib $cib.before
pcs -f $cib resource create {REAL_SERVERS} lvsdr-realsvr vip={READ_VIP} \\
    op start timeout=60s op stop timeout=60s op monitor interval=30s timeout=60s clone
pcs -f $cib resource create {SERVICE} lvsdr vip={READ_VIP} port=5432 \\
    realserver_dependent_resource={REAL_SERVERS}-clone \\
    op start timeout=60s op stop timeout=60s op monitor interval=6s timeout=60s \\
    --group {DIRECTOR}
pcs -f $cib resource create {ADDRESS} vip ip={READ_VIP} cidr_netmask=24 \\
    op start timeout=60s op stop timeout=60s op monitor interval=6s timeout=60s \\
    --group {DIRECTOR}
pcs -f $cib resource defaults update resource-stickiness=100
pcs cluster cib-push $cib diff-against=$cib.before
"""


@pytest.fixture(scope="module")
def beginning(cluster: Cluster) -> Iterator[History]:
    """Yield the history of a new configuration; each node's Pacemaker uses another language."""
    for node, language in zip(cluster.nodes, LANGUAGES):
        node.language = language
    cluster.renew()
    history = History(cluster.nodes)
    cluster.node1.run(["/bin/sh", "-euc", CONFIGURATION], timeout=PATIENCE)
    yield history
    for node in cluster.nodes:
        node.language = NEUTRAL


@pytest.fixture
def balanced(cluster: Cluster, beginning: History) -> Iterator[Cluster]:  # noqa: ARG001
    """Yield the cluster when it balances over all nodes; the director must be whole afterwards."""
    wait_for_pool(cluster, WEIGHTS)
    wait_for_address(cluster)
    cluster.settle()
    yield cluster
    assert in_one_place(cluster) is not None


@pytest.fixture
def history(balanced: Cluster) -> History:
    """Return the history of a test."""
    return History(balanced.nodes)


# --- state


def wait_for_pool(cluster: Cluster, weights: dict[str, int] | None) -> None:
    wait_until(
        lambda: pool(cluster), lambda seen: seen == weights, "the pool", PATIENCE, pause=PAUSE
    )


def director(cluster: Cluster) -> Node:
    """Return the node that balances. Raise ValueError unless there is exactly one."""
    (name,) = in_role(cluster.state(), Role.STARTED, SERVICE)
    return next(node for node in cluster.nodes if node.name == name)


def has_address(node: Node) -> bool:
    """Return whether the virtual address is on the node's eth0, which excludes lo."""
    addresses = node.host.run(["ip", "-4", "-oneline", "addr", "show", "dev", "eth0"]).stdout
    return f" {READ_VIP}/" in addresses


def in_one_place(cluster: Cluster) -> Node | None:
    """Return the node that has both service and address if no other has either, else None."""
    found = [(node, balances(node), has_address(node)) for node in cluster.nodes]
    nodes = [node for node, service, address in found if service or address]
    whole = [node for node, service, address in found if service and address]
    return whole[0] if len(whole) == 1 and nodes == whole else None


def wait_for_address(cluster: Cluster, node: Node | None = None) -> None:
    """Wait until service and address are on one node, or on `node` if it is given."""
    wait_until(
        lambda: in_one_place(cluster),
        lambda seen: seen is not None and node in (seen, None),
        "service and address are in one place",
        PATIENCE,
        pause=0.3,
    )


# --- creating and describing


def test_short_names_are_enough(balanced: Cluster) -> None:
    resources = balanced.node2.run(["cibadmin", "--query", "--scope=resources"]).stdout
    found = re.findall(r'class="ocf" type="(\S+)" provider="lvsdr"', resources)
    assert sorted(found) == sorted(AGENTS)


@pytest.mark.parametrize("agent", AGENTS)
def test_pcs_describes_every_parameter(balanced: Cluster, agent: str) -> None:
    described = balanced.node1.pcs("resource", "describe", agent, "--full")
    assert described.startswith(f"ocf:lvsdr:{agent} - ")
    for parameter in describe_agent(agent).all_parameters:
        note = r" \(required\)" if parameter.required else ""
        assert re.search(rf"^  {parameter.name}\b.*{note}", described, re.MULTILINE), parameter


# --- probes


def test_every_node_is_probed_before_anything_starts(balanced: Cluster, beginning: History) -> None:
    done = beginning.done()
    for resource in RESOURCES:
        probed = [it for it in done if (it.action, it.resource) == ("probe", resource)]
        assert sorted({it.node for it in probed}) == list(NODES)
        assert {it.result for it in probed} == {"not running"}
    started = {(it.resource, it.node) for it in done if it.action == "start"}
    here = director(balanced).name
    clone = {(REAL_SERVERS, name) for name in NODES}
    assert started == {(SERVICE, here), (ADDRESS, here), *clone}
    assert {it.result for it in done if it.action != "probe"} == {"ok"}


# --- changing parameters


@pytest.mark.parametrize(
    ("setting", "weights"),
    [
        ("default_weight=3", dict.fromkeys(WEIGHTS, 3)),
        ("weight_of_realservers=node2,7", {**WEIGHTS, "node2": 7}),
    ],
    ids=["default_weight", "weight_of_realservers"],
)
def test_weights_change_in_place(
    balanced: Cluster, history: History, setting: str, weights: dict[str, int]
) -> None:
    name = setting.partition("=")[0]
    balanced.node1.pcs("resource", "update", SERVICE, setting)
    wait_for_pool(balanced, weights)
    balanced.node1.pcs("resource", "update", SERVICE, f"{name}=")
    wait_for_pool(balanced, WEIGHTS)
    balanced.settle()
    assert history.changes() == [("reload-agent", SERVICE)] * 2


def test_the_announcements_change_in_place(balanced: Cluster, history: History) -> None:
    for setting in ("arp_count=2", "arp_count="):
        balanced.node1.pcs("resource", "update", ADDRESS, setting)
        balanced.settle()
    assert history.changes() == [("reload-agent", ADDRESS)] * 2


def test_another_address_restarts_only_its_resources(balanced: Cluster, history: History) -> None:
    """A change of the address restarts the resource and its successors in the group only."""
    for prefix in ("25", "24"):
        balanced.node1.pcs("resource", "update", ADDRESS, f"cidr_netmask={prefix}")
        balanced.settle()
        line = director(balanced).host.run(["ip", "-4", "-o", "addr", "show", "dev", "eth0"]).stdout
        assert f" {READ_VIP}/{prefix} " in line
    assert history.changes() == [("stop", ADDRESS), ("start", ADDRESS)] * 2


def test_a_typing_error_takes_nothing_away(balanced: Cluster, history: History) -> None:
    """A typing error stops no resource.

    Pacemaker counts a reload as a start, and would stop a resource that answers 6 on every node.
    """
    wrong = {SERVICE: "weight_of_realservers=node1,,2", ADDRESS: "arp_count=many"}
    for resource, setting in wrong.items():
        balanced.node1.pcs("resource", "update", resource, setting)
    seen = wait_until(
        lambda: balanced.node2.run(["crm_mon", "-1"]).stdout,
        lambda text: text.count("OCF_DEGRADED") == len(wrong),
        "both say what is wrong",
        PATIENCE,
        pause=0.5,
    )
    for setting in wrong.values():
        assert f"{setting}: must be " in seen
    for resource, setting in wrong.items():
        balanced.node1.pcs("resource", "update", resource, f"{setting.partition('=')[0]}=")
    balanced.settle()
    assert {action for action, _ in history.changes()} == {"reload-agent"}
    assert pool(balanced) == WEIGHTS


# --- reasons


SECRET = "c0nf1dent1al"


def test_a_list_that_fails_is_seen_with_its_reason(balanced: Cluster, history: History) -> None:
    node = director(balanced)
    script = f"/bin/sh -c 'exit 3' psql password={SECRET}"
    setting = f"realserver_get_real_servers_script={script}"
    balanced.node1.pcs("resource", "update", SERVICE, setting)
    seen = wait_until(
        lambda: node.run(["crm_mon", "-1"]).stdout,
        lambda text: "OCF_DEGRADED" in text,
        "the failure is shown",
        PATIENCE,
        pause=0.5,
    )
    assert "(pool kept as it is: sh: exit status 3)" in seen
    assert SECRET not in seen
    assert pool(balanced) == WEIGHTS
    balanced.node1.pcs("resource", "update", SERVICE, setting.partition("=")[0] + "=")
    wait_for_pool(balanced, WEIGHTS)
    balanced.settle()
    assert {action for action, _ in history.changes()} == {"reload-agent"}
    said = [line for line in history.text(node).splitlines() if f"lvsdr({SERVICE})[" in line]
    assert any("exit status 3" in line for line in said)
    assert not [line for line in said if SECRET in line]


def test_a_failed_start_shows_its_reason(balanced: Cluster, history: History) -> None:
    wrong = ["vip=10.77.0.102", "port=70000"]
    balanced.node1.pcs("resource", "create", "wrong", "lvsdr", *wrong)
    seen = wait_until(
        lambda: balanced.node2.run(["crm_mon", "-1"]).stdout,
        lambda text: "wrong start" in text,
        "the failure is shown",
        PATIENCE,
        pause=0.5,
    )
    assert re.search(r"wrong start on node\d returned 'not configured' \(port=70000", seen), seen
    balanced.node1.pcs("resource", "delete", "wrong")
    balanced.settle()
    assert {resource for _, resource in history.changes()} == {"wrong"}


# --- queries by hand


def test_crm_resource_validates_a_configured_resource(balanced: Cluster) -> None:
    completed = balanced.node1.run(["crm_resource", "--validate", "--resource", SERVICE])
    assert "returned 0 (ok)" in completed.stdout


def test_crm_resource_names_an_illegal_value(balanced: Cluster) -> None:
    agent = ["--class=ocf", "--provider=lvsdr", "--agent=lvsdr"]
    options = [f"--option=vip={READ_VIP}", "--option=port=70000"]
    argv = ["crm_resource", "--validate", *agent, *options]
    completed = balanced.node1.run(argv, check=False)
    assert completed.returncode == 6
    assert "port=70000" in completed.stdout + completed.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_language_of_the_administrator_does_not_matter(
    balanced: Cluster, language: str
) -> None:
    node = director(balanced)
    charset = node.run(["env", f"LANG={language}", "locale", "charmap"]).stdout.strip()
    assert charset == language.partition(".")[2]
    for resource in (SERVICE, ADDRESS):
        start = ["crm_resource", "--force-start", "--resource", resource]
        completed = node.run(["env", f"LANG={language}", f"LC_ALL={language}", *start])
        assert "returned 0 (ok)" in completed.stdout
    assert pool(balanced) == WEIGHTS


def test_the_language_of_pacemaker_does_not_matter(balanced: Cluster, history: History) -> None:
    """The director works on every node, each with its own language."""
    here = director(balanced)
    assert {language_of_pacemaker(node) for node in balanced.nodes} == set(LANGUAGES)
    for node in sorted(balanced.nodes, key=lambda node: node is here):
        balanced.node1.run(["pcs", "resource", "move", DIRECTOR, node.name], timeout=PATIENCE)
        balanced.settle()
        assert in_one_place(balanced) is node
        wait_for_pool(balanced, WEIGHTS)
    assert {it.result for it in history.done() if it.action != "probe"} == {"ok"}


def language_of_pacemaker(node: Node) -> str:
    """Return the language in which Pacemaker starts the agents on a node."""
    pid = node.run(["pidof", "pacemaker-execd"]).stdout.strip()
    variables = node.run(["cat", f"/proc/{pid}/environ"]).stdout.split("\0")
    return next(it for it in variables if it.startswith("LANG=")).partition("=")[2]


def test_a_check_by_hand_reports_a_degraded_pool(balanced: Cluster) -> None:
    setting = "realserver_get_real_servers_script"
    balanced.node1.pcs("resource", "update", SERVICE, f"{setting}=/bin/false")
    balanced.settle()
    check = ["crm_resource", "--force-check", "--resource", SERVICE]
    completed = director(balanced).run(check, check=False)
    assert completed.returncode == 190
    assert "pool kept as it is: false: exit status 1" in completed.stdout + completed.stderr
    assert pool(balanced) == WEIGHTS
    balanced.node1.pcs("resource", "update", SERVICE, f"{setting}=")
    balanced.settle()
    assert director(balanced).run(check).returncode == 0


def test_a_check_by_hand_can_be_traced(balanced: Cluster) -> None:
    check = ["crm_resource", "--force-check", "-V", "--resource", SERVICE]
    completed = director(balanced).run(check)
    said = completed.stdout + completed.stderr
    assert "DEBUG: monitor begins; parameters set: vip, port" in said
    assert "DEBUG: monitor ends with 0 (SUCCESS)" in said


def test_an_unmanaged_director_is_stopped_and_started_by_hand(
    balanced: Cluster, history: History
) -> None:
    node = director(balanced)
    balanced.node1.pcs("resource", "unmanage", DIRECTOR, "--monitor")
    balanced.settle()
    for resource in (ADDRESS, SERVICE):
        node.run(["crm_resource", "--force-stop", "--resource", resource])
    assert not balances(node)
    assert not has_address(node)
    for resource in (SERVICE, ADDRESS):
        node.run(["crm_resource", "--force-start", "--resource", resource])
    assert in_one_place(balanced) is node
    assert pool(balanced) == WEIGHTS
    balanced.node1.pcs("resource", "manage", DIRECTOR, "--monitor")
    balanced.settle()
    assert in_one_place(balanced) is node
    assert history.changes() == []


def test_a_refresh_changes_nothing(balanced: Cluster, history: History) -> None:
    """A refresh removes no real server, although Pacemaker briefly forgets the active resources."""
    before = [node.host.proc_ipvs() for node in balanced.nodes]
    expected = {(resource, name) for resource in RESOURCES for name in NODES}
    with pool_watched(balanced) as seen:
        balanced.node3.run(["crm_resource", "--refresh"], timeout=PATIENCE)
        wait_until(
            lambda: {(it.resource, it.node) for it in history.done() if it.action == "probe"},
            lambda probed: probed == expected,
            "all is probed",
            PATIENCE,
            pause=PAUSE,
        )
        balanced.settle()
        wait_for_pool(balanced, WEIGHTS)
    assert {frozenset(weights or ()) for weights in seen} == {frozenset(WEIGHTS)}
    assert history.changes() == []
    assert {it.result for it in history.done()} == {"ok", "not running"}
    assert [node.host.proc_ipvs() for node in balanced.nodes] == before


# --- moving


def test_a_ban_moves_address_and_service_together(balanced: Cluster, history: History) -> None:
    before = director(balanced)
    balanced.node1.pcs("resource", "ban", DIRECTOR, before.name)
    wait_until(lambda: balances(before), lambda seen: not seen, "it leaves", PATIENCE, pause=PAUSE)
    balanced.settle()
    after = in_one_place(balanced)
    assert after not in (None, before)
    wait_for_pool(balanced, WEIGHTS)
    balanced.node1.pcs("resource", "clear", DIRECTOR)
    balanced.settle()
    assert in_one_place(balanced) is after
    moved = [("stop", ADDRESS), ("stop", SERVICE), ("start", SERVICE), ("start", ADDRESS)]
    assert sorted(history.changes()) == sorted(moved)


def test_pcs_moves_the_director_to_the_given_node(balanced: Cluster) -> None:
    here = director(balanced)
    there = next(node for node in balanced.nodes if node is not here)
    move = ["pcs", "resource", "move", DIRECTOR, there.name]
    balanced.node1.run(move, timeout=PATIENCE)
    balanced.settle()
    assert in_one_place(balanced) is there


def test_standby_of_the_director_takes_all_of_it_away(balanced: Cluster) -> None:
    node = director(balanced)
    node.standby()
    wait_until(lambda: balances(node), lambda seen: not seen, "it leaves", PATIENCE, pause=PAUSE)
    balanced.settle()
    rest = {name: weight for name, weight in WEIGHTS.items() if name != node.name}
    wait_for_pool(balanced, rest)
    assert in_one_place(balanced) not in (None, node)
    assert READ_VIP not in node.run(["ip", "addr"]).stdout
    node.unstandby()
    wait_for_pool(balanced, WEIGHTS)


# --- maintenance


def test_in_maintenance_mode_nothing_is_touched(balanced: Cluster, history: History) -> None:
    """Maintenance mode leaves the pool as it is.

    The test does not wait until the cluster settles. If the director's last monitor was degraded,
    the scheduler of Pacemaker 2.1.5 takes it for pending, and cancels it for ever.
    """
    node = director(balanced)
    balanced.node1.pcs("property", "set", "maintenance-mode=true")
    cancelled = f"Result of monitor operation for {SERVICE} on {node.name}: Cancelled"
    wait_until(
        lambda: cancelled in history.text(node), bool, "no monitor goes on", PATIENCE, pause=PAUSE
    )
    real_server = f"{balanced.node3.address}:5432"
    node.run(["ipvsadm", "-d", "-t", f"{READ_VIP}:5432", "-r", real_server])
    by_hand = node.host.proc_ipvs()
    refreshed = History(balanced.nodes)
    node.run(["crm_resource", "--refresh", "--resource", SERVICE])
    wait_until(
        lambda: [it.node for it in refreshed.done() if it.resource == SERVICE],
        lambda seen: set(seen) == set(NODES),
        "it is probed",
        PATIENCE,
        pause=PAUSE,
    )
    assert node.host.proc_ipvs() == by_hand
    balanced.node1.pcs("property", "set", "maintenance-mode=")
    wait_for_pool(balanced, WEIGHTS)
    balanced.settle()
    assert history.changes() == []
