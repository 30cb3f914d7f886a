"""vip-manager: addresses on the node that leads, according to etcd, Consul or Patroni."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from ..vipmanager.option_names import AGENT_NAMES
from ..vipmanager.options import OPTIONS, RUN_DIRECTORY, Option
from . import complain
from .program import FAILED, described, run, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..vipmanager.configuration import Configuration

NAME = "vip-manager"
NOT_RUNNING = 3  # the status of init scripts (LSB)


def _options() -> Iterator[click.Option]:
    for option in OPTIONS:
        yield _option(option, option.name)
        others = (name for name, current in AGENT_NAMES.items() if current == option.name)
        yield from (_option(option, name, hidden=True) for name in (*option.old, *others))


def _option(option: Option, name: str, hidden: bool = False) -> click.Option:
    """Build a click option; values stay text for the parser that variables and files share."""
    default = f" Default: {option.default}." if option.default and option.metavar else ""
    switch = {} if option.metavar else {"is_flag": False, "flag_value": "true"}
    return click.Option(
        [f"--{name}"],
        metavar=option.metavar or "[BOOLEAN]",
        help=option.help + default,
        hidden=hidden,
        **switch,  # type: ignore[arg-type]
    )


class _Action(click.Choice):  # type: ignore[type-arg,unused-ignore]
    """A choice with an error that does not show the word: it may be the rest of a password."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value not in self.choices:
            self.fail("must be run, status or check", param, ctx)
        return value


def _none(_context: click.Context, _parameter: click.Parameter, words: Sequence[str]) -> None:
    if words:
        raise click.UsageError("more than one word; a value with blanks in it needs quotes")


COMMAND = described(
    click.Command,
    NAME,
    """\
    Have one or more addresses on this host while it leads, as etcd, Consul or Patroni say.

    Without a word, or with run, this is the daemon. status asks the one that is running; check
    says whether the configuration is right, and whether the interfaces are there, up and linked;
    with --store it asks the store as well.

    Every option is also a variable of the environment (--trigger-key: VIP_TRIGGER_KEY) and a key of
    the file (trigger-key). The command line goes before the environment, that before the file.
    """,
    (
        click.Argument(
            ["action"], type=_Action(["run", "status", "check"]), default="run", required=False
        ),
        click.Argument(
            ["more"], nargs=-1, required=False, metavar="", expose_value=False, callback=_none
        ),
        click.Option(
            ["--config"],
            type=click.Path(),  # a shell completes it
            metavar="FILE",
            help="File with options, in YAML or as NAME=VALUE.",
        ),
        *_options(),
        click.Option(["--store"], is_flag=True, help="With check: ask the store, too."),
        click.Option(["--json"], is_flag=True, help="With status: in JSON."),
    ),
)
COMMAND.context_settings["token_normalize_func"] = lambda token: token.replace("_", "-")


def main(arguments: Sequence[str]) -> int:
    """Run with these arguments; return the exit status."""
    ended = [0]
    return run(COMMAND, lambda given: ended.append(_act(given)), arguments) or ended[-1]


def _act(given: Mapping[str, Any]) -> int:
    if given["action"] == "status":
        return _status(given)
    from ..vipmanager.option_sources import UnusableOptions

    try:
        return _check(given) if given["action"] == "check" else _live(given)
    except UnusableOptions as error:
        for problem in error.problems:
            complain(NAME, problem)
        return FAILED


def _live(given: Mapping[str, Any]) -> int:
    from ..vipmanager.daemon import Daemon
    from ..vipmanager.requirements import require

    def load() -> Configuration:
        configuration = _loaded(given)
        require(configuration)
        return configuration

    return Daemon(load).run()


def _check(given: Mapping[str, Any]) -> int:
    from ..vipmanager.requirements import flaws

    configuration = _loaded(given)
    for warning in configuration.warnings:
        complain(NAME, warning)
    found = list(flaws(configuration))
    for flaw in found:
        complain(NAME, flaw)
    answered = _tried(configuration) if given["store"] else True
    return 0 if answered and not found else FAILED


def _tried(configuration: Configuration) -> bool:
    """Query the store once and print the answer; return whether it answered."""
    from .. import leader
    from ..leader.gate import State
    from ..values.deadline import Deadline

    store = leader.open_store(configuration.store, configuration.settings)
    found = leader.ask(store, Deadline.after(configuration.policy.timeout)).leadership
    say(f"{configuration.store}: {found.state.value} ({found.reason})")
    return found.state not in (State.UNKNOWN, State.STOPPED)


def _loaded(given: Mapping[str, Any]) -> Configuration:
    """Return the configuration; raise UnusableOptions."""
    from ..vipmanager import configuration, option_sources

    flags = {
        name.replace("_", "-"): value
        for name, value in given.items()
        if name not in ("action", "config", "json", "store")
    }
    sources = [option_sources.read_flags(flags), option_sources.read_environment(os.environ)]
    path = given["config"] or os.environ.get("VIP_CONFIG") or _default_file()
    if path:
        sources.append(option_sources.read_file(path))
    merged = option_sources.merge_sources(sources)
    return configuration.read_configuration(merged, configuration.node_name())


def _default_file() -> str | None:
    """Return the existing file that the systemd unit names as the default; None without one."""
    path = os.environ.get("VIP_DEFAULT_CONFIG", "")
    return path if path and os.path.exists(path) else None


def _status(given: Mapping[str, Any]) -> int:
    from ..vipmanager import status, status_document

    directory = given["run_dir"] or os.environ.get("VIP_RUN_DIR") or RUN_DIRECTORY
    found = status.read_documents(directory)
    if given["json"]:
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo("\n".join(map(status_document.format_text, found)), nl=False)
    if not found:
        complain(NAME, "no daemon is running")
    return 0 if found else NOT_RUNNING
