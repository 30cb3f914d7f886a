"""The parameters of an agent: declared once, read from the environment, checked all together.

A declaration is the key to its value, too: the type checker knows what comes out.

>>> from lvsdr.ocf.values import one_of, whole_number
>>> PORT = required("port", whole_number(1, 65535), short="Port", long="The port to serve.")
>>> PROTOCOL = defaulted("protocol", one_of("tcp", "udp"), "tcp", short="Protocol", long="...")
>>> PARAMETERS = ParameterSet((PORT, PROTOCOL))
>>> values = PARAMETERS.parse({"OCF_RESKEY_port": "5432"})
>>> values[PORT], values[PROTOCOL], values.given(PROTOCOL)
(5432, 'tcp', False)
>>> PARAMETERS.parse({"OCF_RESKEY_port": "99999", "OCF_RESKEY_protocol": "sctp"})
Traceback (most recent call last):
lvsdr.errors.InvalidParameters: port=99999: must be a whole number from 1 to 65535; \
protocol=sctp: must be tcp or udp
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from ..errors import InvalidParameters
from ..typed import Generic, TypeVar, cast
from .text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
T = TypeVar("T")
PREFIX = "OCF_RESKEY_"


class Parameter(Generic[T]):
    """One parameter.  Made by ``required``, ``defaulted``, ``optional`` and ``deprecated``.

    ``default`` is text, as in the metadata; None where there is none.  ``replaced_by`` is set for a
    deprecated name.  What the parser says of itself is here, too: ``legal`` values in words, the
    ``content`` type and the ``options`` of the metadata, and whether to be ``discreet``.
    """

    __slots__ = (
        *("name", "parser", "short", "long", "default", "required", "unique_group"),
        *("reloadable", "replaced_by", "legal", "content", "options", "discreet"),
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


def required(
    name: str,
    parser: Callable[[str], T],
    *,
    short: str,
    long: str,
    unique_group: str = "",
    reloadable: bool = False,
) -> Parameter[T]:
    """A parameter without which the resource cannot be run.

    Resources of one agent may not agree in all parameters of a ``unique_group``.  A change of a
    ``reloadable`` one is applied by reload-agent; a change of any other restarts the resource.
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
    """A parameter that has the value ``default`` (parsed like any other) unless it is set."""
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
    """A parameter that is None unless it is set."""
    parameter: Parameter[T | None] = Parameter(name, parser, short, long)
    parameter.unique_group = unique_group
    parameter.reloadable = reloadable
    return parameter


def deprecated(name: str, replaced_by: Parameter[T]) -> Parameter[T]:
    """The old name of ``replaced_by``: used where the new name is not set."""
    text = f"Deprecated name of {replaced_by.name}"
    parameter = Parameter(name, replaced_by.parser, text, f"{text}.")
    parameter.reloadable = replaced_by.reloadable
    parameter.replaced_by = replaced_by
    return parameter


class _WrongValueError(Exception):
    """A cross-check asked for a parameter whose value is wrong."""


_WRONG = object()


class Values:
    """The values of a parameter set, reached by the declarations."""

    __slots__ = ("_given", "_values")

    def __init__(self, values: Mapping[str, object], given: Iterable[str]) -> None:
        self._values = values
        self._given = frozenset(given)

    def __getitem__(self, parameter: Parameter[T]) -> T:
        name = parameter.replaced_by.name if parameter.replaced_by else parameter.name
        value = self._values[name]
        if value is _WRONG:
            raise _WrongValueError(name)
        return cast("T", value)

    def given(self, parameter: Parameter[Any]) -> bool:
        """Whether it was set, by this name or by a deprecated one of it; not defaulted."""
        return parameter.name in self._given


Rule = Callable[[Values], Iterable[str]]


class ParameterSet:
    """The parameters of an agent, in the order of its documentation.

    Each of ``rules`` finds what is wrong between parameters, in sentences like those for a single
    one.  It may ask for any value: one that is wrong by itself ends the rule quietly.
    """

    __slots__ = ("_parameters", "_rules")

    def __init__(self, parameters: Iterable[Parameter[Any]], rules: Iterable[Rule] = ()) -> None:
        self._parameters = tuple(parameters)
        self._rules = tuple(rules)
        names = {parameter.name for parameter in self._parameters}
        if len(names) < len(self._parameters):
            raise ValueError("a parameter is declared twice")

    def __iter__(self) -> Iterator[Parameter[Any]]:
        return iter(self._parameters)

    def with_more(self, *more: Parameter[Any]) -> ParameterSet:
        """This set, with its rules, and ``more`` parameters at the end."""
        return ParameterSet((*self._parameters, *more), self._rules)

    def parse(self, environ: Mapping[str, str]) -> Values:
        """The values that ``environ`` (OCF_RESKEY_<name>) gives to the parameters.

        An empty value and ``none`` mean "not set": pcs cannot store an empty one.  Names that are
        not declared are ignored, since Pacemaker's own CRM_meta_* are among them.
        Raises InvalidParameters with everything that is wrong.
        """
        problems: list[str] = []
        values: dict[str, object] = {}
        given: set[str] = set()
        for parameter in self._parameters:
            if parameter.replaced_by is None:
                settings = self._settings(parameter, environ)
                given.update(name for name, _ in settings)
                given.update((parameter.name,) if settings else ())
                try:
                    values[parameter.name] = _value(parameter, settings)
                except ValueError as error:
                    values[parameter.name] = _WRONG
                    problems.append(one_line(str(error)))
        found = Values(values, given)
        for rule in self._rules:
            problems += _broken(rule, found)
        if problems:
            raise InvalidParameters(problems)
        return found

    def _settings(
        self, parameter: Parameter[Any], environ: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        """Name and text of each of the parameter's names that is set, the current one first."""
        old = (other.name for other in self._parameters if other.replaced_by is parameter)
        texts = ((name, environ.get(PREFIX + name, "")) for name in (parameter.name, *old))
        return [(name, text) for name, text in texts if text.strip() not in ("", "none")]


def _value(parameter: Parameter[T], settings: list[tuple[str, str]]) -> T | None:
    """The value; raises ValueError with the whole sentence if there is no legal one."""
    if not settings:
        if parameter.required:
            wanted = f"must be {parameter.legal}" if parameter.legal else parameter.short
            raise ValueError(f"{parameter.name} is required: {wanted}")
        return None if parameter.default is None else parameter.parser(parameter.default)
    name, text = settings[0]
    for old, other in settings[1:]:
        if other != text:
            raise ValueError(
                f"{old}={_shown(parameter, other)}: is the old name of {parameter.name}, "
                f"which is set to {_shown(parameter, text)}; set only {parameter.name}"
            )
    try:
        return parameter.parser(text)
    except ValueError as error:
        raise ValueError(f"{name}={_shown(parameter, text)}: {error}") from None


def _shown(parameter: Parameter[Any], text: str) -> str:
    if parameter.discreet or ":" in text.rpartition("@")[0]:  # a URL with a password in it
        return "(not shown)"
    return one_line(text, limit=100)


def _broken(rule: Rule, values: Values) -> Iterator[str]:
    try:
        for problem in rule(values):
            yield one_line(problem)
    except _WrongValueError:
        return  # what the rule asked for has been reported
