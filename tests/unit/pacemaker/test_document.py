"""An XML document as a tree."""

from __future__ import annotations

import pytest
from lvsdr.pacemaker.document import tree

TEXT = b"""<?xml version="1.0"?>
<!-- a comment -->
<status code="0" ok="true" no="false">
  <node name="n1"/><node name="n&amp;2"/><errors><error>one &lt;two&gt;</error></errors>
</status>
"""


def test_elements_and_attributes() -> None:
    root = tree(TEXT)
    assert (root.tag, root.attributes["code"]) == ("status", "0")
    assert [child.tag for child in root.children] == ["node", "node", "errors"]
    assert [node.attributes["name"] for node in root.all("node")] == ["n1", "n&2"]


def test_the_first_of_its_kind() -> None:
    root = tree(TEXT)
    node, errors = root.first("node"), root.first("errors")
    assert node is not None
    assert errors is not None
    assert node.attributes["name"] == "n1"
    assert [error.text for error in errors.all("error")] == ["one <two>"]
    assert root.first("error") is None


def test_flags() -> None:
    root = tree(TEXT)
    flags = [root.flag("ok"), root.flag("no"), root.flag("gone"), root.flag("gone", default=True)]
    assert flags == [True, False, False, True]
    assert not root.flag("code", default=True)


def test_long_text_in_pieces() -> None:
    assert tree(b"<a>" + b"x&amp;" * 5000 + b"</a>").text == "x&" * 5000


def test_other_encodings() -> None:
    assert tree(
        '<?xml version="1.0" encoding="iso-8859-1"?><a b="ü"/>'.encode("latin1")
    ).attributes == {"b": "ü"}


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b" ", b"text", b"<a>", b"<a></b>", b"<a/><b/>", b"<a/>rest", b"<a b=1/>", b"<a"),
        *(b"<a>&unknown;</a>", b"\x00", b"<a>\xff</a>", b"<a b='1' b='2'/>", bytes(1000)),
    ],
)
def test_no_document(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        tree(text)


def test_an_unknown_encoding_is_an_error() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        tree(b'<?xml version="1.0" encoding="nonsense"?><a/>')
