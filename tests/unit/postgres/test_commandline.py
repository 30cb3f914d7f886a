"""Command lines as connection targets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lvsdr.postgres.commandline import (
    build_target,
    normalize_arguments,
    rejoin_arguments,
    remove_psql_path,
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
    assert rejoin_arguments(words) == joined


@pytest.mark.parametrize("words", [['"host=a', "password=b"], ['"'], ["a", "'b"]])
def test_a_quote_that_is_not_closed(words: list[str]) -> None:
    with pytest.raises(
        ValueError, match=r"^argument \d begins with [\"'], but no argument ends so$"
    ):
        rejoin_arguments(words)


@pytest.mark.parametrize(
    ("words", "apart"),
    [
        (['psql "host=a port=1"'], ["psql", "host=a port=1"]),
        (["/usr/pgsql-9.5/bin/psql host=a", "b"], ["/usr/pgsql-9.5/bin/psql", "host=a", "b"]),
        (['psql "port=1 user=u" -h', "a"], ["psql", "port=1 user=u", "-h", "a"]),
        (["psql \"options='-c x=y'\""], ["psql", "options='-c x=y'"]),
        (["psql-15\tport=1"], ["psql-15", "port=1"]),
        (["psql ", "a"], ["psql", "a"]),
        (["-X", 'psql "a"', '"port=1', 'user=u"'], ["-X", "psql", "a", "port=1 user=u"]),
        (["psql", "host=/psql x=y"], ["psql", "host=/psql x=y"]),
        (["psql=x y"], ["psql=x y"]),
        (["host=a options=psql x"], ["host=a options=psql x"]),
    ],
)
def test_psql_and_its_arguments_in_one(words: list[str], apart: list[str]) -> None:
    assert normalize_arguments(words) == apart


def test_a_quote_in_it_that_is_not_closed() -> None:
    with pytest.raises(ValueError, match=r"^argument 2 has a quote that is not closed$"):
        normalize_arguments(["-X", 'psql "password=secret'])


@given(st.lists(TEXT))
def test_words_without_quotes_stay_as_they_are(words: list[str]) -> None:
    assert rejoin_arguments(words) == words


@given(st.lists(st.text("abc=", min_size=1), min_size=1), st.sampled_from("\"'"))
def test_arguments_split_by_a_shell_are_joined(words: list[str], quote: str) -> None:
    text = " ".join(words)
    assert rejoin_arguments(f"{quote}{text}{quote}".split(" ")) == [text]


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
    assert remove_psql_path(words) == rest


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
        (["postgres://a/b?x=c@d"], {}, "postgres://a/b?x=c@d", {}),
        (["postgres://a:b?c@d/e?x=f@g"], {}, "postgres://a:b?c@d/e?x=f@g", {}),
        (["host=a", "password=b"], {}, "host=a password=b", {}),
        (["host=a password=b", "c"], {}, "host=a password=b", {"user": "c"}),
        (["passfile=a", "b"], {}, "passfile=a", {"user": "b"}),
    ],
)
def test_targets(
    words: list[str], settings: dict[str, str], string: str, result: dict[str, str]
) -> None:
    assert build_target(words, settings)[:2] == (string, result)


@pytest.mark.parametrize(
    ("words", "settings", "says"),
    [
        (["a", "b", "c"], {}, r"^1 argument\(s\) too many; legal are a connection string or"),
        (["x=1", "b"], {"user": "c"}, r"^1 argument\(s\) too many"),
        (["postgres://a", "x=1"], {}, "^a URI and another connection string; legal is one of them"),
        (["x=1"], {"dbname": "postgres://a"}, "^a URI and another connection string"),
        (["postgres://a:b@c@d/e"], {}, "^write @ as %40 and / as %2F"),
        (["postgres://a:b/c@d/e"], {}, "^write @ as %40 and / as %2F"),
        (["postgres://a?application_name=b@c"], {}, r"^write \? as %3F"),
        (["Postgres://a"], {}, "^a URI begins with postgresql:// or postgres://, in small letters"),
        (["HTTP://a?b=c"], {}, "^a URI begins with"),
        ([], {"dbname": "://a=b"}, "^a URI begins with"),
        (["password=x", "b"], {}, "^the text after a password= without quotes may be the rest of"),
        (["host=a", "PASSWORD=x", "port=1", "b"], {}, "^the text after a password= without quotes"),
    ],
)
def test_words_that_are_no_target(words: list[str], settings: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        build_target(words, settings)


@pytest.mark.parametrize(
    ("words", "host", "string"),
    [
        ([], "a", ""),
        (["port=1 password=x"], "::1", "port=1 password=x"),
        (["postgres://a:b@c"], "192.0.2.1", "postgres://a:b@c"),
        (["postgres"], "/run/postgresql", ""),
        (["port=1", "user=a"], "a,b", "port=1 user=a"),
    ],
)
def test_a_host_is_appended(words: list[str], host: str, string: str) -> None:
    found = build_target(words, {}, host)
    assert (found.string, found.settings["host"], found.settings["hostaddr"]) == (string, host, "")
    assert found.positional[0] == "host"


@pytest.mark.parametrize("word", ["", "a b", "u:p@a", "u:p@a/b", "Postgres://u:p@a", "a,", "-h"])
def test_invalid_hosts_are_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"^the last argument is neither a connection string nor"):
        build_target(["port=1"], {}, word)


@pytest.mark.parametrize("words", [["password=a"], ["port=1", "password=a"], ["password=a", "x=y"]])
def test_the_rest_of_a_password_is_no_host(words: list[str]) -> None:
    with pytest.raises(ValueError, match=r"^the text after a password= without quotes may be the"):
        build_target(words, {}, "secret")
