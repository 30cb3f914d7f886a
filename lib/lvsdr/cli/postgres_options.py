"""Common options of the tools that query PostgreSQL, and their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from typing import Any

import click

from ..errors import SourceUnavailable
from ..postgres.commandline import build_target, normalize_arguments, remove_psql_path
from ..postgres.connection import Target
from ..postgres.lag import Limits
from ..postgres.redaction import may_contain_password
from ..values.deadline import Deadline

_KEYWORDS = ("host", "port", "user", "dbname")  # libpq's names of the options


class SecondsRange(click.FloatRange):
    """A range of finite numbers of seconds."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not isfinite(number):
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return number


class PostgresCommand(click.Command):
    """A command that also splits one quoted argument, and rejoins arguments split in quotes."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.resilient_parsing:  # completion: the command line is not finished
            return super().parse_args(ctx, args)
        for number, arg in enumerate(args, start=1):
            if _is_undecoded(arg):
                raise click.UsageError(f"argument {number} is not valid UTF-8", ctx)
        try:
            return super().parse_args(ctx, normalize_arguments(args))
        except click.NoSuchOption:
            if not any(map(may_contain_password, args)):
                raise
            raise click.UsageError("an argument that begins with - is not an option", ctx) from None
        except ValueError as error:
            raise click.UsageError(str(error), ctx) from None


def _is_undecoded(text: str) -> bool:
    """Return whether a text has bytes that Python could not decode."""
    return any("\udc80" <= character <= "\udcff" for character in text)


CONNECTION_OPTIONS: tuple[click.Parameter, ...] = (
    click.Argument(["words"], nargs=-1, metavar="[PSQL] [CONNECTION]"),
    click.Option(["-h", "--host"], help="Host name, address, or directory of a socket."),
    click.Option(["-p", "--port"], help="Port."),
    click.Option(["-U", "--username", "user"], help="User."),
    click.Option(["-d", "--dbname"], help="Database, connection string, or URI."),
    click.Option(
        ["--timeout"],
        type=SecondsRange(min=0.1, max=3600),
        metavar="SECONDS",
        default=8,
        show_default=True,
        help="Time limit for all queries and connections together.",
    ),
    # Further options of psql that scripts use; they have no effect here.
    *(
        click.Option(names, is_flag=True, hidden=True, expose_value=False)
        for names in (
            ["-A", "--no-align"],
            ["-t", "--tuples-only"],
            ["-q", "--quiet"],
            ["-w", "--no-password"],
            ["-X", "--no-psqlrc"],
            ["-b", "--echo-errors"],
            ["-n", "--no-readline"],
            ["-x", "--expanded"],
            ["-z", "--field-separator-zero"],
            ["-0", "--record-separator-zero", "record_separator_zero"],
            ["-1", "--single-transaction", "single_transaction"],
        )
    ),
    *(
        click.Option(names, multiple=True, hidden=True, expose_value=False)
        for names in (
            ["-v", "--set", "--variable"],
            ["-P", "--pset"],
            ["-F", "--field-separator"],
            ["-R", "--record-separator"],
        )
    ),
)

LIMIT_OPTIONS: tuple[click.Parameter, ...] = (
    click.Option(
        ["--max-lag-bytes"],
        type=click.IntRange(min=0),
        metavar="BYTES",
        help="Omit a standby that has more WAL to replay than this.",
    ),
    click.Option(
        ["--max-lag-seconds"],
        type=SecondsRange(min=0),
        metavar="SECONDS",
        help="Omit a standby that is further behind than this.",
    ),
)


def read_limits(values: Mapping[str, Any]) -> Limits:
    """Return the allowed lag of a standby."""
    return Limits(values["max_lag_bytes"], values["max_lag_seconds"])


def start_deadline(values: Mapping[str, Any]) -> Deadline:
    """Return the deadline of the tool."""
    return Deadline.after(values["timeout"])


def read_target_words(values: Mapping[str, Any]) -> list[str]:
    """Return the arguments that form the target of the connection."""
    return remove_psql_path(values["words"])


def read_target(
    words: list[str], values: Mapping[str, Any], appended_host: str | None = None
) -> Target:
    """Return the target by arguments, options and an appended host; raise UsageError."""
    options = {name: values[name] for name in _KEYWORDS if values[name]}
    try:
        return build_target(words, options, appended_host)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


@contextmanager
def reject_malformed_answer() -> Iterator[None]:
    """Turn a ValueError from a malformed answer into SourceUnavailable."""
    try:
        yield
    except ValueError:
        raise SourceUnavailable("the server's answer does not have PostgreSQL's form") from None
