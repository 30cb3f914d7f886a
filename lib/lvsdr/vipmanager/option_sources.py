"""The sources of options, by precedence: flags, the environment, a file."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from ..errors import LvsdrError, NotInstalled
from ..values.light_typing import NamedTuple
from .option_names import CURRENT_NAMES, NEVER_EMPTY, find_name_warnings
from .options import format_variable_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PREFIX = "VIP_"
# Variables with the prefix that are not options of the daemon.
_OTHER_VARIABLES = {"VIP_CONFIG", "VIP_DEFAULT_CONFIG"}


class UnusableOptions(LvsdrError):
    """Invalid options; ``problems`` has a sentence for each problem."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


class OptionText(NamedTuple):
    """The text of an option, and its name in the source, such as ``VIP_IP`` or ``--ip``."""

    text: str
    source: str

    @property
    def assignment(self) -> str:
        """Return source and text, such as ``VIP_IP=192.0.2.1``: not for a secret."""
        return f"{self.source}={self.text}"


class OptionSource(NamedTuple):
    """The options of one source, by their current names, and the messages for an operator."""

    texts: Mapping[str, OptionText]
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def read_flags(flags: Mapping[str, str | None]) -> OptionSource:
    """Return the options of the command line; ``flags`` has every flag, without dashes."""
    return _use_current_names(
        {name: text for name, text in flags.items() if text is not None}, "--{}".format
    )


def read_environment(environ: Mapping[str, str]) -> OptionSource:
    """Return the options of variables; an unknown variable gives a warning.

    An empty variable counts as unset, except for an option in NEVER_EMPTY.
    """
    names_by_variable = {format_variable_name(name): name for name in CURRENT_NAMES}
    texts = {
        names_by_variable[name]: text for name, text in environ.items() if name in names_by_variable
    }
    unknown_names = sorted(
        name
        for name in environ
        if name.startswith(_PREFIX)
        and name not in names_by_variable
        and name not in _OTHER_VARIABLES
    )
    source = _use_current_names(texts, format_variable_name)
    warnings = tuple(
        f"{name} is not a variable of vip-manager: it is ignored" for name in unknown_names
    )
    return source._replace(warnings=source.warnings + warnings)


def read_file(path: str) -> OptionSource:
    """Return the options of a file: YAML, or lines as in /etc/default; raise UnusableOptions."""
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not valid UTF-8"
        raise UnusableOptions([f"cannot read {path}: {reason}"]) from None
    try:
        pairs = dict(
            _parse_assignments(text) if _has_assignments(text) else _parse_yaml_options(text)
        )
    except ValueError as error:
        raise UnusableOptions([f"{path}: {error}"]) from None
    known_pairs = {name: value for name, value in pairs.items() if name in CURRENT_NAMES}
    source = _use_current_names(known_pairs, lambda name: f"{path}: {name}")
    problems = tuple(
        f"{path}: {name} is not an option of vip-manager"
        for name in pairs
        if name not in CURRENT_NAMES
    )
    return source._replace(problems=problems)


def merge_sources(sources: list[OptionSource]) -> OptionSource:
    """Merge the sources; the first that contains an option has precedence."""
    texts: dict[str, OptionText] = {}
    for source in reversed(sources):
        texts.update(source.texts)
    warnings = tuple(warning for source in sources for warning in source.warnings)
    return OptionSource(texts, warnings, tuple(p for source in sources for p in source.problems))


def _use_current_names(texts: Mapping[str, str], format_source: Any) -> OptionSource:
    """Return the options by their current names; a current name takes precedence over an old one.

    An empty text counts as unset, except for an option in NEVER_EMPTY.
    """
    used_texts = {name: text for name, text in texts.items() if text or _may_be_empty(name)}
    by_current_name = {}
    for name in sorted(used_texts, key=lambda name: name == CURRENT_NAMES[name]):
        by_current_name[CURRENT_NAMES[name]] = OptionText(used_texts[name], format_source(name))
    return OptionSource(by_current_name, tuple(find_name_warnings(used_texts, format_source)))


def _may_be_empty(name: str) -> bool:
    return CURRENT_NAMES[name] in NEVER_EMPTY


def _has_assignments(text: str) -> bool:
    """Return whether the text has assignments instead of YAML, by its first line with content."""
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "")
    name, equals, _ = first.removeprefix("export ").partition("=")
    return bool(equals) and name.strip().isidentifier()


def _parse_assignments(text: str) -> Iterator[tuple[str, str]]:
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


def _parse_yaml_options(text: str) -> Iterator[tuple[str, str]]:
    for key, value in _read_yaml(text).items():
        name = str(key).lower().replace("_", "-")
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            yield name, ",".join(value)
        elif isinstance(value, str):
            yield name, value
        else:
            raise ValueError(f"{key} must be a value, or a list of values")


def _describe_yaml_error(error: Exception) -> str:
    """Return the error of YAML and its line; the full text could show a password."""
    problem = getattr(error, "problem", None) or type(error).__name__
    mark = getattr(error, "problem_mark", None)
    return problem if mark is None else f"line {mark.line + 1}: {problem}"


def _read_yaml(text: str) -> dict[Any, Any]:
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
        raise ValueError(f"not YAML: {_describe_yaml_error(error)}") from None
    if document in (None, ""):
        return {}
    if not isinstance(document, dict):
        raise ValueError("must have the form key: value")
    return document
