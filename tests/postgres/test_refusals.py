"""What the tools say when they get no answer: one line, and never a password."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.postgres.tool import Said, Tool, Tools
from tests.postgres.world import PASSWORDS, PRIMARY

PASSWORD = PASSWORDS["monitor"]
ODD = PASSWORDS["odd"]
HERE = f"host={PRIMARY} dbname=postgres"
DENIED = f'connection to server at "{PRIMARY}", port 5432 failed: FATAL: '


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("words", "environ", "says"),
    [
        (
            (f"{HERE} user=monitor password=Falsch-79",),
            {},
            f'{DENIED}password authentication failed for user "monitor"',
        ),
        (
            (f"postgresql://monitor:Falsch-79@{PRIMARY}/postgres",),
            {},
            f'{DENIED}password authentication failed for user "monitor"',
        ),
        (
            (f"{HERE} user=monitor",),
            {"PGPASSWORD": "Falsch-79"},
            f'{DENIED}password authentication failed for user "monitor"',
        ),
        (
            (f"{HERE} user=monitor password={PASSWORD}", "-d", "nowhere"),
            {},
            f'{DENIED}database "nowhere" does not exist',
        ),
        (
            (f"host={PRIMARY} user=monitor password={PASSWORD} dbname=nowhere",),
            {},
            f'{DENIED}database "nowhere" does not exist',
        ),
        (
            (f"host=10.66.0.19 user=monitor password={PASSWORD}",),
            {},
            'connection to server at "10.66.0.19", port 5432 failed: Connection refused',
        ),
        (
            (f"host=10.66.0.19,10.66.0.19 user=monitor password={PASSWORD}",),
            {},
            'connection to server at "10.66.0.19", port 5432 failed: Connection refused; '
            'connection to server at "10.66.0.19", port 5432 failed: Connection refused',
        ),
        (
            (f"{HERE} user=monitor password={PASSWORD} sslmode=require",),
            {},
            f'connection to server at "{PRIMARY}", port 5432 failed: server does not support SSL, '
            "but SSL was required",
        ),
    ],
    ids=[
        "wrong password",
        "wrong password in a URI",
        "wrong password in the environment",
        "another database",
        "no such database",
        "nobody listens",
        "nobody listens anywhere",
        "no SSL",
    ],
)
def test_no_answer(
    words: tuple[str, ...], environ: dict[str, str], says: str, tools: Tools
) -> None:
    listing, check = tools.both("psql", *words, **environ)
    assert (listing, check) == (Said(1, "", says), Said(1, "f\n", says))


def test_a_name_without_an_address(tools: Tools) -> None:
    """No server is to blame: nothing is known of any."""
    for said in tools.both("psql", f"host=node..1,node..2 user=monitor password={PASSWORD}"):
        assert said[:2] == (126, "")
        assert re.fullmatch(r"node..1 has no address: [^;]+; node..2 has no address: .+", said.err)


@pytest.mark.parametrize(
    ("string", "says"),
    [
        (f"host=node1 password={ODD}", 'missing "=" after ... in connection info string'),
        ("postgresql://odd:s3cr%zzt@node1/x", "invalid percent-encoded token: ..."),
    ],
)
def test_a_malformed_string_is_not_repeated(string: str, says: str, tools: Tools) -> None:
    said = Said(2, "", f"malformed connection string: {says}")
    assert tools.both("psql", string) == (said, said)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "words",
    [
        (f"Postgresql://monitor:{PASSWORD}@{PRIMARY}/postgres",),
        (f"Postgresql://monitor:{PASSWORD}@{PRIMARY}/postgres?sslmode=disable",),
        (f"monitor:{PASSWORD}@{PRIMARY}/postgres",),
        ("-d", f"monitor:{PASSWORD}@{PRIMARY}/postgres"),
        ("-h", f"monitor:{PASSWORD}@{PRIMARY}"),
        ("-h", PRIMARY, f"postgresql://monitor:{PASSWORD}/postgres"),
        (f"postgresql://monitor:{PASSWORD}/postgres",),
        (f"postgresql://monitor:{PASSWORD}%zz",),
        (f"host={PRIMARY}", "user=monitor", "password=a", PASSWORD),
        (f"host={PRIMARY}", "user=monitor", "password=a", f"--{PASSWORD}"),
        (f"host={PRIMARY} user=monitor password=a", PASSWORD),
        (f"host={PRIMARY} user=monitor password=a {PASSWORD}",),
        (f"host={PRIMARY} user=monitor pasword=a {PASSWORD}",),
    ],
    ids=lambda words: " ".join(words).replace(PASSWORD, "..."),
)
def test_a_password_is_taken_for_something_else(words: tuple[str, ...], tools: Tools) -> None:
    """Tools.both looks for it in what they say."""
    for said in tools.both("psql", *words):
        assert said.status != 0
        assert said.err


def test_a_uri_that_libpq_would_misread(tools: Tools) -> None:
    """It would take what follows the @ for a host, and say so."""
    said = Said(2, "", "write @ as %40 and / as %2F in the user and password of a URI")
    assert tools.both("psql", f"postgresql://odd:{ODD}@{PRIMARY}/postgres") == (said, said)


@pytest.mark.usefixtures("world")
def test_a_passfile_that_others_may_read(get_active_slaves: Tool, tmp_path: Path) -> None:
    path = tmp_path / "pgpass"
    path.write_text(f"*:*:*:monitor:{PASSWORD}\n")
    path.chmod(0o644)
    said = get_active_slaves("psql", f"{HERE} user=monitor passfile={path}")
    assert said.status == 1
    assert "fe_sendauth: no password supplied" in said.err
    assert f'password file "{path}" has group or world access' in said.err


def test_a_service_that_is_not_there(get_active_slaves: Tool) -> None:
    said = get_active_slaves("psql", "service=nowhere")
    assert said == Said(2, "", 'definition of service "nowhere" not found')


def test_a_user_without_a_name(installed: Tools) -> None:
    path = installed.check_active_slave.path
    done = subprocess.run(
        ["setpriv", "--reuid=54321", "--clear-groups", "--", path, f"host={PRIMARY}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "check_active_slave: local user with ID 54321 does not exist\n"
