"""Reading crm_mon: the installed one, on recorded and made-up CIBs, and its reports of trouble."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lvsdr.agents.lvsdr.parsers import WANTED_ROLE
from lvsdr.errors import SourceUnavailable
from lvsdr.pacemaker.cluster import ClusterState, Instance, Node, NodeKind, Role
from lvsdr.pacemaker.crm_mon import parse_attribute_name, parse_cluster_state
from lvsdr.system.crm import COMMAND

from tests.support.paths import DATA
from tests.unit import golden
from tests.unit.crm import CIBS, cib, document, state

NAMES = sorted(str(path.relative_to(CIBS))[: -len(".cib.xml")] for path in CIBS.rglob("*.xml"))
TROUBLE = DATA / "crm_mon"
FLAGS = ("standby", "maintenance", "unclean", "pending", "shutdown")


def described(cluster: ClusterState) -> str:
    """Return the state as a text to be compared with a file."""
    return "\n".join((*_nodes(cluster), *_resources(cluster), *_attributes(cluster), ""))


def _nodes(cluster: ClusterState) -> Iterator[str]:
    for node in cluster.nodes.values():
        flags = [flag for flag in FLAGS if getattr(node, flag)]
        yield " ".join(
            ["node", node.name, node.kind.value, "online" if node.online else "offline", *flags]
        )


def _resources(cluster: ClusterState) -> Iterator[str]:
    for name, instances in cluster.resources.items():
        where = ", ".join(map(_instance, instances)) or "nowhere"
        yield f"resource {name}: {where}"


def _instance(instance: Instance) -> str:
    flags = [flag for flag in ("failed", "blocked") if getattr(instance, flag)]
    flags += [] if instance.active else ["inactive"]
    flags += [] if instance.managed else ["unmanaged"]
    return " ".join([instance.node, instance.role.value, *flags])


def _attributes(cluster: ClusterState) -> Iterator[str]:
    """Yield all attributes but scores and log positions.

    Those are many and do not decide which real servers may serve.
    """
    for node, attributes in cluster.attributes.items():
        for name, value in attributes.items():
            if "master" not in name:
                yield f"attribute of {node}: {name} = {value}"


@pytest.mark.parametrize("name", NAMES)
def test_states(name: str) -> None:
    golden.compare(cib(name).with_suffix("").with_suffix(".txt"), described(state(name)))


@pytest.mark.parametrize("name", ["nodes", "resources"])
def test_a_made_up_cib_is_one(name: str) -> None:
    """crm_verify finds no error in the CIB; 78 is its status for warnings about the state."""
    done = subprocess.run(
        ["crm_verify", "--xml-file", str(cib(name))], capture_output=True, check=False
    )
    messages = done.stderr.decode()
    assert done.returncode in (0, 78)
    assert "not valid" not in messages
    assert "error:" not in messages


def test_a_node() -> None:
    assert state("steady").nodes["node1"] == Node(
        name="node1",
        kind=NodeKind.MEMBER,
        online=True,
        standby=False,
        maintenance=False,
        unclean=False,
        pending=False,
        shutdown=False,
    )


def test_an_instance() -> None:
    assert state("steady").resources["pgsql-clone"][0] == Instance(
        node="node2", role=Role.PROMOTED, active=True, failed=False, blocked=False, managed=True
    )


@pytest.mark.parametrize("name", ["stale-entry-first", "stale-entry-last"])
def test_of_two_entries_of_one_name_the_online_one_counts(name: str) -> None:
    node = state(name).nodes["node2"]
    assert (node.online, node.ambiguous) == (True, False)
    assert state(name).attributes["node2"] == {"ready": "1"}


def entry(name: str, flags: str) -> str:
    """Return an entry of a node."""
    return f'<node name="{name}" {flags}/>'


@pytest.mark.parametrize("order", [1, -1])
def test_a_stale_entry_may_differ_in_case(order: int) -> None:
    pair = [entry("Node1", 'online="false"'), entry("node1", 'online="true"')]
    assert list(parse_cluster_state(sketch(nodes="".join(pair[::order]))).nodes) == ["node1"]


@pytest.mark.parametrize("order", [1, -1])
def test_two_entries_that_are_online_are_ambiguous(order: int) -> None:
    pair = [entry("a", 'online="true"'), entry("a", 'online="true" standby="true"')]
    assert parse_cluster_state(sketch(nodes="".join(pair[::order]))).nodes["a"].ambiguous


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_offline_entries_the_worse_counts(order: int) -> None:
    pair = [
        entry("a", 'online="false" expected_up="true" unclean="true"'),
        entry("a", 'online="false" expected_up="false"'),
    ]
    node = parse_cluster_state(sketch(nodes="".join(pair[::order]))).nodes["a"]
    assert (node.online, node.unclean, node.expected) == (False, True, True)


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_offline_entries_that_of_a_remote_node_counts(order: int) -> None:
    """The other is from when it was a member; the connection may only be out of sight."""
    pair = [
        entry("a", 'online="false" type="remote"'),
        entry("a", 'online="false" type="member" expected_up="false"'),
    ]
    cluster = parse_cluster_state(sketch(nodes="".join(pair[::order])))
    assert cluster.nodes["a"].kind is NodeKind.REMOTE


def test_an_attribute_with_two_values_has_none() -> None:
    cluster = state("two-online-entries")
    assert cluster.nodes["node2"].ambiguous
    assert cluster.contradictory == {("node2", "ready")}
    assert cluster.attributes["node2"] == {"same": "1"}


def test_transient_and_permanent_attributes_are_one() -> None:
    attributes = state("steady").attributes["node1"]
    assert attributes["pgsql-status"] == "HS:async"
    assert attributes["pgsql-data-status"] == "STREAMING|ASYNC"


@pytest.mark.parametrize(
    ("summary", "quorum"),
    [
        ("", False),
        ("<summary/>", False),
        ("<summary><current_dc/></summary>", False),
        ('<summary><current_dc with_quorum="false"/></summary>', False),
        ('<summary><current_dc with_quorum="true"/></summary>', True),
    ],
)
def test_the_quorum_is_beside_the_coordinator(summary: str, quorum: bool) -> None:
    text = sketch().decode().replace("<nodes>", f"{summary}<nodes>")
    assert parse_cluster_state(text.encode()).has_quorum is quorum


def test_an_error_of_several_lines_becomes_one_line() -> None:
    text = sketch().replace(b'<status code="0"', b'<status code="1"')
    with pytest.raises(SourceUnavailable, match=r"^crm_mon: a b$"):
        parse_cluster_state(text.replace(b'message="OK"', b'message="a&#10;b"'))


HIDDEN = ("#kind", "fail-count", "last-failure-x", "shutdown", "standby-ready", "terminate")
SHOWN = ("ready", "my-standby", "fail-coun", "maintenance", "health-disk")


def test_attributes_that_crm_mon_hides(tmp_path: Path) -> None:
    pairs = enumerate([*HIDDEN, *SHOWN])
    made = "".join(f'<nvpair id="x{number}" name="{name}" value="1"/>' for number, name in pairs)
    file = tmp_path / "cib.xml"
    beginning = '<instance_attributes id="nodes-2">'
    file.write_text(cib("nodes").read_text().replace(beginning, beginning + made, 1))
    environ = {**os.environ, "CIB_file": str(file), "LC_ALL": "C"}
    done = subprocess.run(COMMAND, env=environ, capture_output=True, check=False)
    assert list(parse_cluster_state(done.stdout).attributes["on-standby"]) == sorted(SHOWN)
    assert [parse_attribute_name(name) for name in SHOWN] == list(SHOWN)
    for name in HIDDEN:
        with pytest.raises(ValueError, match=r"^crm_mon shows no attribute that begins with "):
            parse_attribute_name(name)


def roles(cluster: ClusterState, resource: str) -> dict[str, Role]:
    """Return the role of the resource on each of its nodes."""
    return {instance.node: instance.role for instance in cluster.resources[resource]}


def test_the_old_names_of_roles() -> None:
    cluster = parse_cluster_state((TROUBLE / "old-roles.xml").read_bytes())
    promotable = {"node1": Role.PROMOTED, "node2": Role.UNPROMOTED}
    assert roles(cluster, "promotable") == roles(cluster, "db") == promotable


def test_the_old_names_of_roles_in_a_parameter() -> None:
    assert [WANTED_ROLE(text) for text in ("Master", "Slave", "Promoted", "any")] == [
        *("Promoted", "Unpromoted", "Promoted", "any")
    ]
    with pytest.raises(ValueError, match=r"^must be any or Promoted or Unpromoted$"):
        WANTED_ROLE("Started")


def test_a_group_is_where_all_of_its_members_are() -> None:
    cluster = state("resources")
    assert roles(cluster, "group") == {"node1": Role.STARTED}
    assert roles(cluster, "half") == {}
    for name in ("groups", "cloned-group"):
        assert set(roles(cluster, name)) == {"node1", "node2"}


def test_a_disabled_member_counts_for_its_group() -> None:
    """A disabled member counts for its group, because it may be the database.

    A member that alone decides can be followed by its own name.
    """
    cluster = state("group-last-member-disabled")
    assert roles(cluster, "g") == {}
    assert roles(cluster, "a") == {"node1": Role.STARTED}


def test_a_bundle_is_where_its_containers_are() -> None:
    cluster = state("resources")
    assert roles(cluster, "bundle") == {"node1": Role.PROMOTED, "node2": Role.UNPROMOTED}
    assert roles(cluster, "bare") == {"node1": Role.STARTED}


def test_a_bundle_is_not_where_the_resource_inside_does_not_run() -> None:
    cluster = state("resources")
    assert roles(cluster, "hollow-podman-0") == {"node1": Role.STARTED}
    assert roles(cluster, "hollow") == {}


def resource(attributes: str, node: str = "node1") -> str:
    """Return a resource that runs on ``node``; ``attributes`` override the usual ones."""
    usual = {"role": "Started", "active": "true", "managed": "true", "failed": "false"}
    usual.update(re.findall(r'(\w+)="([^"]*)"', attributes))
    text = " ".join(f'{name}="{value}"' for name, value in usual.items())
    return f'<resource {text}><node name="{node}"/></resource>'


@pytest.mark.parametrize(
    ("trouble", "merged"),
    [
        ('failed="true"', "failed"),
        ('blocked="true"', "blocked"),
        ('managed="false"', "unmanaged"),
        ('active="false"', "inactive"),
    ],
)
def test_the_trouble_of_a_member_is_that_of_its_group(trouble: str, merged: str) -> None:
    members = resource('id="a"') + resource(f'id="b" {trouble}')
    cluster = parse_cluster_state(sketch(f'<group id="g">{members}</group>'))
    assert list(map(_instance, cluster.resources["g"])) == [f"node1 Started {merged}"]


def test_a_group_is_stopping_as_soon_as_one_member_is() -> None:
    members = resource('id="a"') + resource('id="b" role="Stopping"')
    cluster = parse_cluster_state(sketch(f'<group id="g">{members}</group>'))
    assert roles(cluster, "g") == {"node1": Role.STOPPING}


def test_the_trouble_of_a_container_is_that_of_its_bundle() -> None:
    """The trouble of a container is that of its bundle.

    The connection to the inside may be from another node than the container's.
    """
    parts = (
        resource('id="b-docker-0" failed="true"'),
        resource('id="b-0"', node="node2"),
        resource('id="b-ip-10.77.0.50"'),
        resource('id="db" role="Promoted"', node="b-0"),
    )
    replica = f'<replica id="0">{"".join(parts)}</replica>'
    cluster = parse_cluster_state(sketch(f'<bundle id="b" type="docker">{replica}</bundle>'))
    assert list(map(_instance, cluster.resources["b"])) == ["node1 Promoted failed"]


def sketch(resources: str = "", nodes: str = '<node name="node1" online="true"/>') -> bytes:
    """Return a document as crm_mon would print it."""
    return (
        f"<pacemaker-result><nodes>{nodes}</nodes><resources>{resources}</resources>"
        '<status code="0" message="OK"/></pacemaker-result>'
    ).encode()


def test_standby_because_of_a_failure_is_standby() -> None:
    nodes = '<node name="node1" online="true" standby="false" standby_onfail="true"/>'
    assert parse_cluster_state(sketch(nodes=nodes)).nodes["node1"].standby


def test_resources_of_kinds_not_known_here_are_passed_over() -> None:
    assert dict(parse_cluster_state(sketch("<novelty/>")).resources) == {}


def test_elements_other_than_nodes_are_ignored() -> None:
    nodes = '<novelty/><node name="node1" online="true"/>'
    assert list(parse_cluster_state(sketch(nodes=nodes)).nodes) == ["node1"]


def test_no_node_has_an_attribute() -> None:
    assert dict(parse_cluster_state(sketch()).attributes) == {}


def test_an_unreachable_cluster_is_not_an_empty_one(tmp_path: Path) -> None:
    """A failed query is an error, not an empty cluster.

    The installed crm_mon reports success, and an error, for a file that is not there.
    """
    environ = {**os.environ, "CIB_file": str(tmp_path / "none.xml")}
    done = subprocess.run(COMMAND, env=environ, capture_output=True, check=False)
    with pytest.raises(SourceUnavailable, match=r"^crm_mon: Could not connect to the CIB"):
        parse_cluster_state(done.stdout)


REFUSED = {
    "nothing": (b"", "not a complete XML document"),
    "text": (b"Error: cluster is not available on this node\n", "not a complete XML document"),
    "binary": (b"\x00\xff\xfe" * 100, "not a complete XML document"),
    "a truncated document": (document("steady")[:2000], "not a complete XML document"),
    "two documents": (document("steady") * 2, "not a complete XML document"),
    "HTML": (b"<html><body>502 Bad Gateway</body></html>", "<html> is not the result of crm_mon"),
    "another schema": (b"<crm_mon version='1.1.24'/>", "<crm_mon> is not the result of crm_mon"),
    "no status": (
        sketch().replace(b'<status code="0" message="OK"/>', b""),
        "<pacemaker-result> is not the result of crm_mon",
    ),
    "no nodes section": (
        sketch().replace(b"nodes>", b"notes>"),
        "the document lists no node at all",
    ),
    "no node": (sketch(nodes=""), "the document lists no node at all"),
    "a nameless node": (sketch(nodes='<node online="true"/>'), "<node> has no attribute 'name'"),
    "a node without state": (sketch(nodes='<node name="a"/>'), "<node> has no attribute 'online'"),
    "a resource without id": (sketch(resource("")), "<resource> has no attribute 'id'"),
    "an unknown role": (
        sketch(resource('id="a" role="Conducting"')),
        "'Conducting' is not a role known here",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_documents_are_refused(name: str) -> None:
    refused, reason = REFUSED[name]
    with pytest.raises(SourceUnavailable, match=f"^crm_mon: {re.escape(reason)}"):
        parse_cluster_state(refused)


@pytest.mark.parametrize("path", sorted(TROUBLE.glob("error-*.xml")), ids=lambda path: path.stem)
def test_an_error_of_crm_mon_is_an_error(path: Path) -> None:
    """The comment at the beginning of the file contains the expected message."""
    text = path.read_bytes()
    with pytest.raises(SourceUnavailable) as caught:
        parse_cluster_state(text)
    expected = re.findall(rb"<!-- says: (.*) -->", text)
    assert [str(caught.value).encode()] == expected
