"""vip-manager: addresses on the node that leads, according to etcd, Consul or Patroni."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from ..vipmanager.option_names import AGENT_NAMES
from ..vipmanager.options import OPTIONS, RUN_DIRECTORY, Option
from . import print_error
from .program import FAILED, build_command, print_result, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..vipmanager.configuration import Configuration

NAME = "vip-manager"
NOT_RUNNING = 3  # the status of init scripts (LSB)


def _build_click_options() -> Iterator[click.Option]:
    for option in OPTIONS:
        yield _build_click_option(option, option.name)
        agent_names = (name for name, current in AGENT_NAMES.items() if current == option.name)
        hidden_names = (*option.old_names, *agent_names)
        yield from (_build_click_option(option, name, hidden=True) for name in hidden_names)


def _build_click_option(option: Option, name: str, hidden: bool = False) -> click.Option:
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
    """A choice with an error that does not show the value: it may be a part of a password."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if value not in self.choices:
            self.fail("must be run, status or check", param, ctx)
        return value


def _reject_further_words(
    _context: click.Context, _parameter: click.Parameter, words: Sequence[str]
) -> None:
    if words:
        raise click.UsageError("more than one action: quote a value that contains blanks")


COMMAND = build_command(
    click.Command,
    NAME,
    """\
    Hold one or more addresses on this host while it is the leader in etcd, Consul or Patroni.

    Without an action, or with run, this is the daemon. status prints the state of the running
    daemon. check prints errors of the configuration, and interfaces that are missing, down or
    without a carrier; with --store it also queries the store.

    Every option is also a variable of the environment (--trigger-key: VIP_TRIGGER_KEY) and a key of
    the file (trigger-key). The command line has precedence over the environment, the environment
    over the file.
    """,
    (
        click.Argument(
            ["action"], type=_Action(["run", "status", "check"]), default="run", required=False
        ),
        click.Argument(
            ["more"],
            nargs=-1,
            required=False,
            metavar="",
            expose_value=False,
            callback=_reject_further_words,
        ),
        click.Option(
            ["--config"],
            type=click.Path(),  # a shell completes it
            metavar="FILE",
            help="File with options, in YAML or as NAME=VALUE.",
        ),
        *_build_click_options(),
        click.Option(["--store"], is_flag=True, help="With check: query the store, too."),
        click.Option(["--json"], is_flag=True, help="With status: print JSON."),
    ),
)
COMMAND.context_settings["token_normalize_func"] = lambda token: token.replace("_", "-")


def main(arguments: Sequence[str]) -> int:
    """Run with these arguments; return the exit status."""
    statuses = [0]

    def run_action(values: Mapping[str, Any]) -> None:
        statuses.append(_run_action(values))

    return run(COMMAND, run_action, arguments) or statuses[-1]


def _run_action(values: Mapping[str, Any]) -> int:
    if values["action"] == "status":
        return _print_status(values)
    from ..vipmanager.option_sources import UnusableOptions

    try:
        return _check_configuration(values) if values["action"] == "check" else _run_daemon(values)
    except UnusableOptions as error:
        for problem in error.problems:
            print_error(NAME, problem)
        return FAILED


def _run_daemon(values: Mapping[str, Any]) -> int:
    from ..vipmanager.daemon import Daemon
    from ..vipmanager.requirements import require_host

    def load() -> Configuration:
        configuration = _load_configuration(values)
        require_host(configuration)
        return configuration

    return Daemon(load).run()


def _check_configuration(values: Mapping[str, Any]) -> int:
    from ..vipmanager.requirements import find_flaws

    configuration = _load_configuration(values)
    for warning in configuration.warnings:
        print_error(NAME, warning)
    host_flaws = list(find_flaws(configuration))
    for flaw in host_flaws:
        print_error(NAME, flaw)
    has_answer = _query_store(configuration) if values["store"] else True
    return 0 if has_answer and not host_flaws else FAILED


def _query_store(configuration: Configuration) -> bool:
    """Query the store once and print the answer; return whether it answered."""
    from .. import leader
    from ..leader.gate import State
    from ..values.deadline import Deadline

    store = leader.open_store(configuration.store, configuration.settings)
    leadership = leader.query_store(store, Deadline.after(configuration.policy.timeout)).leadership
    print_result(f"{configuration.store}: {leadership.state.value} ({leadership.reason})")
    return leadership.state not in (State.UNKNOWN, State.STOPPED)


def _load_configuration(values: Mapping[str, Any]) -> Configuration:
    """Return the configuration; raise UnusableOptions."""
    from ..vipmanager import configuration, option_sources

    flags = {
        name.replace("_", "-"): value
        for name, value in values.items()
        if name not in ("action", "config", "json", "store")
    }
    sources = [option_sources.read_flags(flags), option_sources.read_environment(os.environ)]
    path = values["config"] or os.environ.get("VIP_CONFIG") or _find_default_file()
    if path:
        sources.append(option_sources.read_file(path))
    merged = option_sources.merge_sources(sources)
    return configuration.read_configuration(merged, configuration.read_node_name())


def _find_default_file() -> str | None:
    """Return the existing file that the systemd unit names as the default; None without one."""
    path = os.environ.get("VIP_DEFAULT_CONFIG", "")
    return path if path and os.path.exists(path) else None


def _print_status(values: Mapping[str, Any]) -> int:
    from ..vipmanager import status, status_document

    directory = values["run_dir"] or os.environ.get("VIP_RUN_DIR") or RUN_DIRECTORY
    documents = status.read_documents(directory)
    if values["json"]:
        click.echo(json.dumps(documents, indent=2))
    else:
        click.echo("\n".join(map(status_document.format_text, documents)), nl=False)
    if not documents:
        print_error(NAME, f"no daemon is running: no socket in {directory} answers")
    return 0 if documents else NOT_RUNNING
