"""The metadata: the installed schemas, and the rules that those do not demand."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from tests.unit.ocf.example import AGENT

# pcs ships a schema in every release, Pacemaker the official one in newer releases.
SCHEMAS = [
    path
    for path in (
        Path("/usr/share/pcs/data/ocf-1.1.rng"),
        Path("/usr/lib/pcs/data/ocf-1.1.rng"),
        Path("/usr/share/pacemaker/api/ocf-ra-1.1.rng"),
    )
    if path.exists()
]

ROOT_ORDER = ["version", "longdesc", "shortdesc", "parameters", "actions"]
PARAMETER_ORDER = ["deprecated", "longdesc", "shortdesc", "content"]
PARAMETER_ATTRIBUTES = {"name", "unique-group", "required", "reloadable"}
ACTION_ATTRIBUTES = {"name", "timeout", "interval", "start-delay", "depth", "role"}


@pytest.fixture(scope="module")
def document() -> etree._Element:
    return etree.fromstring(AGENT.render_metadata().encode())


def parameter(document: etree._Element, name: str) -> etree._Element:
    """Return the element that describes one parameter."""
    (found,) = (
        element for element in document.iterfind("parameters/parameter")
        if element.get("name") == name
    )  # fmt: skip
    return found


def tags(element: etree._Element) -> list[str]:
    """Return the names of the children, in order."""
    return [str(child.tag) for child in element]


def text(element: etree._Element, path: str) -> str:
    """Return the text at ``path`` without surrounding white space."""
    return (element.findtext(path) or "").strip()


def test_some_schema_is_installed() -> None:
    assert SCHEMAS


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda path: path.name)
def test_is_valid(schema: Path, document: etree._Element) -> None:
    grammar = etree.RelaxNG(etree.parse(str(schema)))
    assert grammar.validate(document), grammar.error_log


def test_the_agent(document: etree._Element) -> None:
    assert dict(document.items()) == {"name": "example", "version": "0.1"}
    assert tags(document) == ROOT_ORDER
    assert text(document, "version") == "1.1"
    assert text(document, "shortdesc") == "Keeps a state file"


def test_every_description_has_a_language_and_a_text(document: etree._Element) -> None:
    for element in document.iter("longdesc", "shortdesc"):
        assert element.get("lang") == "en"
        assert text(element, ".")


def test_the_order_within_a_parameter(document: etree._Element) -> None:
    for element in document.iterfind("parameters/parameter"):
        positions = [PARAMETER_ORDER.index(tag) for tag in tags(element)]
        assert positions == sorted(positions)
        assert set(PARAMETER_ORDER[1:]) <= set(tags(element))
        assert set(element.keys()) <= PARAMETER_ATTRIBUTES


def test_only_types_that_the_standard_has(document: etree._Element) -> None:
    for content in document.iter("content"):
        assert content.get("type") in {"string", "integer", "boolean", "select"}
        assert bool(len(content)) == (content.get("type") == "select")


@pytest.mark.parametrize(
    ("name", "attributes", "content"),
    [
        ("port", {"unique-group": "service", "required": "1"}, {"type": "integer"}),
        ("state", {"required": "1"}, {"type": "string"}),
        ("protocol", {"unique-group": "service"}, {"type": "select", "default": "tcp"}),
        ("weight", {"reloadable": "1"}, {"type": "integer", "default": "1"}),
        ("patience", {}, {"type": "string", "default": "10s"}),
        ("quiet", {"reloadable": "1"}, {"type": "boolean", "default": "false"}),
        ("script", {}, {"type": "string"}),
        ("trace_ra", {"reloadable": "1"}, {"type": "boolean", "default": "false"}),
        ("trace_file", {"reloadable": "1"}, {"type": "string"}),
    ],
)
def test_a_parameter(
    document: etree._Element, name: str, attributes: dict[str, str], content: dict[str, str]
) -> None:
    element = parameter(document, name)
    found = element.find("content")
    assert found is not None
    assert dict(found.items()) == content
    assert dict(element.items()) == {
        "name": name, "required": "0", "reloadable": "0", **attributes,
    }  # fmt: skip


def test_the_choices_of_a_select(document: etree._Element) -> None:
    options = parameter(document, "protocol").iterfind("content/option")
    assert [option.get("value") for option in options] == ["tcp", "udp"]


def test_a_deprecated_parameter(document: etree._Element) -> None:
    element = parameter(document, "heatbeat_file")
    replacement = element.find("deprecated/replaced-with")
    assert replacement is not None
    assert replacement.get("name") == "heartbeat_file"
    assert element.get("required") == "0"


def test_text_is_escaped(document: etree._Element) -> None:
    expected = "The port of the service. <Angle brackets> & ampersands are legal here."
    assert text(parameter(document, "port"), "longdesc") == expected


def test_a_default_is_escaped() -> None:
    from lvsdr.ocf.parameters import ParameterSet, defaulted

    odd = defaulted("odd", str, "a\"<&'é", short="Odd — é", long="l")
    rendered = AGENT._replace(parameters=ParameterSet([odd])).render_metadata()
    assert rendered.isascii()
    content = parameter(etree.fromstring(rendered.encode()), "odd").find("content")
    assert content is not None
    assert content.get("default") == "a\"<&'é"


def test_an_empty_default_is_stated() -> None:
    from lvsdr.ocf.parameters import ParameterSet, defaulted

    empty = defaulted("empty", str, "", short="Empty", long="l")
    assert 'default=""' in AGENT._replace(parameters=ParameterSet([empty])).render_metadata()


def test_paragraphs_are_kept(document: etree._Element) -> None:
    assert text(document, "longdesc").split("\n\n") == [
        "Keeps a state file.",
        "Does nothing else & says so in a second paragraph.",
    ]


def test_the_actions(document: etree._Element) -> None:
    actions = [dict(action.items()) for action in document.iterfind("actions/action")]
    assert [action["name"] for action in actions] == [
        "start", "stop", "monitor", "monitor", "reload-agent",
        "meta-data", "validate-all", "validate-all",
    ]  # fmt: skip
    assert actions[2] == {"name": "monitor", "timeout": "20s", "interval": "10s", "depth": "0"}
    assert all({"name", "timeout"} <= set(action) <= ACTION_ATTRIBUTES for action in actions)
