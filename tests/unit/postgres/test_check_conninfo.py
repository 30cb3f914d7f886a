"""The libpq settings of a check, without a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lvsdr.postgres.check_conninfo import parse_conninfo
from lvsdr.postgres.connection import Target
from lvsdr.system.libpq import parse_settings


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "user=monitor",
        "user = monitor  dbname= postgres",
        r"user='mo''nitor".replace("''", r"\'") + "'",
        r"password=a\'b\\c",
        "password='a b' user=x",
        "options='-c statement_timeout=5s'",
        "password=",
        "password='' user=x",
        "service=reads",
    ],
)
def test_legal_settings_are_those_that_libpq_reads(text: str) -> None:
    expected = parse_settings(Target(text, {}))
    del expected["fallback_application_name"]
    assert parse_conninfo(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("postgresql://monitor:geheim@node1/x", "a URI names a server: write keyword=value pairs"),
        ("user=monitor geheim", "word 2 is no keyword=value pair"),
        ("=geheim", "word 1 is no keyword=value pair"),
        ("password='geheim", "the quote of password is not closed"),
        ("password=ge'heim'", "the value of password is not quoted as a whole"),
        ("password='ge'heim", "the value of password is not quoted as a whole"),
        ("user=a user=b", "user is there twice"),
        ("host=node1", "leave out host: each real server has its own"),
        ("hostaddr=10.0.0.1", "leave out hostaddr: each real server has its own"),
        ("port=5433", "leave out port: it is the port of the service"),
        ("replication=true", "leave out replication: the check sends a query"),
        ("target_session_attrs=standby", "leave out target_session_attrs: each check concerns"),
        ("connect_timeout=5", "leave out connect_timeout: realserver_check_timeout limits"),
        ("passfile=.pgpass", "passfile is not an absolute path"),
    ],
)
def test_wrong_settings_are_named_without_their_values(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_conninfo(text)
    assert str(caught.value).startswith(problem)
    assert "geheim" not in str(caught.value)


@given(st.text(alphabet="ab= '\\\t", max_size=20))
def test_every_accepted_text_has_the_meaning_that_libpq_gives_it(text: str) -> None:
    try:
        found = parse_conninfo(f"user={text}")
    except ValueError:
        return
    if set(found) == {"user"}:
        assert parse_settings(Target(f"user={text}", {}))["user"] == found["user"]
