"""The parameters of an agent: declared once, read from the environment, checked all together.

A declaration is also the key to its value, so that the type checker knows the value's type.

>>> from lvsdr.ocf.value_parsers import one_of, whole_number
>>> PORT = required("port", whole_number(1, 65535), short="Port", long="The port to serve.")
>>> PROTOCOL = defaulted("protocol", one_of("tcp", "udp"), "tcp", short="Protocol", long="...")
>>> PARAMETERS = ParameterSet((PORT, PROTOCOL))
>>> values = PARAMETERS.parse({"OCF_RESKEY_port": "5432"})
>>> values[PORT], values[PROTOCOL], values.is_set(PROTOCOL)
(5432, 'tcp', False)
>>> PARAMETERS.parse({"OCF_RESKEY_port": "99999", "OCF_RESKEY_protocol": "sctp"})
Traceback (most recent call last):
lvsdr.errors.InvalidParameters: port=99999: must be a whole number from 1 to 65535; \
protocol=sctp: must be tcp or udp
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from ..errors import InvalidParameters
from ..values.light_typing import TypeVar, cast
from ..values.safe_text import format_one_line
from .declarations import Parameter as Parameter
from .declarations import defaulted as defaulted
from .declarations import deprecated as deprecated
from .declarations import optional as optional
from .declarations import required as required

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
T = TypeVar("T")
PREFIX = "OCF_RESKEY_"


class _WrongValueError(Exception):
    """The error of a rule that reads a parameter with a wrong value."""


_WRONG_VALUE = object()


class Values:
    """The values of a parameter set, with the declarations as keys."""

    __slots__ = ("_given_names", "_values")

    def __init__(self, values: Mapping[str, object], given_names: Iterable[str]) -> None:
        self._values = values
        self._given_names = frozenset(given_names)

    def __getitem__(self, parameter: Parameter[T]) -> T:
        name = parameter.replaced_by.name if parameter.replaced_by else parameter.name
        value = self._values[name]
        if value is _WRONG_VALUE:
            raise _WrongValueError(name)
        return cast("T", value)

    def is_set(self, parameter: Parameter[Any]) -> bool:
        """Test whether the parameter was set, by this name or by a deprecated one of it."""
        return parameter.name in self._given_names


Rule = Callable[[Values], Iterable[str]]


class ParameterSet:
    """The parameters of an agent, in the order of its documentation.

    Each of ``rules`` yields the conflicts between parameters, in sentences like those on a single
    one.  A rule may read any value.  A value that is wrong by itself ends the rule silently.
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

    def extend_with(self, *parameters: Parameter[Any]) -> ParameterSet:
        """Return this set, with its rules, and with ``parameters`` at the end."""
        return ParameterSet((*self._parameters, *parameters), self._rules)

    def parse(self, environ: Mapping[str, str]) -> Values:
        """Return the values of the parameters in ``environ`` (OCF_RESKEY_<name>).

        An empty value and ``none`` mean "not set", because pcs cannot store an empty value.
        Unknown names are ignored, because Pacemaker's own CRM_meta_* are among them.  Raise
        InvalidParameters with all problems.
        """
        problems: list[str] = []
        values: dict[str, object] = {}
        given_names: set[str] = set()
        for parameter in self._parameters:
            if parameter.replaced_by is None:
                settings = self._find_settings(parameter, environ)
                given_names.update(name for name, _ in settings)
                given_names.update((parameter.name,) if settings else ())
                try:
                    values[parameter.name] = _parse_value(parameter, settings)
                except ValueError as error:
                    values[parameter.name] = _WRONG_VALUE
                    problems.append(format_one_line(str(error)))
        parsed_values = Values(values, given_names)
        for rule in self._rules:
            problems += _apply_rule(rule, parsed_values)
        if problems:
            raise InvalidParameters(problems)
        return parsed_values

    def _find_settings(
        self, parameter: Parameter[Any], environ: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        """Return name and text of each of the parameter's names that is set, current name first."""
        names = (
            parameter,
            *(alias for alias in self._parameters if alias.replaced_by is parameter),
        )
        texts = ((alias, environ.get(PREFIX + alias.name, "")) for alias in names)
        return [
            (alias.name, alias.translate_text(text))
            for alias, text in texts
            if text.strip() not in ("", "none")
        ]


def _parse_value(parameter: Parameter[T], settings: list[tuple[str, str]]) -> T | None:
    """Return the value; raise ValueError with the whole sentence if there is no legal one."""
    if not settings:
        if parameter.required:
            requirement = f"must be {parameter.legal}" if parameter.legal else parameter.short
            raise ValueError(f"{parameter.name} is required: {requirement}")
        return None if parameter.default is None else parameter.parser(parameter.default)
    name, text = settings[0]
    for old_name, other_text in settings[1:]:
        if other_text != text:
            raise ValueError(
                f"{old_name}={_format_value(parameter, other_text)}: "
                f"is the old name of {parameter.name}, "
                f"which is set to {_format_value(parameter, text)}; set only {parameter.name}"
            )
    try:
        return parameter.parser(text)
    except ValueError as error:
        raise ValueError(f"{name}={_format_value(parameter, text)}: {error}") from None


def _format_value(parameter: Parameter[Any], text: str) -> str:
    user, at, _ = text.partition("@")
    hidden = parameter.discreet or (at and ":" in user)  # a URL that contains user and password
    return "(not shown)" if hidden else format_one_line(text, limit=100)


def _apply_rule(rule: Rule, values: Values) -> Iterator[str]:
    try:
        for problem in rule(values):
            yield format_one_line(problem)
    except _WrongValueError:
        return  # the wrong value has been reported already
