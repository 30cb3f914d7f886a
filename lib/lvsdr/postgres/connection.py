"""Where to connect to: what a command line says, in the form that libpq is told it.

Connection strings are for libpq to read.  Its complaints may quote a piece of one, and a piece of
one may be a password: nothing of a string is ever repeated unless it cannot hold any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..hosts import literal
from ..typed import NamedTuple

_QUOTES = ('"', "'")
_SCHEMES = ("postgresql://", "postgres://")
_LEAST_TIMEOUT = 2  # libpq takes a connect_timeout of 1 for 2


class Target(NamedTuple):
    """A connection string or URI, which may be empty, and the keywords that go before it."""

    string: str
    settings: Mapping[str, str]


def rejoined(words: Sequence[str]) -> list[str]:
    """The words, those in whose quotes a shell did not believe put together again.

    Raises ValueError for a quote that is not closed.

    >>> rejoined(["psql", '"host=192.0.2.1', 'port=5432"', "-h", "node1"])
    ['psql', 'host=192.0.2.1 port=5432', '-h', 'node1']
    """
    found: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith(_QUOTES):
            while len(word) < 2 or word[-1] != word[0]:
                if not rest:
                    raise ValueError(f"argument {len(found) + 1} begins with {word[0]}, none ends")
                word += f" {rest.pop(0)}"
            word = word[1:-1]
        found.append(word)
    return found


def is_connection_string(word: str) -> bool:
    """Whether libpq would take the name of a database for a connection string or URI.

    >>> [is_connection_string(word) for word in ("host=db", "postgresql://db", "postgres", "")]
    [True, True, False, False]
    """
    return "=" in word or word.startswith(_SCHEMES)


def without_psql(words: Sequence[str]) -> list[str]:
    """The words that follow the path of psql, if they begin with one.

    >>> without_psql(["/usr/pgsql/bin/psql", "dbname=x"]), without_psql(["dbname=psql"])
    (['dbname=x'], ['dbname=psql'])
    """
    first = words[0] if words else ""
    named = first.rpartition("/")[2].startswith("psql") and not is_connection_string(first)
    return list(words[1:] if named else words)


def target(words: Sequence[str], settings: Mapping[str, str]) -> Target:
    """What psql would make of its arguments and options, the latter by libpq's keywords.

    Arguments are a connection string, or the name of a database, and a user.  An option goes before
    what the string says.  Raises ValueError if they are too many, or if libpq would misread a URI.

    >>> target(["dbname=postgres port=5433"], {"host": "node1"})
    Target(string='dbname=postgres port=5433', settings={'host': 'node1', 'hostaddr': ''})
    >>> target(["postgres", "alice"], {})
    Target(string='', settings={'dbname': 'postgres', 'user': 'alice'})
    """
    given = dict(settings)
    names = [word for word in words if not is_connection_string(word)]
    strings = [word for word in words if is_connection_string(word)]
    if is_connection_string(given.get("dbname", "")):
        strings.append(given.pop("dbname"))
    if len(strings) > 1 and any(string.startswith(_SCHEMES) for string in strings):
        raise ValueError("a URI and another connection string; legal is one of them")
    for name in ("user",) if strings else ("dbname", "user"):
        if names and name not in given:
            given[name] = names.pop(0)
    if names:
        raise ValueError(
            f"{len(names)} argument(s) too many; legal are a connection string or a database, and "
            "a user"
        )
    if "host" in given:
        given["hostaddr"] = ""  # one from elsewhere would go before the name
    # More than one string is one whose quotes are gone.
    string = " ".join(strings)
    _require_encoded(string)
    return Target(string, given)


def _require_encoded(string: str) -> None:
    """To libpq a user and password end at the first @ or /; the rest would be taken for a host."""
    if not string.startswith(_SCHEMES):
        return
    user, _, _ = string.partition("://")[2].rpartition("@")
    if "@" in user or "/" in user:
        raise ValueError("write @ as %40 and / as %2F in the user and password of a URI")


def malformed(string: str, complaint: str) -> str:
    """What libpq says of a string that it cannot read, without any piece of it.

    >>> malformed("user=u password=to be", 'missing "=" after "be" in connection info string')
    'malformed connection string: missing "=" after ... in connection info string'
    >>> malformed("hots=node1", 'invalid connection option "hots"')
    'malformed connection string: invalid connection option "hots"'
    """
    if "pass" in string.lower() or "@" in string:
        # A piece may have quotes of its own: it reaches to the last one.
        complaint = re.sub(r'("[=:/&\]]")|".*"', _keep_sign, complaint, flags=re.DOTALL)
    return f"malformed connection string: {one_line(complaint)}"


def _keep_sign(match: re.Match[str]) -> str:
    return match[1] or "..."


def one_line(message: str) -> str:
    """What libpq says, without the hints, which it indents; it has a line for each host.

    >>> one_line("connection to a failed: no\\n\\tIs it running?\\nconnection to b failed: no\\n")
    'connection to a failed: no; connection to b failed: no'
    """
    lines = [line for line in message.splitlines() if not line.startswith("\t")]
    return "; ".join(filter(None, (" ".join(line.split()) for line in lines)))


def hosts(settings: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
    """The servers that will be tried, as far as can be known here: a service may name others.

    >>> hosts({"host": "node1,node2"}, {"PGHOST": "db"}), hosts({}, {"PGHOST": "db"})
    (['node1', 'node2'], ['db'])
    """
    named = settings.get("host") or settings.get("hostaddr")
    if not named and "service" not in settings and "PGSERVICE" not in environ:
        named = environ.get("PGHOST") or environ.get("PGHOSTADDR")
    return named.split(",") if named else []


def names(settings: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
    """Those servers, if none of them can be asked unless one has been looked up by its name.

    >>> names({"host": "node1,node2"}, {}), names({"host": "node1,10.77.0.2"}, {})
    (['node1', 'node2'], [])
    """
    if settings.get("hostaddr") or environ.get("PGHOSTADDR"):
        return []
    servers = hosts(settings, environ)
    return [] if any(map(_needs_no_name, servers)) else servers


def _needs_no_name(server: str) -> bool:
    """Say so of an address, and of a socket: its directory, its abstract name, or the usual one."""
    return not server or server.startswith(("/", "@")) or literal(server) is not None


def patience(servers: int, seconds: float) -> int:
    """Seconds for each of several servers, so that a dead one leaves time for the others.

    >>> patience(2, 8.0), patience(9, 8.0)
    (4, 2)
    """
    return max(_LEAST_TIMEOUT, int(seconds / servers))
