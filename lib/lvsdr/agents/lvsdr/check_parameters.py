"""The parameters of the health checks, and the rules between them."""

from __future__ import annotations

from collections.abc import Iterator

from ...ocf.parameters import Parameter, Values, defaulted, optional
from ...ocf.value_parsers import Parser, duration, one_of, whole_number
from ...pool.check_history import Counting, compute_max_age, name_check
from ...postgres.check_conninfo import parse_conninfo
from ...postgres.lag import Limits
from ...values.parsing import is_decimal, parse_seconds
from . import parameters as p

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...system.checks.running_checks import CheckSettings

_MOST_COUNT = 100
_SHORTEST = 0.1  # seconds
_LONGEST = 3600.0
_LONGEST_TIMEOUT = 60.0
# The units of PostgreSQL's settings.
_BYTES = {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_TIMES = ("s", "sec", "ms", "msec", "min", "h", "hr")  # without m, which could mean megabytes


def _duration_to(longest: float, shown: str) -> Parser[float]:
    def convert(text: str) -> float:
        try:
            found = duration(text)
        except ValueError:
            raise ValueError from None
        if not _SHORTEST <= found <= longest:
            raise ValueError
        return found

    return Parser(convert, f"a duration from 100ms to {shown}, such as 1s or 500ms")


def _parse_max_lag(text: str) -> Limits:
    unit = text.lstrip("0123456789")
    number = text[: len(text) - len(unit)]
    if not is_decimal(number) or int(number) == 0:
        raise ValueError
    unit = unit.strip()
    if unit in _BYTES:
        return Limits(bytes=int(number) * _BYTES[unit])
    if unit in _TIMES:
        return Limits(seconds=parse_seconds(text))
    raise ValueError(f"{unit!a} is no unit of either" if unit else "the unit is missing")


def _parse_check_conninfo(text: str) -> str:
    parse_conninfo(text)
    return text


CHECK = defaulted(
    "realserver_check",
    one_of("none", "tcp", "postgres"),
    "none",
    reloadable=True,
    short="Health check of the real servers",
    long=(
        "Check that the director makes by itself, beside Pacemaker: tcp connects to the real "
        "server's address and port; postgres logs in and asks whether the server is in recovery "
        "and how far it is behind. A check only takes real servers away that Pacemaker regards as "
        "fit, and a failure counts only while a check of another real server succeeds. A frozen "
        "server still accepts connections: only postgres notices it."
    ),
)
CHECK_INTERVAL = defaulted(
    "realserver_check_interval",
    _duration_to(_LONGEST, "1h"),
    "1s",
    reloadable=True,
    short="Interval of the health check",
    long="Time from the begin of one check of a real server to the next one of the same.",
)
CHECK_TIMEOUT = defaulted(
    "realserver_check_timeout",
    _duration_to(_LONGEST_TIMEOUT, "60s"),
    "1s",
    reloadable=True,
    short="Time limit of the health check",
    long=(
        "A check without an answer by then has failed. Real servers that do not answer are first "
        "withdrawn, so that their sessions may go on, and count as failed if they stay silent."
    ),
)
CHECK_FALL = defaulted(
    "realserver_check_fall",
    whole_number(1, _MOST_COUNT),
    "3",
    reloadable=True,
    short="Failures until a real server leaves",
    long=(
        "Consecutive failures of the health check or the check script until the real server is "
        "taken out. A script that prints f, a server that is not in recovery, and one that is too "
        "far behind are withdrawn at once."
    ),
)
CHECK_RISE = defaulted(
    "realserver_check_rise",
    whole_number(1, _MOST_COUNT),
    "2",
    reloadable=True,
    short="Successes until a real server comes back",
    long=(
        "Consecutive successes of the health check or the check script until a real server that "
        "was taken out serves again."
    ),
)
CHECK_CONNINFO = optional(
    "realserver_check_conninfo",
    Parser(
        _parse_check_conninfo,
        "libpq settings without a server, such as user=monitor dbname=postgres passfile=/etc/pass",
        discreet=True,
    ),
    reloadable=True,
    short="Login of the health check postgres",
    long=(
        "Settings of libpq as keyword=value pairs, without host and port: user=monitor "
        "dbname=postgres passfile=/etc/lvsdr/pgpass, or service=NAME. A passfile must be readable "
        "by root alone (chmod 0600); its lines name real servers as the cluster does, or *. "
        "A role without privileges suffices. Put no password here: the CIB, its copies and "
        "Pacemaker's log show it."
    ),
)
MAX_LAG = optional(
    "realserver_max_lag",
    Parser(_parse_max_lag, "an amount of WAL such as 64MB, or a duration such as 10s, above 0"),
    reloadable=True,
    short="Lag at which a standby is withdrawn",
    long=(
        "With realserver_check=postgres: bytes of WAL (B, kB, MB, GB, TB) or a duration (ms, s, "
        "min, h) that a standby may be behind the primary, if that is among the checked servers, "
        "or else behind the freshest standby. While the primary writes nothing there is no lag. "
        "The standby comes back at half of it."
    ),
)

CHECK_PARAMETERS: tuple[Parameter[Any], ...] = (
    *(CHECK, CHECK_INTERVAL, CHECK_TIMEOUT, CHECK_FALL, CHECK_RISE),
    *(CHECK_CONNINFO, MAX_LAG),
)


def require_check_of_postgres(values: Values) -> Iterator[str]:
    """Refuse settings for PostgreSQL with another check: the user expects their effect."""
    needing: tuple[Parameter[Any], ...] = (CHECK_CONNINFO, MAX_LAG)
    for parameter in needing:
        if values[parameter] is not None and values[CHECK] != "postgres":
            yield f"{parameter.name}: needs {CHECK.name}=postgres, which is {values[CHECK]}"


def require_tcp_service(values: Values) -> Iterator[str]:
    """Refuse a check of TCP connections for a service without any."""
    if values[CHECK] != "none" and values[p.PROTOCOL] != "tcp":
        yield f"{CHECK.name}={values[CHECK]}: is legal with {p.PROTOCOL.name}=tcp only"


CHECK_RULES = (require_check_of_postgres, require_tcp_service)


def find_unused_check_settings(values: Values) -> Iterator[str]:
    """Yield a sentence for each parameter without a check, and for a password in clear."""
    if values[CHECK] == "none":
        unused: list[Parameter[Any]] = [CHECK_INTERVAL, CHECK_TIMEOUT]
        if values[p.CHECK_SCRIPT] is None:
            unused += [CHECK_FALL, CHECK_RISE]
        for parameter in unused:
            if values.is_set(parameter):
                yield f"{parameter.name} is not used: no check is set"
    if "password" in parse_conninfo(values[CHECK_CONNINFO] or ""):
        yield (
            f"{CHECK_CONNINFO.name} contains a password, which the CIB, its copies and Pacemaker's "
            "log show: name a passfile instead"
        )


def read_counting(values: Values) -> Counting:
    """Return the rules of counting the results of the watcher's checks."""
    max_age = compute_max_age(values[CHECK_INTERVAL], values[CHECK_TIMEOUT])
    return Counting(values[CHECK_FALL], values[CHECK_RISE], max_age)


def read_check_name(values: Values) -> str:
    """Return the name under which the watcher stores its results; empty without a check."""
    return "" if values[CHECK] == "none" else name_check(values[CHECK], values[p.PORT])


def read_check_settings(values: Values) -> CheckSettings | None:
    """Return the settings of the checks that the watcher makes; None without a check."""
    if values[CHECK] == "none":
        return None
    from ...system.checks.running_checks import CheckSettings  # only the watcher needs sockets

    return CheckSettings(
        kind=values[CHECK],
        port=values[p.PORT],
        interval=values[CHECK_INTERVAL],
        timeout=values[CHECK_TIMEOUT],
        conninfo=values[CHECK_CONNINFO] or "",
        max_lag=values[MAX_LAG] or Limits(),
    )
