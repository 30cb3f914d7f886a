"""A cluster that is a file: Pacemaker's own tools change it and compute Pacemaker's reactions.

Every tool works on the CIB in a file (CIB_file). crm_simulate runs the scheduler on it, plays the
scheduled actions, and writes the resulting CIB, with the histories of the resources.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from lvsdr.pacemaker.cluster import ClusterState, Role
from lvsdr.pacemaker.crm_mon import parse_cluster_state
from lvsdr.system.crm import COMMAND
from lxml import etree

NODES = ("node1", "node2", "node3")
PRIMARY = "node1"
DIRECTOR = ("lvsdr", "read-vip")
REAL_SERVER = ("pgsql", "lvsdr-realsvr")
ALL = ("write-vip", *REAL_SERVER, *DIRECTOR)

_TASKS = ("start", "stop", "promote", "demote", "stonith")

# Three running nodes with a fencing device, and no other resource.
_STATE = 'in_ccm="true" crmd="online" join="member" expected="member" crm-debug-origin="example"'
EMPTY = f"""\
<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.7" epoch="1" num_updates="0"
     admin_epoch="0" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config/>
    <nodes>{"".join(f'<node id="{n}" uname="node{n}"/>' for n in (1, 2, 3))}</nodes>
    <resources><primitive id="fencing" class="stonith" type="fence_ipmilan"/></resources>
    <constraints/>
  </configuration>
  <status>
    {"".join(f'<node_state id="{n}" uname="node{n}" {_STATE}/>' for n in (1, 2, 3))}
  </status>
</cib>
"""


class Action(NamedTuple):
    """An action on a resource on a node, or on the node itself (stonith)."""

    task: str
    resource: str
    node: str


def start(resource: str, node: str) -> Action:
    return Action("start", resource, node)


def stop(resource: str, node: str) -> Action:
    return Action("stop", resource, node)


class Transition(NamedTuple):
    """The scheduled actions, each with all actions that must precede it."""

    before: Mapping[Action, frozenset[Action]]

    def keeps_order(self, *actions: Action) -> bool:
        """Return whether all these actions are scheduled, each after its predecessor here."""
        pairs = zip(actions, actions[1:])
        return all(first in self.before[then] for first, then in pairs) and bool(
            self.before.keys() >= set(actions)
        )

    def of(self, *resources: str) -> set[Action]:
        """Return the actions on these resources."""
        return {action for action in self.before if action.resource in resources}


class Cluster:
    """A cluster with its CIB in a file of its own."""

    def __init__(self, cib: Path) -> None:
        self.cib = cib

    def copy(self, cib: Path) -> Cluster:
        """Return a copy of the cluster for further changes."""
        shutil.copy(self.cib, cib)
        return Cluster(cib)

    def tool(self, *argv: str) -> str:
        """Return the output of a tool for this cluster. Raise CalledProcessError if it fails."""
        environ = {**os.environ, "CIB_file": str(self.cib), "LC_ALL": "C"}
        return subprocess.run(
            argv, env=environ, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    def publish(self, node: str, **attributes: str) -> None:
        """Set transient attributes of a node; an underscore stands for a hyphen."""
        for name, value in attributes.items():
            self._attribute(node, "reboot", name.replace("_", "-"), value)

    def standby(self, *nodes: str) -> None:
        """Put nodes on standby, as ``pcs node standby`` does."""
        for node in nodes:
            self._attribute(node, "forever", "standby", "on")

    def unstandby(self, *nodes: str) -> None:
        for node in nodes:
            self._attribute(node, "forever", "standby", "off")

    def prefer(self, **scores: int) -> None:
        """Set the promotion scores of the database, as its agent would."""
        for node, score in scores.items():
            option = ("--promotion=pgsql", f"--update={score}")
            self.tool("crm_attribute", f"--node={node}", "--lifetime=reboot", *option)

    def move_primary(self, node: str) -> None:
        """Move the primary, as ``pcs resource move pgsql-clone --promoted`` does."""
        options = ("--resource=pgsql-clone", "--promoted", f"--node={node}")
        self.tool("crm_resource", "--move", *options)

    def favour(self, resource: str, node: str, score: int) -> None:
        """Add a preference, as ``pcs constraint location ... prefers`` does."""
        xml = f'<rsc_location id="favour" rsc="{resource}" node="{node}" score="{score}"/>'
        self.tool("cibadmin", "--create", "--scope=constraints", f"--xml-text={xml}")

    def ban(self, resource: str, *nodes: str) -> None:
        """Record a start that has just failed on these nodes."""
        for node in nodes:
            self._attribute(node, "reboot", f"fail-count-{resource}#start_0", "INFINITY")
            self._attribute(
                node, "reboot", f"last-failure-{resource}#start_0", f"{time.time():.0f}"
            )

    def lose_quorum(self) -> None:
        self.cib.write_text(self.cib.read_text().replace('have-quorum="1"', 'have-quorum="0"'))

    def stop_everything(self) -> None:
        """Stop the resources, as ``pcs cluster stop --all`` does."""
        self.tool(
            "crm_attribute", "--type=crm_config", "--name=stop-all-resources", "--update=true"
        )

    def react(self, *options: str) -> Transition:
        """Play the scheduler's reaction; ``options`` give crm_simulate the preceding events."""
        graph = self.cib.with_suffix(".graph")
        files = (f"--xml-file={self.cib}", f"--save-output={self.cib}", f"--save-graph={graph}")
        self.tool("crm_simulate", "--simulate", *files, *options)
        return _transition(etree.parse(graph).getroot())

    def state(self) -> ClusterState:
        """Return the state that crm_mon shows."""
        return parse_cluster_state(self.tool(*COMMAND).encode())

    def where(self, resource: str, *roles: Role) -> set[str]:
        """Return the nodes with an active instance of a resource, in one of ``roles`` if given."""
        instances = self.state().resources[resource]
        return {i.node for i in instances if i.active and (not roles or i.role in roles)}

    def only(self, resource: str, *roles: Role) -> str:
        """Return the single node of `where`."""
        (node,) = self.where(resource, *roles)
        return node

    def _attribute(self, node: str, lifetime: str, name: str, value: str) -> None:
        options = (f"--lifetime={lifetime}", f"--name={name}", f"--update={value}")
        self.tool("crm_attribute", f"--node={node}", *options)


def _transition(graph: etree._Element) -> Transition:
    """Return the transition of a graph.

    A synapse has an action and the actions that it waits for, including pseudo actions.
    """
    done: dict[str, Action] = {}
    inputs: dict[str, list[str]] = {}
    for synapse in graph.iter("synapse"):
        for element in synapse.iterfind("action_set/*"):
            identity = element.get("id", "")
            inputs[identity] = [str(i.get("id")) for i in synapse.iterfind("inputs/trigger/*")]
            action = _action(element)
            if action is not None:
                done[identity] = action
    return Transition(
        {
            action: frozenset(done[i] for i in _all_before(identity, inputs) if i in done)
            for identity, action in done.items()
        }
    )


def _action(element: etree._Element) -> Action | None:
    task, node = element.get("operation", ""), element.get("on_node", "")
    if element.tag == "pseudo_event" or task not in _TASKS:
        return None
    primitive = element.find("primitive")
    resource = "" if primitive is None else primitive.get("id", "").partition(":")[0]
    return Action(task, resource, node)


def _all_before(identity: str, inputs: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    todo = list(inputs[identity])
    while todo:
        current = todo.pop()
        if current not in found:
            found.add(current)
            todo += inputs.get(current, ())
    return found
