"""An XML document as a small tree of elements, without knowledge of any schema.

It uses the standard library's expat binding, because every monitor pays for the import.  A bigger
XML library would cost more than everything else that the agent does.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat


class Element:
    """An element; ``text`` is all of its character data, for schemas without mixed content."""

    __slots__ = ("attributes", "children", "tag", "text")

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Element] = []
        self.text = ""

    def all(self, tag: str) -> Iterator[Element]:
        """Return the children with this tag."""
        return (child for child in self.children if child.tag == tag)

    def first(self, tag: str) -> Element | None:
        """Return the first child with this tag."""
        return next(self.all(tag), None)

    def flag(self, name: str, default: bool = False) -> bool:
        """Test whether an attribute has the value ``true``."""
        return self.attributes.get(name, "true" if default else "false") == "true"


def tree(document: bytes) -> Element:
    """Return the root element; raise ValueError unless the text is one complete document."""
    top = Element("", {})
    path = [top]

    def start(tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag, attributes)
        path[-1].children.append(element)
        path.append(element)

    def end(_tag: str) -> None:
        path.pop()

    def text(data: str) -> None:
        path[-1].text += data

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, LookupError) as error:  # LookupError: an unknown encoding
        raise ValueError(str(error)) from None
    return top.children[0]
