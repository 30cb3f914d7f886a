"""Elements of Pacemaker's XML documents, read with lxml."""

from __future__ import annotations

from ..dependencies import from_package
from ..errors import SourceUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lxml.etree import XMLParser
    from lxml.etree import _Element as _LxmlElement

    Element = _LxmlElement


def require_lxml() -> None:
    """Import lxml; raise NotInstalled without it.

    The import takes longer than reading a document, so it is done while crm_mon runs.
    """
    with from_package("python3-lxml"):
        import lxml.etree  # noqa: F401


def parse_document(document: bytes, origin: str) -> Element:
    """Return the root of a complete XML document; raise SourceUnavailable for any other text.

    ``origin`` is the program that printed the document, or its file.
    """
    require_lxml()
    from lxml import etree

    reason = _find_flaw(document)
    if reason is None:
        try:
            root = etree.fromstring(document, _make_parser())
        except etree.XMLSyntaxError as error:
            reason = " ".join(str(error.msg).split())
        else:
            reason = _find_foreign_name(root, document)
            if reason is None:
                return root
    raise SourceUnavailable(f"{origin}: not a complete XML document ({reason})")


def _find_flaw(document: bytes) -> str | None:
    """Return the property of the document that libxml2 must not see; None if there is none.

    Pacemaker's programs print UTF-8 and no document type.  A document type can define entities that
    expand without limit.  libxml2 ignores all text after a null byte.
    """
    if b"<!DOCTYPE" in document:
        return "it has a document type"
    if b"\0" in document:
        return "it has a null byte"
    declaration = document[: document.find(b"?>") + 1].lower()
    if b"<?xml" in declaration and b"encoding" in declaration and b"utf-8" not in declaration:
        return "its encoding is not UTF-8"
    return None


def _find_foreign_name(root: Element, document: bytes) -> str | None:
    """Return the reason why a name in the document is not Pacemaker's; None if there is none.

    A damaged name would hide an element, and a namespace would change all names.
    """
    if b"xmlns" in document and any(element.nsmap for element in root.iter()):
        return "it has a namespace"
    if not document.isascii():
        names = (name for element in root.iter() for name in (element.tag, *element.keys()))
        if not all(str(name).isascii() for name in names):
            return "it has a name that is not ASCII"
    return None


def _make_parser() -> XMLParser:
    """Return a parser that reads a document of any size and nothing outside of it."""
    from lxml.etree import XMLParser

    return XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )


def find_child(element: Element, tag: str) -> Element | None:
    """Return the first child with this tag."""
    return next(element.iterchildren(tag), None)


def has_flag(element: Element, name: str, default: bool = False) -> bool:
    """Test whether an attribute has the value ``true``."""
    return element.get(name, "true" if default else "false") == "true"


def require_attribute(element: Element, name: str) -> str:
    """Return an attribute of an element; raise SourceUnavailable if it is missing."""
    value = element.get(name)
    if value is None:
        raise SourceUnavailable(f"crm_mon: <{element.tag}> has no attribute {name!r}")
    return value
