"""The sources of options, by precedence: flags, the environment, a file."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from ..errors import LvsdrError, NotInstalled
from ..values.light_typing import NamedTuple
from .option_names import CURRENT_NAMES, NEVER_EMPTY, name_warnings
from .options import variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PREFIX = "VIP_"
# Variables with the prefix that are not options of the daemon.
_OTHERS = {"VIP_CONFIG", "VIP_DEFAULT_CONFIG"}


class Unusable(LvsdrError):
    """Invalid options; ``problems`` has a sentence for each problem."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


class Said(NamedTuple):
    """The text of an option, and its name in the source, such as ``VIP_IP`` or ``--ip``."""

    text: str
    source: str


class Source(NamedTuple):
    """The options of one source, by their current names, and the messages for an operator."""

    said: Mapping[str, Said]
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def flags(given: Mapping[str, str | None]) -> Source:
    """Return the options of the command line; ``given`` has every flag, without dashes."""
    return _source({name: text for name, text in given.items() if text is not None}, "--{}".format)


def environment(environ: Mapping[str, str]) -> Source:
    """Return the options of variables; an unknown variable gives a warning.

    An empty variable counts as unset, except for an option in NEVER_EMPTY.
    """
    known = {variable(name): name for name in CURRENT_NAMES}
    said = {known[name]: text for name, text in environ.items() if name in known}
    strangers = sorted(
        name
        for name in environ
        if name.startswith(_PREFIX) and name not in known and name not in _OTHERS
    )
    source = _source(said, variable)
    unknown = tuple(f"{name} is none of the variables that are known" for name in strangers)
    return source._replace(warnings=source.warnings + unknown)


def file(path: str) -> Source:
    """Return the options of a file: YAML, or lines as in /etc/default; raise Unusable."""
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not in UTF-8"
        raise Unusable([f"cannot read {path}: {why}"]) from None
    try:
        pairs = dict(_assignments(text) if _is_assignments(text) else _keys(text))
    except ValueError as error:
        raise Unusable([f"{path}: {error}"]) from None
    known = {name: value for name, value in pairs.items() if name in CURRENT_NAMES}
    source = _source(known, lambda name: f"{path}: {name}")
    unknown = tuple(f"{path}: {name} is no option" for name in pairs if name not in CURRENT_NAMES)
    return source._replace(problems=unknown)


def merged(sources: list[Source]) -> Source:
    """Merge the sources; the first that contains an option has precedence."""
    said: dict[str, Said] = {}
    for source in reversed(sources):
        said.update(source.said)
    warnings = tuple(warning for source in sources for warning in source.warnings)
    return Source(said, warnings, tuple(p for source in sources for p in source.problems))


def _source(said: Mapping[str, str], spelled: Any) -> Source:
    """Return the options by their current names; a current name takes precedence over an old one.

    An empty text counts as unset, except for an option in NEVER_EMPTY.
    """
    said = {name: text for name, text in said.items() if text or CURRENT_NAMES[name] in NEVER_EMPTY}
    found = {}
    for name in sorted(said, key=lambda name: name == CURRENT_NAMES[name]):
        found[CURRENT_NAMES[name]] = Said(said[name], spelled(name))
    return Source(found, tuple(name_warnings(said, spelled)))


def _is_assignments(text: str) -> bool:
    """Return whether the text has assignments instead of YAML, by its first line with content."""
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "")
    name, equals, _ = first.removeprefix("export ").partition("=")
    return bool(equals) and name.strip().isidentifier()


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    """Yield lines such as VIP_IP=192.0.2.1, quoted as for a shell; skip other variables."""
    for number, line in enumerate(text.splitlines(), 1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise ValueError(f"line {number}: {str(error).lower()}") from None
        if words[:1] == ["export"]:
            del words[0]
        if not words:
            continue
        name, equals, value = words[0].partition("=")
        if not equals or len(words) > 1:
            raise ValueError(f"line {number} is not of the form NAME=VALUE")
        if name.startswith(_PREFIX):
            yield name[len(_PREFIX) :].lower().replace("_", "-"), value


def _keys(text: str) -> Iterator[tuple[str, str]]:
    for key, value in _document(text).items():
        name = str(key).lower().replace("_", "-")
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            yield name, ",".join(value)
        elif isinstance(value, str):
            yield name, value
        else:
            raise ValueError(f"{key} must be a value, or a list of values")


def _complaint(error: Exception) -> str:
    """Return the error of YAML and its line; the full text could show a password."""
    problem = getattr(error, "problem", None) or type(error).__name__
    mark = getattr(error, "problem_mark", None)
    return problem if mark is None else f"line {mark.line + 1}: {problem}"


def _document(text: str) -> dict[Any, Any]:
    """Return a YAML mapping; every value stays the text in the file."""
    try:
        import yaml
    except ImportError:
        raise NotInstalled(
            "Python's yaml is not installed (package python3-yaml, in EL python3-pyyaml)"
        ) from None
    try:
        document = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {_complaint(error)}") from None
    if document in (None, ""):
        return {}
    if not isinstance(document, dict):
        raise ValueError("must have the form key: value")
    return document
