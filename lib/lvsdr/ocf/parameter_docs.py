"""Descriptions of parameters for readers: a table of docs/reference and a section of a man page.

Declarations contain descriptions as paragraphs, separated by an empty line.  An indented paragraph
(an example) is kept as it stands.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from .parameters import Parameter


def fill_paragraphs(text: str, width: int = 78) -> str:
    r"""Return ``text`` with its paragraphs filled to ``width`` columns.

    >>> print(fill_paragraphs("A real\n    server.\n\n    So is this.\n\n        a b\n"))
    A real server.
    <BLANKLINE>
    So is this.
    <BLANKLINE>
        a b
    """
    first, _, rest = text.strip("\n").partition("\n")
    # The first line may follow the quotes, so its indentation has no meaning.
    source = f"{first.strip()}\n{textwrap.dedent(rest)}" if rest else first.strip()
    blocks = (block.strip("\n") for block in re.split(r"\n\s*\n", source))
    return "\n\n".join(
        block if block.startswith(" ") else textwrap.fill(" ".join(block.split()), width)
        for block in blocks
        if block.strip()
    )


def render_table(parameters: Iterable[Parameter[Any]]) -> str:
    """Return the parameters as a table in Markdown: name, default, meaning."""
    rows = ["| parameter | default | meaning |", "|---|---|---|"]
    for parameter in parameters:
        meaning = " ".join(parameter.long.split())
        rows.append(
            f"| `{parameter.name}` | {_render_default(parameter)} | {_escape_cell(meaning)} |"
        )
    return "\n".join(rows) + "\n"


def render_manual(parameters: Iterable[Parameter[Any]]) -> str:
    """Return the parameters as the body of a section of a manual page (man(7))."""
    return "".join(_render_entry(parameter) for parameter in parameters)


def _render_default(parameter: Parameter[Any]) -> str:
    if parameter.required:
        return "required"
    return f"`{_escape_cell(parameter.default)}`" if parameter.default is not None else ""


def _escape_cell(text: str) -> str:
    return text.replace("|", "\\|")


def _render_entry(parameter: Parameter[Any]) -> str:
    legal = f"Legal: {parameter.legal}." if parameter.legal else ""
    body = "\n.IP\n".join(
        filter(None, (_escape_roff(" ".join(parameter.long.split())), _escape_roff(legal)))
    )
    notes = _escape_roff(", ".join(_list_notes(parameter)))
    return f'.TP\n.BR {_escape_roff(parameter.name)} " ({notes})"\n{body}\n'


def _escape_roff(text: str) -> str:
    """Escape the characters that are special to roff; no line begins with a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def _list_notes(parameter: Parameter[Any]) -> Iterator[str]:
    if parameter.replaced_by:
        yield f"deprecated, use {parameter.replaced_by.name}"
    elif parameter.required:
        yield "required"
    else:
        yield "not set" if parameter.default is None else f"default {parameter.default}"
    if parameter.unique_group:
        yield f"unique group {parameter.unique_group}"
    if parameter.reloadable:
        yield "changed without a restart"
