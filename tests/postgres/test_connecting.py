"""Every form of connection parameters, in both tools, from the tree and as installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest

from tests.postgres.tool import Tool, ToolResult, Tools
from tests.postgres.world import PASSWORDS, PRIMARY, World

LISTED = ToolResult(0, "10.66.0.14 node2 node3\n", "")
FIT = ToolResult(0, "t\n", "")
NO_STANDBY = ToolResult(0, "f\n", "the server is not in recovery: a primary, not a standby")
PASSWORD = PASSWORDS["monitor"]
ODD = PASSWORDS["odd"]
ODD_QUOTED = "'{}'".format(ODD.replace("\\", "\\\\").replace("'", "\\'"))
ODD_ENCODED = quote(ODD, safe="")

# Files that a form may refer to.
FILES = {
    "pgpass": f"*:*:*:monitor:{PASSWORD}\n*:*:*:odd:{ODD.replace(chr(92), chr(92) * 2)}\n",
    "services": (
        f"[primary]\nhost={PRIMARY}\ndbname=postgres\nuser=monitor\npassword={PASSWORD}\n"
        f"[any]\nhost=10.67.0.2\nhostaddr=10.67.0.2\ndbname=postgres\nuser=monitor\n"
        f"password={PASSWORD}\n"
    ),
}


class Form(NamedTuple):
    """A command line and an environment; ``{server}`` and ``{files}`` are filled in."""

    words: tuple[str, ...]
    environ: Mapping[str, str] = {}


REST = f"port=5432 dbname=postgres user=monitor password={PASSWORD} connect_timeout=5"
HERE = f"host={{server}} {REST}"
LOGIN = {"PGUSER": "monitor", "PGPASSWORD": PASSWORD, "PGDATABASE": "postgres"}

# Forms that contain the server.
FORMS = {
    "conninfo": Form(("/usr/pgsql/bin/psql", HERE)),
    "without psql": Form((HERE,)),
    "a versioned psql": Form(("psql-15", HERE)),
    "words with quotes": Form(("psql", *f'"{HERE}"'.split())),
    "words with single quotes": Form(("psql", *f"'{HERE}'".split())),
    "one word with quotes": Form(("psql", f'"{HERE}"')),
    "one word": Form((f'psql "{HERE}"',)),
    "one word, and a path": Form((f"/usr/pgsql/bin/psql '{HERE}'",)),
    "words whose quotes are gone": Form(("psql", *HERE.split())),
    "conninfo in -d": Form(("psql", "-d", HERE)),
    "psql's flags": Form(("psql", "-X", "-w", "-tA", "-q", "--no-psqlrc", HERE)),
    "a difficult password": Form(
        ("psql", f"host={{server}} dbname=postgres user=odd password={ODD_QUOTED}")
    ),
    "URI": Form(("psql", f"postgresql://monitor:{PASSWORD}@{{server}}:5432/postgres")),
    "short URI": Form((f"postgres://monitor@{{server}}/postgres?password={PASSWORD}",)),
    "URI with a difficult password": Form(
        ("psql", f"postgresql://odd:{ODD_ENCODED}@{{server}}/postgres")
    ),
    "short options": Form(
        ("psql", "-h", "{server}", "-p", "5432", "-U", "monitor", "-d", "postgres"),
        {"PGPASSWORD": PASSWORD},
    ),
    "long options": Form(
        ("psql", "--host={server}", "--port=5432", "--username=monitor", "--dbname=postgres"),
        {"PGPASSWORD": PASSWORD},
    ),
    "options first": Form(("-h{server}", "-Umonitor", "psql", "dbname=postgres"), LOGIN),
    "options before a string": Form(("psql", f"{HERE} port=1", "-p", "5432")),
    "passfile in the string": Form(
        ("psql", "host={server} user=odd dbname=postgres passfile={files}/pgpass")
    ),
    "passfile in the environment": Form(
        ("psql", "host={server} user=odd dbname=postgres"), {"PGPASSFILE": "{files}/pgpass"}
    ),
    "passfile at home": Form(
        ("psql", "host={server} user=monitor dbname=postgres"), {"HOME": "{files}"}
    ),
    "host in the environment": Form((), {**LOGIN, "PGHOST": "{server}"}),
    "psql and the environment": Form(("psql",), {**LOGIN, "PGHOST": "{server}"}),
    "options for the server": Form(
        ("psql", f"{HERE} options='-c statement_timeout=7000 -c search_path=nowhere'")
    ),
    "several servers": Form(
        ("psql", f"host=10.66.0.19,{{server}} {REST} target_session_attrs=any")
    ),
}

# Forms without the server, which an agent appends to check_active_slave's arguments.
APPENDED = {
    "-h and the node": Form(("psql", REST, "-h")),
    "the node alone": Form(("psql", REST)),
    "words with quotes": Form(("psql", *f'"{REST}"'.split(), "-h")),
    "one word": Form((f'psql "{REST}"',)),
    "one word, and a path": Form((f'/usr/pgsql/bin/psql "{REST}"',)),
    "one word that ends with -h": Form((f'psql "{REST}" -h',)),
    "after an option": Form(("psql", REST, "--max-lag-bytes", "9000000", "-h")),
    "a database and the node": Form(("psql", "postgres"), LOGIN),
    "the environment and the node": Form(("psql",), {**LOGIN, "PGHOST": "10.66.0.19"}),
    "not the address in the environment": Form(("psql",), {**LOGIN, "PGHOSTADDR": "10.66.0.19"}),
    "not the host of the string": Form(("psql", f"host=node1 hostaddr={PRIMARY} {REST}", "-h")),
    "not the host of a URI": Form(
        ("psql", f"postgresql://monitor:{PASSWORD}@node1/postgres", "-h")
    ),
    "not the host of a service": Form(
        ("psql", "service=any", "-h"), {"PGSERVICEFILE": "{files}/services"}
    ),
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "pgpass").chmod(0o600)
    (tmp_path / ".pgpass").symlink_to(tmp_path / "pgpass")
    return tmp_path


def filled(form: Form, server: str, files: Path) -> Form:
    """Return the form with its placeholders filled."""

    def fill(text: str) -> str:
        return text.replace("{server}", server).replace("{files}", str(files))

    environ = {name: fill(value) for name, value in form.environ.items()}
    return Form(tuple(map(fill, form.words)), environ)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_server_is_in_the_form(form: Form, tools: Tools, files: Path) -> None:
    """Each form connects to the primary, which has standbys and is none."""
    words, environ = filled(form, PRIMARY, files)
    assert tools.both(*words, **environ) == (LISTED, NO_STANDBY)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("form", APPENDED.values(), ids=APPENDED)
def test_the_server_is_appended(form: Form, check_active_slave: Tool, files: Path) -> None:
    words, environ = filled(form, "", files)
    assert check_active_slave(*words, "10.66.0.14", **environ) == FIT


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("form", ["conninfo", "words with quotes"])
def test_installed_tools(form: str, installed: Tools, files: Path) -> None:
    words, environ = filled(FORMS[form], PRIMARY, files)
    assert installed.both(*words, **environ) == (LISTED, NO_STANDBY)
    words, environ = filled(APPENDED["-h and the node"], "", files)
    assert installed.check_active_slave(*words, "node2", **environ) == FIT


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "form",
    [
        Form(("psql", "service=primary"), {"PGSERVICEFILE": "{files}/services"}),
        Form((), {"PGSERVICEFILE": "{files}/services", "PGSERVICE": "primary"}),
    ],
    ids=["string", "environment"],
)
def test_a_service_names_the_primary(form: Form, tools: Tools, files: Path) -> None:
    words, environ = filled(form, "", files)
    assert tools.both(*words, **environ) == (LISTED, NO_STANDBY)


@pytest.mark.parametrize("words", [("postgres", "monitor"), ("dbname=postgres", "monitor")])
def test_a_socket_and_a_user(words: tuple[str, str], world: World, get_active_slaves: Tool) -> None:
    assert get_active_slaves("psql", "-h", str(world.primary.home), *words) == LISTED


@pytest.mark.usefixtures("world")
def test_any_of_several_hosts_may_be_the_primary(get_active_slaves: Tool) -> None:
    """libpq tries the hosts one after the other."""
    string = f"host=node3,node2,node1 {REST} target_session_attrs=read-write"
    assert get_active_slaves("psql", string) == LISTED


@pytest.mark.usefixtures("world")
def test_a_dead_server_leaves_time_for_the_others(get_active_slaves: Tool) -> None:
    string = f"host=10.67.0.2,node1 {REST.replace('connect_timeout=5', '')}"
    assert get_active_slaves("--timeout", "5", "psql", string) == LISTED
