"""The declarations of parameters: name, parser, default, and the texts of the metadata."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..values.light_typing import Generic, TypeVar

T = TypeVar("T")


class Parameter(Generic[T]):
    """One parameter.  ``required``, ``defaulted``, ``optional`` and ``deprecated`` make it.

    ``default`` is text, as in the metadata; None for no default.  ``replaced_by`` is set for a
    deprecated name.  The parser's description is copied here.  It consists of the ``legal`` values
    in words, and of the ``content`` type and the ``options`` for the metadata.  ``discreet`` hides
    the value in messages.
    """

    __slots__ = (
        *("name", "parser", "short", "long", "default", "required", "unique_group"),
        *("reloadable", "replaced_by", "legal", "content", "options", "discreet", "inverse"),
    )

    def __init__(self, name: str, parser: Callable[[str], T], short: str, long: str) -> None:
        self.name = name
        self.parser = parser
        self.short = short
        self.long = long
        self.default: str | None = None
        self.required = False
        self.unique_group = ""
        self.reloadable = False
        self.replaced_by: Parameter[T] | None = None
        self.legal: str = getattr(parser, "legal", "")
        self.content: str = getattr(parser, "content", "string")
        self.options: tuple[str, ...] = getattr(parser, "options", ())
        self.discreet: bool = getattr(parser, "discreet", False)
        self.inverse: Mapping[str, str] = {}

    def translate_text(self, text: str) -> str:
        """Translate a text under a deprecated name into its meaning under the current name."""
        return self.inverse.get(text.strip().lower(), text)


def required(
    name: str,
    parser: Callable[[str], T],
    *,
    short: str,
    long: str,
    unique_group: str = "",
    reloadable: bool = False,
) -> Parameter[T]:
    """Declare a parameter without which the resource cannot be run.

    Two resources of one agent must differ in at least one parameter of a ``unique_group``.  A
    change of a ``reloadable`` one is applied by reload-agent; a change of any other restarts the
    resource.
    """
    parameter = Parameter(name, parser, short, long)
    parameter.required = True
    parameter.unique_group = unique_group
    parameter.reloadable = reloadable
    return parameter


def defaulted(
    name: str,
    parser: Callable[[str], T],
    default: str,
    *,
    short: str,
    long: str,
    unique_group: str = "",
    reloadable: bool = False,
) -> Parameter[T]:
    """Declare a parameter with the value ``default`` (parsed like any other) unless it is set."""
    parameter = Parameter(name, parser, short, long)
    parameter.default = default
    parameter.unique_group = unique_group
    parameter.reloadable = reloadable
    return parameter


def optional(
    name: str,
    parser: Callable[[str], T],
    *,
    short: str,
    long: str,
    unique_group: str = "",
    reloadable: bool = False,
) -> Parameter[T | None]:
    """Declare a parameter that is None unless it is set."""
    parameter: Parameter[T | None] = Parameter(name, parser, short, long)
    parameter.unique_group = unique_group
    parameter.reloadable = reloadable
    return parameter


def deprecated(
    name: str, replaced_by: Parameter[T], *, inverse: Mapping[str, str] | None = None
) -> Parameter[T]:
    """Declare the old name of ``replaced_by``, which counts if the new name is not set.

    ``inverse`` translates its values, in lower case, if they mean something else.
    """
    text = f"Deprecated name of {replaced_by.name}"
    parameter = Parameter(name, replaced_by.parser, text, f"{text}.")
    parameter.reloadable = replaced_by.reloadable
    parameter.replaced_by = replaced_by
    parameter.inverse = inverse or {}
    if inverse:
        parameter.long = f"{text}, with the opposite meaning."
    return parameter
