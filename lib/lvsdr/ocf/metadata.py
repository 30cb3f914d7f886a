"""The metadata of an agent, as the XML of the OCF Resource Agent API 1.1.

The order of the elements follows the official schema, ra/1.1/ra-api.rng of the OCF specification.
Only the action meta-data imports this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import Any, NamedTuple

from .actions import Action
from .parameter_docs import fill_paragraphs
from .parameters import Parameter

API_VERSION = "1.1"  # of OCF; the agent's own version is an attribute


class Description(NamedTuple):
    """An agent as its metadata describes it: all of its parameters and actions."""

    name: str
    version: str
    short: str
    long: str
    parameters: Iterable[Parameter[Any]]
    actions: Iterable[Action]


def render_metadata(agent: Description) -> str:
    """Return the document in ASCII, so that the locale does not matter."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<resource-agent{_render_attributes(name=agent.name, version=agent.version)}>",
        f"<version>{API_VERSION}</version>",
        *_render_description(agent.short, agent.long),
        "<parameters>",
        *_flatten(_render_parameter(parameter) for parameter in agent.parameters),
        "</parameters>",
        "<actions>",
        *(_render_action(action) for action in agent.actions if action.advertised),
        "</actions>",
        "</resource-agent>",
    ]
    return "".join(f"{line}\n" for line in lines).encode("ascii", "xmlcharrefreplace").decode()


def _flatten(groups: Iterable[Iterable[str]]) -> Iterator[str]:
    for group in groups:
        yield from group


def _render_parameter(parameter: Parameter[Any]) -> Iterator[str]:
    attributes = {
        "name": parameter.name,
        "unique-group": parameter.unique_group,
        "required": str(int(parameter.required)),
        "reloadable": str(int(parameter.reloadable)),
    }
    yield f"<parameter{_render_attributes(**attributes)}>"
    if parameter.replaced_by:
        new = _render_attributes(name=parameter.replaced_by.name)
        yield f"<deprecated><replaced-with{new}/></deprecated>"
    yield from _render_description(parameter.short, parameter.long)
    yield from _render_content(parameter)
    yield "</parameter>"


def _render_description(short: str, long: str) -> Iterator[str]:
    yield f'<longdesc lang="en">\n{escape(fill_paragraphs(long), quote=False)}\n</longdesc>'
    yield f'<shortdesc lang="en">{escape(short, quote=False)}</shortdesc>'


def _render_content(parameter: Parameter[Any]) -> Iterator[str]:
    default = "" if parameter.default is None else f' default="{escape(parameter.default)}"'
    opening = f"<content{_render_attributes(type=parameter.content)}{default}"
    if not parameter.options:
        yield f"{opening}/>"
        return
    yield f"{opening}>"
    for option in parameter.options:
        yield f"<option{_render_attributes(value=option)}/>"
    yield "</content>"


def _render_action(action: Action) -> str:
    attributes = _render_attributes(
        name=action.name,
        timeout=action.timeout,
        interval=action.interval,
        depth=action.depth,
        role=action.role,
    )
    return f"<action{attributes}/>"


def _render_attributes(**values: str) -> str:
    """Return the attributes that have a value, as XML."""
    return "".join(f' {name}="{escape(value)}"' for name, value in values.items() if value)
