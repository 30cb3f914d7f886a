"""Pacemaker's documents, read with lxml, against a reader of another library (expat)."""

from __future__ import annotations

from xml.parsers import expat

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lvsdr.errors import SourceUnavailable
from lvsdr.pacemaker.crm_mon import parse_cluster_state
from lvsdr.pacemaker.elements import find_child, has_flag, parse_document, require_attribute
from lxml.etree import _Element as Element

from tests.support.paths import DATA

TEXT = b"""<?xml version="1.0"?>
<!-- a comment -->
<status code="0" ok="true" no="false">
  <node name="n1"/><?an instruction?><node name="n&amp;2"/>
  <errors><error>one <!-- a comment -->&lt;two&gt;<![CDATA[ & three]]></error></errors>
</status>
"""


def test_elements_and_attributes() -> None:
    root = parse_document(TEXT, "crm_mon")
    assert (root.tag, require_attribute(root, "code")) == ("status", "0")
    assert [child.tag for child in root] == ["node", "node", "errors"]
    assert [node.get("name") for node in root.iter("node")] == ["n1", "n&2"]
    with pytest.raises(SourceUnavailable, match=r"^crm_mon: <status> has no attribute 'name'$"):
        require_attribute(root, "name")


def test_the_first_child_of_a_tag() -> None:
    root = parse_document(TEXT, "crm_mon")
    node, errors = find_child(root, "node"), find_child(root, "errors")
    assert node is not None
    assert errors is not None
    assert node.get("name") == "n1"
    assert [error.text for error in errors] == ["one <two> & three"]
    assert find_child(root, "error") is None


def test_flags() -> None:
    root = parse_document(TEXT, "crm_mon")
    names = ("ok", "no", "gone")
    assert [has_flag(root, name) for name in names] == [True, False, False]
    assert has_flag(root, "gone", default=True)
    assert not has_flag(root, "code", default=True)


def test_a_long_text() -> None:
    text = b"x&amp;" * 4_000_000  # libxml2 has a limit of 10 MB without huge_tree
    assert parse_document(b"<a>" + text + b"</a>", "crm_mon").text == "x&" * 4_000_000


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b'<?xml version="1.0" encoding="UTF-8"?>'])
def test_utf_8(start: bytes) -> None:
    assert parse_document(start + '<a b="ü"/>'.encode(), "crm_mon").get("b") == "ü"


LATIN = '<?xml version="1.0" encoding="iso-8859-1"?><a b="ü"/>'
LAUGHS = (
    b'<!DOCTYPE a [<!ENTITY a "ha">'
    + b"".join(
        b'<!ENTITY %c "%b">' % (letter + 1, b"&%c;" % letter * 10) for letter in b"abcdefghij"
    )
    + b"]>"
)


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b" ", b"text", b"<a>", b"<a></b>", b"<a/><b/>", b"<a/>rest", b"<a b=1/>", b"<a"),
        *(b"<a>&unknown;</a>", b"\x00", b"<a>\xff</a>", b"<a b='1' b='2'/>", bytes(1000)),
        *(b"<a/>\x00rest", b'<a b="\x00"/>', b"<a>\x01</a>", b"<a>&#0;</a>", b"<a>\xc0\x80</a>"),
        *(LATIN.encode("latin-1"), LATIN.encode(), LATIN.encode("utf-16")),
        *(b"\xef\xbb\xbf" + LATIN.encode(), b'<?xml version="1.0" encoding="none"?><a/>'),
        *(b"<!DOCTYPE a><a/>", b'<!DOCTYPE a SYSTEM "/etc/passwd"><a/>'),
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "/etc/passwd">]><a>&b;</a>',
        *(LAUGHS + b"<a>&j;</a>", LAUGHS + b'<a b="&j;"/>'),
        *("<ä/>".encode(), "<a ä=''/>".encode(), "<a><n\ufffdde/></a>".encode()),
        *(b'<a xmlns="b"/>', b'<a xmlns:b="c" b:d=""/>', b"<a b:c=''/>", b"<b:a/>"),
        b"<a>" * 10_000,
    ],
)
def test_a_text_that_is_no_document_of_pacemaker(text: bytes) -> None:
    with pytest.raises(SourceUnavailable, match=r"^crm_mon: not a complete XML document \(.+\)$"):
        parse_document(text, "crm_mon")


def test_clones_within_clones() -> None:
    clones = b"<clone id='a'>" * 2000 + b"</clone>" * 2000
    document = (
        b"<pacemaker-result><nodes><node name='a' online='true'/></nodes><resources>%b</resources>"
        b"<status code='0'/></pacemaker-result>"
    )
    with pytest.raises(SourceUnavailable, match=r"^crm_mon: .*(deep|depth)"):
        parse_cluster_state(document % clones)


DOCUMENTS = [path.read_bytes() for path in sorted((DATA / "crm_mon").rglob("*.xml"))]
PIECES = (
    *(b"", b"&", b"<", b">", b'"', b"'", b"=", b"/", b" ", b"\n", b"&#0;", b"&#x41;", b"&lt;"),
    *(b"&nope;", b"<!-- c -->", b"<![CDATA[x]]>", b"<?a b?>", b"\0", b"\x01", b"\xff", b"\xc3\xbc"),
    *(b"<a/>", b'<a b="1">', b"</a>", b"<!DOCTYPE a>", b' id="1"', b' xmlns="a"', b"x:", b"nodes"),
)


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """Return a document of crm_mon, cut off, or with a piece replaced or repeated."""
    document = draw(st.sampled_from(DOCUMENTS))
    start, other = (draw(st.integers(0, len(document))) for _ in range(2))
    end = min(len(document), start + draw(st.integers(0, 60)))
    character = st.characters(codec="utf-8").map(str.encode)
    piece = draw(st.sampled_from(PIECES) | character | st.just(document[start:end]))
    place = draw(st.sampled_from((start, end, other)))
    kinds: st.SearchStrategy[bytes] = st.sampled_from(
        (document[:start], document[:start] + piece + document[end:])
        + (document[:place] + piece + document[place:], document + piece)
    )
    return draw(kinds)


Tree = tuple[str, dict[str, str], list["Tree"]]


def expat_tree(document: bytes) -> Tree:
    """Return tag, attributes and children of the root; raise ExpatError without a document."""
    top: Tree = ("", {}, [])
    path = [top]

    def start(tag: str, attributes: dict[str, str]) -> None:
        path[-1][2].append((tag, attributes, []))
        path.append(path[-1][2][-1])

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _tag: path.pop()
    parser.Parse(document, True)
    return top[2][0]


def lxml_tree(element: Element) -> Tree:
    attributes = {str(name): str(value) for name, value in element.attrib.items()}
    return (element.tag, attributes, [lxml_tree(child) for child in element])


def is_foreign(document: bytes, tree: Tree | None) -> bool:
    """Test for a document type, or a name that is in a namespace or not ASCII."""
    return b"<!DOCTYPE" in document or (tree is not None and has_foreign_name(tree))


def has_foreign_name(tree: Tree) -> bool:
    tag, attributes, children = tree
    foreign = (":" in name or name == "xmlns" or not name.isascii() for name in (tag, *attributes))
    return any(foreign) or any(map(has_foreign_name, children))


@given(mutations())
@example(DOCUMENTS[0])
def test_both_libraries_read_a_mutated_document_alike(document: bytes) -> None:
    """Both refuse the document or read the same; lxml also refuses what Pacemaker does not print.

    The parser of crm_mon then returns a state, or raises SourceUnavailable in one line.
    """
    try:
        expected: Tree | None = expat_tree(document)
    except (expat.ExpatError, LookupError):
        expected = None
    reasons = []
    try:
        actual: Tree | None = lxml_tree(parse_document(document, "crm_mon"))
    except SourceUnavailable as error:
        actual = None
        reasons.append(str(error))
    assert actual == expected or (actual is None and is_foreign(document, expected))
    try:
        assert parse_cluster_state(document).nodes
    except SourceUnavailable as error:
        reasons.append(str(error))
    assert all(len(reason.splitlines()) == 1 for reason in reasons)


@pytest.mark.parametrize("document", [DOCUMENTS[0], DOCUMENTS[-1]])
def test_a_truncated_document_is_refused(document: bytes) -> None:
    complete = document.rstrip()
    for length in range(0, len(complete), 7):
        with pytest.raises(SourceUnavailable):
            parse_cluster_state(complete[:length])
