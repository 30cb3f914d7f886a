"""The files that libpq reads during a login.

A FIFO among them would block the event loop.  A passfile that libpq would not use is replaced, so
that libpq prints no warning at each login, and the reason is in the message of a failed one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping

_NO_FILE = "/dev/null/none"
_PASSFILE = ("passfile", "PGPASSFILE", "~/.pgpass")
# Keyword, variable and default, from libpq's documentation.
_FILES = (
    ("", "PGSERVICEFILE", "~/.pg_service.conf"),
    ("sslcert", "PGSSLCERT", "~/.postgresql/postgresql.crt"),
    ("sslkey", "PGSSLKEY", "~/.postgresql/postgresql.key"),
    ("sslrootcert", "PGSSLROOTCERT", "~/.postgresql/root.crt"),
    ("sslcrl", "PGSSLCRL", "~/.postgresql/root.crl"),
)


def require_regular_files(settings: Mapping[str, str]) -> None:
    """Raise OSError, with a sentence, if a file of these settings is a FIFO or a device."""
    for keyword, path in _paths(settings):
        try:
            mode = os.stat(path).st_mode
        except OSError:
            continue  # libpq reports the file if it needs it
        if not stat.S_ISREG(mode):
            raise OSError(0, f"{keyword} {path} is not a regular file")


def _paths(settings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for keyword, variable, default in _FILES:
        path = _path(settings, keyword, variable, default)
        if path != "system":  # of sslrootcert
            yield keyword or "service file", path


def replace_passfile(settings: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Return the settings for a login, and a remark for the message if the login fails.

    The remark is empty if libpq can use the passfile, or if none was named and there is none.
    """
    path = _path(settings, *_PASSFILE)
    problem = find_passfile_problem(path)
    named = settings.get("passfile") or os.environ.get("PGPASSFILE")
    if not problem or (not named and not os.path.exists(path)):
        return dict(settings), ""
    return {**settings, "passfile": _NO_FILE}, f"; passfile {path} is not used: {problem}"


def find_passfile_problem(path: str) -> str:
    """Return why libpq would not use a passfile; an empty text if it would."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        return error.strerror or "it cannot be read"
    if not stat.S_ISREG(mode):
        return "it is not a regular file"
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return "others may read it, so libpq ignores it: chmod 0600"
    return "" if os.access(path, os.R_OK) else "it cannot be read"


def _path(settings: Mapping[str, str], keyword: str, variable: str, default: str) -> str:
    given = settings.get(keyword) or os.environ.get(variable)
    return given or os.path.expanduser(default)
