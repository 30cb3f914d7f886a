"""Sketches of a cluster, written as the CIB that the real crm_mon reads (CIB_file).

A small PostgreSQL cluster: the promotable clone ``pgsql`` publishes ``pgsql-status``, and the clone
``lvsdr-realsvr`` runs beside the standbys, as in the first of the documented configurations. A node
may be a remote one, and may have a second entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

SCHEMA = "pacemaker-3.5"  # every Pacemaker from 2.0.5 on knows it

_NOT_RUNNING, _RUNNING, _PROMOTED, _BROKEN = 7, 0, 8, 1


class Node(NamedTuple):
    """A node of the sketch, and its resources."""

    name: str
    status: str = "HS:async"
    """Of the attribute pgsql-status; empty for none."""
    database: str = "Unpromoted"
    """Promoted, Unpromoted, Failed or Stopped."""
    realsvr: bool = True
    realsvr_failed: bool = False
    online: bool = True
    standby: bool = False
    maintenance: bool = False
    attributes: Mapping[str, str] = {}
    """Further transient attributes."""
    holder: str = ""
    """Of a remote node: the member that holds its connection. Empty for a member."""
    connection: str = "running"
    """Of a remote node: running, failed, or unknown as while Pacemaker probes it again."""
    twin: str = ""
    """State of a second entry of this name: stale (an old id, long gone), online, or none."""

    def primary(self) -> Node:
        """This node as the primary: promoted, without the VIP on its loopback."""
        return self._replace(status="PRI", database="Promoted", realsvr=False)

    def dead(self) -> Node:
        """This node after it was lost."""
        return self._replace(online=False)


def write(path: Path, nodes: Iterable[Node]) -> Path:
    """Write the CIB of these nodes to ``path``, whole or not at all, and return that."""
    temporary = path.with_suffix(".new")
    temporary.write_text(render(list(nodes)))
    return temporary.replace(path)


def render(nodes: list[Node]) -> str:
    """The CIB of these nodes."""
    numbered = [(_identity(number, node), node) for number, node in enumerate(nodes, start=1)]
    return f"""\
<cib crm_feature_set="3.16.1" validate-with="{SCHEMA}" epoch="1" num_updates="1"
     admin_epoch="0" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config><cluster_property_set id="options">
      <nvpair id="stonith" name="stonith-enabled" value="false"/>
      <nvpair id="quorum" name="no-quorum-policy" value="ignore"/>
    </cluster_property_set></crm_config>
    <nodes>
      {"".join(_node(number, node) for number, node in numbered)}
      {_twins(nodes)}
    </nodes>
    <resources>
      <clone id="pgsql-clone">
        <meta_attributes id="pgsql-clone-meta">
          <nvpair id="pgsql-clone-promotable" name="promotable" value="true"/>
        </meta_attributes>
        <primitive id="pgsql" class="ocf" provider="pacemaker" type="Stateful"/>
      </clone>
      <clone id="lvsdr-realsvr-clone">
        <primitive id="lvsdr-realsvr" class="ocf" provider="pacemaker" type="Dummy"/>
      </clone>
      {"".join(_connection_resource(node) for node in nodes if node.holder)}
    </resources>
    <constraints/>
  </configuration>
  <status>
    {"".join(_state(number, node, nodes) for number, node in numbered)}
    {_twin_states(nodes)}
  </status>
</cib>
"""


def _identity(number: int, node: Node) -> str:
    """Return the id of a node: that of a remote node is its name."""
    return node.name if node.holder else str(number)


def _node(identity: str, node: Node) -> str:
    flags = [name for name in ("standby", "maintenance") if getattr(node, name)]
    pairs = "".join(_nvpair(f"nodes-{identity}", flag, "true") for flag in flags)
    inside = f'<instance_attributes id="nodes-{identity}">{pairs}</instance_attributes>'
    kind = ' type="remote"' if node.holder else ""
    return f"<node id={quoteattr(identity)} uname={quoteattr(node.name)}{kind}>{inside}</node>"


def _twins(nodes: list[Node]) -> str:
    """Return the second entries."""
    found = [(number, node) for number, node in enumerate(nodes, start=1) if node.twin]
    return "".join(
        f'<node id="{_TWIN}{number}" uname={quoteattr(node.name)}/>' for number, node in found
    )


def _twin_states(nodes: list[Node]) -> str:
    found = [(number, node) for number, node in enumerate(nodes, start=1) if node.twin == "online"]
    return "".join(
        f'<node_state id="{_TWIN}{number}" uname={quoteattr(node.name)} {_MEMBER}/>'
        for number, node in found
    )


def _connection_resource(node: Node) -> str:
    name = quoteattr(node.name)
    return f'<primitive id={name} class="ocf" provider="pacemaker" type="remote"/>'


def _state(identity: str, node: Node, nodes: list[Node]) -> str:
    if not node.online:
        return (
            f'<node_state id="{identity}" uname={quoteattr(node.name)} in_ccm="false" '
            'crmd="offline" join="down" expected="down" crm-debug-origin="sketch"/>'
        )
    attributes = {**({"pgsql-status": node.status} if node.status else {}), **node.attributes}
    parent = f"status-{identity}"
    pairs = "".join(_nvpair(parent, name, value) for name, value in attributes.items())
    return f"""
    <node_state id="{identity}" uname={quoteattr(node.name)} {_REMOTE if node.holder else _MEMBER}>
      <lrm id="{identity}"><lrm_resources>
        {_resource("pgsql", "Stateful", _DATABASE[node.database], node.name)}
        {_resource("lvsdr-realsvr", "Dummy", _real_server(node), node.name)}
        {"".join(_connection(it) for it in nodes if it.holder == node.name)}
      </lrm_resources></lrm>
      <transient_attributes id="{identity}">
        <instance_attributes id="{parent}">{pairs}</instance_attributes>
      </transient_attributes>
    </node_state>"""


def _connection(node: Node) -> str:
    """Return the history of a remote node's connection; crm_mon judges the node by it alone."""
    if node.connection == "unknown":
        return ""
    code = _BROKEN if node.connection == "failed" else _RUNNING
    return _resource(node.name, "remote", code, node.holder)


_TWIN = "9"
_MEMBER = 'in_ccm="true" crmd="online" join="member" expected="member" crm-debug-origin="sketch"'
_REMOTE = 'remote_node="true" in_ccm="true" crm-debug-origin="sketch"'
_DATABASE = {
    "Promoted": _PROMOTED,
    "Unpromoted": _RUNNING,
    "Stopped": _NOT_RUNNING,
    "Failed": _BROKEN,
}


def _real_server(node: Node) -> int:
    if node.realsvr_failed:
        return _BROKEN
    return _RUNNING if node.realsvr else _NOT_RUNNING


def _resource(name: str, agent: str, code: int, node: str) -> str:
    """The history of a resource: a probe's result, or a recurring monitor that has failed."""
    found = _NOT_RUNNING if code == _BROKEN else code
    operations = _operation(name, "monitor", 0, found, 7, node, call=1)
    if code == _BROKEN:
        operations += _operation(name, "start", 0, _RUNNING, 0, node, call=2)
        operations += _operation(name, "monitor", 10000, _BROKEN, 0, node, call=3)
    return (
        f'<lrm_resource id="{name}" class="ocf" provider="pacemaker" type="{agent}">'
        f"{operations}</lrm_resource>"
    )


def _operation(
    name: str, action: str, interval: int, code: int, wanted: int, node: str, *, call: int
) -> str:
    key = f"1:1:{wanted}:00000000-0000-0000-0000-000000000000"
    return (
        f'<lrm_rsc_op id="{name}_{action}_{interval}" operation_key="{name}_{action}_{interval}" '
        f'operation="{action}" crm-debug-origin="sketch" crm_feature_set="3.16.1" '
        f'transition-key="{key}" transition-magic="0:{code};{key}" exit-reason="" '
        f'on_node={quoteattr(node)} call-id="{call}" rc-code="{code}" op-status="0" '
        f'interval="{interval}" op-digest="00000000000000000000000000000000"/>'
    )


def _nvpair(parent: str, name: str, value: str) -> str:
    identity = quoteattr(f"{parent}-{name}")
    return f"<nvpair id={identity} name={quoteattr(name)} value={quoteattr(value)}/>"
