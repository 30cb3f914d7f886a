"""The target of a connection from the arguments of a command line, in libpq's form.

libpq parses connection strings; this module only distinguishes them from other arguments.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from .connection import Target
from .redaction import is_server

_QUOTES = ('"', "'")
_PSQL_AND_MORE = re.compile(r"([^\s=]*/)?psql[^\s=/]*\s")
_SCHEMES = ("postgresql://", "postgres://")


def normalize_arguments(words: Sequence[str]) -> list[str]:
    """Split an argument that contains psql and its own arguments, as the original tool accepts it.

    It is split as a shell would do it; other arguments are rejoined (``rejoin_arguments``).  Raises
    ValueError for a quote that is not closed.

    >>> normalize_arguments(["/usr/bin/psql 'port=5432 user=a' -h", "node1"])
    ['/usr/bin/psql', 'port=5432 user=a', '-h', 'node1']
    """
    for number, word in enumerate(words):
        if _PSQL_AND_MORE.match(word):
            try:
                parts = shlex.split(word)
            except ValueError:
                raise ValueError(f"argument {number + 1} has a quote that is not closed") from None
            return [
                *rejoin_arguments(words[:number]),
                *parts,
                *rejoin_arguments(words[number + 1 :]),
            ]
    return rejoin_arguments(words)


def rejoin_arguments(words: Sequence[str]) -> list[str]:
    """Rejoin arguments with quotes that were passed through literally, as `pcs` does.

    Raises ValueError for a quote that is not closed.

    >>> rejoin_arguments(["psql", '"host=192.0.2.1', 'port=5432"', "-h", "node1"])
    ['psql', 'host=192.0.2.1 port=5432', '-h', 'node1']
    """
    arguments: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith(_QUOTES):
            while len(word) < 2 or word[-1] != word[0]:
                if not rest:
                    raise ValueError(
                        f"argument {len(arguments) + 1} begins with {word[0]}, but no argument "
                        "ends so"
                    )
                word += f" {rest.pop(0)}"
            word = word[1:-1]
        arguments.append(word)
    return arguments


def is_connection_string(word: str) -> bool:
    """Return whether libpq would read a database name as a connection string or URI.

    >>> [is_connection_string(word) for word in ("host=db", "postgresql://db", "postgres", "")]
    [True, True, False, False]
    """
    return "=" in word or word.startswith(_SCHEMES)


def remove_psql_path(words: Sequence[str]) -> list[str]:
    """Return the words without a leading path of psql.

    >>> remove_psql_path(["/usr/pgsql/bin/psql", "dbname=x"]), remove_psql_path(["dbname=psql"])
    (['dbname=x'], ['dbname=psql'])
    """
    first = words[0] if words else ""
    is_psql = first.rpartition("/")[2].startswith("psql") and not is_connection_string(first)
    return list(words[1:] if is_psql else words)


def build_target(
    words: Sequence[str], settings: Mapping[str, str], appended_host: str | None = None
) -> Target:
    """Return the target of psql's arguments and options; the latter have libpq's keywords.

    Arguments are a connection string, or the name of a database, and a user; a host may be appended
    to them.  An option overrides the string.  Raises ValueError if there are too many arguments, or
    if one of them would be misread.

    >>> build_target(["port=5433"], {"host": "node1"})
    Target(string='port=5433', settings={'host': 'node1', 'hostaddr': ''}, positional=())
    >>> build_target(["postgres", "alice"], {})[1:]
    ({'dbname': 'postgres', 'user': 'alice'}, ('dbname', 'user'))
    """
    overrides = dict(settings)
    names = [word for word in words if not is_connection_string(word)]
    strings = [word for word in words if is_connection_string(word)]
    if is_connection_string(overrides.get("dbname", "")):
        strings.append(overrides.pop("dbname"))
    _require_readable(strings, names)
    if appended_host is not None:
        names.insert(0, _require_server(appended_host))
    if names:
        _require_whole(strings)
    free_keywords = [
        *(["host"] if appended_host is not None else []),
        *([] if strings else ["dbname"]),
        "user",
    ]
    positional = [name for name in free_keywords if name not in overrides][: len(names)]
    if len(names) > len(positional):
        raise ValueError(
            f"{len(names) - len(positional)} argument(s) too many; legal are a connection string "
            "or a database, and a user"
        )
    overrides.update(zip(positional, names))
    if "host" in overrides:
        overrides["hostaddr"] = ""  # a hostaddr from elsewhere would override the name
    # Several strings are the parts of one that lost its quotes.
    return Target(" ".join(strings), overrides, tuple(positional))


def _require_server(word: str) -> str:
    if not all(map(is_server, word.split(","))):
        raise ValueError("the last argument is neither a connection string nor the name of a host")
    return word


def _require_readable(strings: Sequence[str], names: Sequence[str]) -> None:
    for word in (*strings, *names):
        if "://" in word.partition("=")[0] and not word.startswith(_SCHEMES):
            raise ValueError("a URI begins with postgresql:// or postgres://, in small letters")
    uris = [string for string in strings if string.startswith(_SCHEMES)]
    if uris and len(strings) > 1:
        raise ValueError("a URI and another connection string; legal is one of them")
    for uri in uris:
        _require_encoded(uri.partition("://")[2])


def _require_encoded(text: str) -> None:
    """Raise ValueError for a user or password of a URI that needs percent-encoding.

    libpq ends user and password at the first @ or /; the rest would be read as a host.
    """
    user, _, rest = text.partition("@")
    if "/" in user:
        user, rest = "", text
    if "@" in rest.partition("?")[0]:
        raise ValueError("write @ as %40 and / as %2F in the user and password of a URI")
    if rest and "=" in user.partition("?")[2]:
        raise ValueError(
            "write ? as %3F in the user and password of a URI, and @ as %40 in its query"
        )


def _require_whole(strings: Sequence[str]) -> None:
    """Raise ValueError for a word that may be the rest of a password split by a shell."""
    for string in strings:
        if "password=" in string.lower() and "://" not in string and len(string.split()) == 1:
            raise ValueError(
                "the text after a password= without quotes may be the rest of the password: put "
                "quotes around the whole connection string, or use -h and -U"
            )
