"""Options of the tools that query PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from lvsdr.cli.postgres_options import (
    CONNECTION_OPTIONS,
    LIMIT_OPTIONS,
    PostgresCommand,
    read_limits,
    read_target,
    read_target_words,
    start_deadline,
)
from lvsdr.cli.program import build_command, run
from lvsdr.postgres.connection import Target
from lvsdr.postgres.lag import Limits

COMMAND = build_command(PostgresCommand, "tool", "A tool.", (*CONNECTION_OPTIONS, *LIMIT_OPTIONS))


def parse_values(*arguments: str) -> Mapping[str, Any]:
    """Return the values that a command line sets."""
    parsed: list[Mapping[str, Any]] = []
    assert run(COMMAND, parsed.append, arguments) == 0
    return parsed[0]


def parse_target(*arguments: str) -> Target:
    values = parse_values(*arguments)
    return read_target(read_target_words(values), values)


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("", Target("", {})),
        ("psql", Target("", {})),
        ("psql -h node1", Target("", {"host": "node1", "hostaddr": ""})),
        ("-hnode1 psql", Target("", {"host": "node1", "hostaddr": ""})),
        ("--host=node1", Target("", {"host": "node1", "hostaddr": ""})),
        ("-p 1 -U a -d b", Target("", {"port": "1", "user": "a", "dbname": "b"})),
        ("--port=1 --username=a --dbname b", Target("", {"port": "1", "user": "a", "dbname": "b"})),
        ("psql -tAqXw b a", Target("", {"dbname": "b", "user": "a"}, ("dbname", "user"))),
        ("psql --no-psqlrc --no-password --quiet x=y", Target("x=y", {})),
        ("psql --tuples-only --no-align x=y", Target("x=y", {})),
        ("psql -v ON_ERROR_STOP=1 -P pager=off -F, -R; --set=a=b -xn1z0b x=y", Target("x=y", {})),
        ("psql -vA=1 -v B=2 --variable C=3 --pset=border=0 x=y", Target("x=y", {})),
        ('psql "x=y z=a" -p1', Target("x=y z=a", {"port": "1"})),
        ("-d x=y", Target("x=y", {})),
    ],
)
def test_the_target_follows_from_words_and_options(line: str, target: Target) -> None:
    assert parse_target(*line.split()) == target


def test_an_empty_option_counts_as_unset() -> None:
    assert parse_target("-h", "", "psql") == Target("", {})


def test_limits_of_the_lag_are_read() -> None:
    assert read_limits(parse_values()) == Limits(None, None)
    line = ("--max-lag-bytes", "16777216", "--max-lag-seconds=0.5")
    assert read_limits(parse_values(*line)) == Limits(16777216, 0.5)


def test_the_deadline_is_within_the_time_that_an_agent_gives_a_script() -> None:
    assert 7.0 < start_deadline(parse_values()).remaining() <= 8.0
    assert 99.0 < start_deadline(parse_values("--timeout", "100")).remaining() <= 100.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--timeout", "0"), "Invalid value for '--timeout': 0.0 is not in the range 0.1<=x<=3600"),
        (("--timeout", "nan"), "Invalid value for '--timeout': nan is not a number of seconds."),
        (("--timeout", "inf"), "Invalid value for '--timeout': inf is not in the range"),
        (("--max-lag-seconds", "-1"), "Invalid value for '--max-lag-seconds': -1.0 is not in the"),
        (("--max-lag-seconds", "inf"), "Invalid value for '--max-lag-seconds': inf is not a num"),
        (("--max-lag-bytes", "1.5"), "Invalid value for '--max-lag-bytes': '1.5' is not a valid"),
        (("--max-lag-bytes", "-1"), "Invalid value for '--max-lag-bytes': -1 is not in the range"),
        (
            ("psql", '"host=a', "password=secret"),
            'argument 2 begins with ", but no argument ends so',
        ),
        (("psql", "-h"), "Option '-h' requires an argument."),
        (("-W",), "No such option: -W"),
        (("psql", "-h", "node\udcff"), "argument 3 is not valid UTF-8"),
        (("psql", "a", "\udc80"), "argument 3 is not valid UTF-8"),
    ],
)
def test_wrong_usage_gives_one_line(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(COMMAND, print, arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"tool: {message}")
    assert err.count("\n") == 1
    assert "secret" not in err


def test_an_argument_that_may_be_a_password_is_not_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(COMMAND, print, ["psql", "password=a", "--secret"]) == 2
    assert capsys.readouterr().err == "tool: an argument that begins with - is not an option\n"


def test_too_many_words_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    def connect(values: Mapping[str, Any]) -> None:
        read_target(read_target_words(values), values)

    assert run(COMMAND, connect, ["psql", "x=y", "a", "secret"]) == 2
    assert capsys.readouterr().err.startswith("tool: 1 argument(s) too many; legal are ")
