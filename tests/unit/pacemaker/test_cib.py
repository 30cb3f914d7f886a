"""The timeout of a probe according to the CIB."""

from __future__ import annotations

import pytest
from lvsdr.errors import SourceUnavailable
from lvsdr.pacemaker.cib import find_node_attributes, find_probe_time

OP = '<op id="{0}" name="{0}" interval="{1}" timeout="{2}"/>'


def configuration(operations: str = "", *, kind: str = "Dummy", more: str = "") -> bytes:
    """Return the section of a CIB with a clone of one primitive."""
    return (
        f'<configuration><resources><clone id="db-clone"><primitive id="db" type="{kind}" '
        f'template="t"><operations>{operations}</operations>{more}</primitive></clone>'
        '<primitive id="other"><operations><op id="o" name="monitor" timeout="900s"/></operations>'
        "</primitive></resources></configuration>"
    ).encode()


@pytest.mark.parametrize("resource", ["db", "db-clone"])
@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ("", 20.0),
        (OP.format("monitor", "0", "60s"), 60.0),
        (OP.format("monitor", "10s", "1min"), 60.0),
        (OP.format("monitor", "10s", "90000ms"), 90.0),
        (OP.format("monitor", "10s", "5s"), 20.0),
        (OP.format("monitor", "0", "30s") + OP.format("monitor", "10s", "40s"), 40.0),
        (OP.format("start", "0", "300s"), 20.0),
        (OP.format("monitor", "10s", "soon"), 20.0),
        (
            '<op id="m" name="monitor"><meta_attributes id="mm"><nvpair id="mt" name="timeout" '
            'value="70s"/></meta_attributes></op>',
            70.0,
        ),
    ],
)
def test_the_time_of_a_probe(resource: str, operations: str, expected: float) -> None:
    assert find_probe_time(configuration(operations), [resource]) == expected


def test_only_the_resources_in_question_count() -> None:
    document = configuration(OP.format("monitor", "10s", "60s"))
    assert find_probe_time(document, []) == find_probe_time(document, ["none"]) == 20.0
    assert find_probe_time(document, ["db", "other"]) == 900.0


def test_the_connection_to_a_remote_node_has_to_be_started_again() -> None:
    operations = OP.format("start", "0", "60s") + OP.format("monitor", "10s", "30s")
    assert find_probe_time(configuration(operations, kind="remote"), ["db"]) == 60.0
    connect = (
        '<meta_attributes id="c"><nvpair id="r" name="remote-connect-timeout" value="75s"/>'
        "</meta_attributes>"
    )
    assert find_probe_time(configuration(more=connect), ["db"]) == 75.0


def test_a_template_and_defaults() -> None:
    template = (
        b'<template id="t"><operations><op id="m" name="monitor" timeout="45s"/></operations>'
        b"</template></resources>"
    )
    assert find_probe_time(configuration().replace(b"</resources>", template), ["db"]) == 45.0
    defaults = (
        b'<op_defaults><meta_attributes id="d"><nvpair id="t" name="timeout" value="50s"/>'
        b"</meta_attributes></op_defaults></configuration>"
    )
    document = configuration().replace(b"</configuration>", defaults)
    assert find_probe_time(document, ["db"]) == 50.0
    own = configuration(OP.format("monitor", "10s", "30s"))
    assert find_probe_time(own.replace(b"</configuration>", defaults), ["db"]) == 30.0


def test_malformed_documents_are_refused() -> None:
    with pytest.raises(SourceUnavailable, match=r"^cibadmin: not a complete XML document"):
        find_probe_time(b"<configuration>", ["db"])


def test_attributes_of_nodes() -> None:
    document = b"""<configuration><nodes>
      <node id="1" uname="node1"><instance_attributes id="a">
        <nvpair id="b" name="w@x" value="1"/><nvpair id="c" name="v@x" value="2"/>
      </instance_attributes><instance_attributes id="d"><rule id="e" score="INFINITY"/>
        <nvpair id="f" name="w@y" value="3"/></instance_attributes>
        <utilization id="g"><nvpair id="h" name="w@z" value="4"/></utilization></node>
      <node id="2" uname="node2"><instance_attributes id="i">
        <nvpair id="j" name="w@x" value=""/></instance_attributes></node>
      <node id="3" uname="node3"/>
    </nodes></configuration>"""
    assert find_node_attributes(document, ["node1"], "w@") == {"node1": {"w@x": "1"}}
    both = find_node_attributes(document, ["node2", "node3"], "w@")
    assert both == {"node2": {"w@x": ""}}
