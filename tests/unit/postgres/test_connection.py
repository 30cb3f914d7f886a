"""Command lines as connection targets, and complaints that repeat no password."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lvsdr.postgres.connection import (
    Target,
    hosts,
    malformed,
    names,
    one_line,
    rejoined,
    target,
    without_psql,
)

TEXT = st.text(st.characters(exclude_characters="\"'", exclude_categories=["Cs"]), min_size=1)


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        ([], []),
        (["psql", "host=a"], ["psql", "host=a"]),
        (["psql", '"host=a', 'port=1"'], ["psql", "host=a port=1"]),
        (["psql", "'host=a", "port=1'", "-h"], ["psql", "host=a port=1", "-h"]),
        (['"host=a', "options='-c", "x=y'\"", "-h"], ["host=a options='-c x=y'", "-h"]),
        (['"host=a"', '"x"'], ["host=a", "x"]),
        (['"', 'a"'], [" a"]),
        (['""'], [""]),
        (["host='a b'"], ["host='a b'"]),
    ],
)
def test_words_with_quotes_are_rejoined(words: list[str], joined: list[str]) -> None:
    assert rejoined(words) == joined


@pytest.mark.parametrize("words", [['"host=a', "password=b"], ['"'], ["a", "'b"]])
def test_a_quote_that_is_not_closed(words: list[str]) -> None:
    with pytest.raises(ValueError, match=r"^argument \d begins with [\"'], none ends$"):
        rejoined(words)


@given(st.lists(TEXT))
def test_words_without_quotes_stay_as_they_are(words: list[str]) -> None:
    assert rejoined(words) == words


@given(st.lists(st.text("abc=", min_size=1), min_size=1), st.sampled_from("\"'"))
def test_what_a_shell_split_is_whole_again(words: list[str], quote: str) -> None:
    text = " ".join(words)
    assert rejoined(f"{quote}{text}{quote}".split(" ")) == [text]


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        ([], []),
        (["psql"], []),
        (["/usr/pgsql-9.5/bin/psql", "dbname=x"], ["dbname=x"]),
        (["psql-15", "psql"], ["psql"]),
        (["postgres"], ["postgres"]),
        (["/psql/bin/postgres"], ["/psql/bin/postgres"]),
        (["host=/run/psql"], ["host=/run/psql"]),
        (["postgresql://node1/psql"], ["postgresql://node1/psql"]),
    ],
)
def test_the_path_of_psql_is_not_used(words: list[str], rest: list[str]) -> None:
    assert without_psql(words) == rest


@pytest.mark.parametrize(
    ("words", "settings", "string", "result"),
    [
        ([], {}, "", {}),
        (["postgres"], {}, "", {"dbname": "postgres"}),
        (["postgres", "alice"], {}, "", {"dbname": "postgres", "user": "alice"}),
        (["alice"], {"dbname": "postgres"}, "", {"dbname": "postgres", "user": "alice"}),
        (["dbname=x"], {}, "dbname=x", {}),
        (["dbname=x", "alice"], {}, "dbname=x", {"user": "alice"}),
        (["dbname=x"], {"dbname": "y"}, "dbname=x", {"dbname": "y"}),
        ([], {"dbname": "user=a"}, "user=a", {}),
        (["user=a", "port=1"], {}, "user=a port=1", {}),
        (["postgres://a@b/c"], {"port": "1"}, "postgres://a@b/c", {"port": "1"}),
        (["host=a"], {"host": "b"}, "host=a", {"host": "b", "hostaddr": ""}),
        (["postgresql:///c?host=/run/pg"], {}, "postgresql:///c?host=/run/pg", {}),
    ],
)
def test_targets(
    words: list[str], settings: dict[str, str], string: str, result: dict[str, str]
) -> None:
    assert target(words, settings) == Target(string, result)


@pytest.mark.parametrize(
    ("words", "settings", "says"),
    [
        (["a", "b", "c"], {}, r"^1 argument\(s\) too many; legal are a connection string or"),
        (["x=1", "b"], {"user": "c"}, r"^1 argument\(s\) too many"),
        (["postgres://a", "x=1"], {}, "^a URI and another connection string; legal is one of them"),
        (["x=1"], {"dbname": "postgres://a"}, "^a URI and another connection string"),
        (["postgres://a:b@c@d/e"], {}, "^write @ as %40 and / as %2F"),
        (["postgres://a:b/c@d/e"], {}, "^write @ as %40 and / as %2F"),
    ],
)
def test_words_that_are_no_target(words: list[str], settings: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        target(words, settings)


@given(TEXT, st.sampled_from(['missing "=" after "{}" in connection info string', '"{}"']))
def test_no_piece_of_a_string_with_a_password_is_repeated(piece: str, complaint: str) -> None:
    said = malformed(f"password={piece}", complaint.format(f"<{piece}>"))
    assert "<" not in said


@given(st.text())
def test_nor_one_with_quotes(piece: str) -> None:
    assert "<" not in malformed("postgres://a@b", f'unexpected "=" in URI: "<{piece}>" somewhere')


@pytest.mark.parametrize(
    ("string", "complaint", "says"),
    [
        ("hots=a", 'invalid connection option "hots"', 'invalid connection option "hots"'),
        ("pass=a", 'invalid connection option "pass"', "invalid connection option ..."),
        ("a@b", 'missing "=" after "a@b"', 'missing "=" after ...'),
        ("", "out of\nmemory", "out of; memory"),
    ],
)
def test_what_is_malformed(string: str, complaint: str, says: str) -> None:
    assert malformed(string, complaint) == f"malformed connection string: {says}"


def test_complaints_are_one_line() -> None:
    said = 'connection to "a"  failed: no\n\tIs it running?\n\nconnection to "b" failed: no\n'
    assert one_line(said) == 'connection to "a" failed: no; connection to "b" failed: no'


@pytest.mark.parametrize(
    ("settings", "environ", "servers"),
    [
        ({}, {}, []),
        ({"host": "a,b"}, {"PGHOST": "c"}, ["a", "b"]),
        ({"hostaddr": "192.0.2.1"}, {"PGHOST": "c"}, ["192.0.2.1"]),
        ({"host": "a", "hostaddr": ""}, {}, ["a"]),
        ({}, {"PGHOST": "c,d"}, ["c", "d"]),
        ({}, {"PGHOSTADDR": "192.0.2.1"}, ["192.0.2.1"]),
        ({"service": "s"}, {"PGHOST": "c"}, []),
        ({}, {"PGSERVICE": "s", "PGHOST": "c"}, []),
        ({"service": "s", "host": "a"}, {}, ["a"]),
    ],
)
def test_servers(settings: dict[str, str], environ: dict[str, str], servers: list[str]) -> None:
    assert hosts(settings, environ) == servers


@pytest.mark.parametrize(
    ("settings", "environ", "servers"),
    [
        ({}, {}, []),
        ({"host": "a,b"}, {}, ["a", "b"]),
        ({}, {"PGHOST": "c"}, ["c"]),
        ({"host": "a,192.0.2.1"}, {}, []),
        ({"host": "2001:db8::1"}, {}, []),
        ({"host": "/run/postgresql"}, {"PGHOST": "c"}, []),
        ({"host": "@postgresql"}, {}, []),
        ({"host": "a,"}, {}, []),
        ({"host": "a", "hostaddr": "192.0.2.1"}, {}, []),
        ({"host": "a"}, {"PGHOSTADDR": "192.0.2.1"}, []),
    ],
)
def test_servers_to_look_up(
    settings: dict[str, str], environ: dict[str, str], servers: list[str]
) -> None:
    assert names(settings, environ) == servers
