"""Complaints that repeat no password."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lvsdr.postgres.connection import Target
from lvsdr.postgres.redaction import join_lines, redact_complaint, redact_parse_error, redact_server

TEXT = st.text(st.characters(exclude_characters="\"'", exclude_categories=["Cs"]), min_size=1)
SECRET = "S3cret"


@given(TEXT, st.sampled_from(['missing "=" after "{}" in connection info string', '"{}"']))
def test_no_piece_of_a_string_with_a_password_is_repeated(piece: str, complaint: str) -> None:
    said = redact_parse_error(f"password={piece}", complaint.format(f"<{piece}>"))
    assert "<" not in said


@given(st.text())
def test_nor_one_with_quotes(piece: str) -> None:
    assert "<" not in redact_parse_error(
        "postgres://a@b", f'unexpected "=" in URI: "<{piece}>" somewhere'
    )


@pytest.mark.parametrize(
    ("string", "complaint", "says"),
    [
        ("hots=a", 'invalid connection option "hots"', 'invalid connection option "hots"'),
        ("pass=a", 'invalid connection option "pass"', "invalid connection option ..."),
        ("a@b", 'missing "=" after "a@b"', 'missing "=" after ...'),
        ("", "out of\nmemory", "out of; memory"),
    ],
)
def test_malformed_settings_are_hidden(string: str, complaint: str, says: str) -> None:
    assert redact_parse_error(string, complaint) == f"malformed connection string: {says}"


def test_complaints_are_one_line() -> None:
    said = 'connection to "a"  failed: no\n\tIs it running?\n\nconnection to "b" failed: no\n'
    assert join_lines(said) == 'connection to "a" failed: no; connection to "b" failed: no'


# Wrongly written passwords, and the parameters that libpq reads from them.
MISREAD = [
    (Target(f"postgres://u:{SECRET}/x", {}), {"host": "u", "port": SECRET, "dbname": "x"}),
    (Target(f"postgres://u:1,{SECRET}/x", {}), {"host": f"u,{SECRET}", "port": "1,"}),
    (Target("port=1 password=a", {"user": SECRET}, ("user",)), {"user": SECRET}),
    (Target("port=1 password=a", {"host": SECRET}, ("host",)), {"host": SECRET}),
    (Target("", {"dbname": f"u:{SECRET}@a/b"}, ("dbname",)), {"dbname": f"u:{SECRET}@a/b"}),
    (Target("", {"host": f"u:{SECRET}@a"}), {"host": f"u:{SECRET}@a"}),
    (Target("", {"host": f"/tmp,u:{SECRET}"}), {"host": f"/tmp,u:{SECRET}"}),
    (Target("password=x", {"user": f'u"{SECRET}', "host": "u"}), {"host": "u"}),
]


@pytest.mark.parametrize(("target", "known"), MISREAD)
def test_a_password_that_is_taken_for_something_else(target: Target, known: dict[str, str]) -> None:
    for name, value in {**known, **target.settings}.items():
        assert SECRET not in redact_complaint(
            f'invalid value for "{name}": "{value}"', target, known
        )
        for server in value.split(","):
            assert SECRET not in redact_server(server, target, known)


@pytest.mark.parametrize(
    ("string", "settings", "complaint"),
    [
        ("port=1", {}, 'no "x" and "y"'),
        ("user=a password=b", {"user": "a"}, 'no "a" at "192.0.2.1"'),
        ("postgres://a:b@c/d", {"user": "a", "host": "c", "dbname": "d"}, '"a", "c", "d"'),
        ("host=/x password=b", {"host": "/x"}, 'on "/x/.s.PGSQL.5432"'),
        ("host=/x password=b port=1", {"host": "/x", "port": "1"}, 'on "/x/.s.PGSQL.1"'),
        ("host=a,b password=b", {"host": "a,b"}, 'at "a" nor "b"'),
    ],
)
def test_certain_text_is_repeated(string: str, settings: dict[str, str], complaint: str) -> None:
    assert redact_complaint(complaint, Target(string, {}), settings) == complaint


@given(TEXT)
def test_nothing_else_is(piece: str) -> None:
    target = Target("host=a password=x", {})
    assert redact_complaint(
        f'at "a" (192.0.2.1): no "<{piece}>" at "a"!', target, {"host": "a"}
    ) == ('at "a" (192.0.2.1): no ...!')
