"""Values in answers, and data that are no values."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lvsdr.leader.decoding import Malformed, decoded, mapping, only, parsed, text, whole


def test_values() -> None:
    assert parsed(b'{"a": [1]}') == {"a": [1]}
    assert mapping({"a": 1}, "x") == {"a": 1}
    assert (only([], "x"), only([{}], "x")) == (None, {})
    assert (whole(0, "x"), whole(7, "x"), whole("7", "x", quoted=True)) == (0, 7, 7)
    assert (text("", "x"), text("a", "x")) == ("", "a")
    assert (decoded("", "x"), decoded("bm9kZTE=", "x")) == (b"", b"node1")


@pytest.mark.parametrize(
    ("decode", "values"),
    [
        (mapping, [None, [], "a", 1, True]),
        (only, [None, {}, "a", 1, [None], [1, 2]]),
        (whole, [None, [], "7", 1.0, -1, True, {}]),
        (text, [None, [], 1, b"a", {}]),
        (decoded, [None, [], 1, "a", "node1", "bm9kZTE", "bm9k\nZTE=", "\u00e9"]),
    ],
)
def test_malformed(decode: Callable[[object, str], object], values: list[object]) -> None:
    for value in values:
        with pytest.raises(Malformed, match=r"^answered with a thing that is (no|not) "):
            decode(value, "a thing")


@pytest.mark.parametrize("value", ["", "-1", "1.0", "\u0663", "9" * 21, "0x1", " 1", None, True])
def test_no_number_in_quotes(value: object) -> None:
    with pytest.raises(Malformed):
        whole(value, "a thing", quoted=True)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"node1", b"{'a': 1}"])
def test_no_json(body: bytes) -> None:
    with pytest.raises(Malformed, match="not JSON"):
        parsed(body)


NESTED = b"[" * 100 + b"]" * 100


@pytest.mark.parametrize("body", [b"[" + NESTED + b"]", b"[" * 101, b'{"":' * 100_000])
def test_an_answer_that_is_nested_too_deeply(body: bytes) -> None:
    with pytest.raises(Malformed):
        parsed(body)


@pytest.mark.parametrize(
    "body",
    [
        NESTED,
        b"[" + b"[]," * 1000 + b"[]]",
        b'["' + b"[" * 1000 + b'"]',
        b'["\\"' + b"{" * 1000 + b'"]',
    ],
    ids=["as deep as allowed", "broad", "brackets in a text", "brackets behind a quote"],
)
def test_an_answer_that_only_looks_as_if_it_were(body: bytes) -> None:
    assert isinstance(parsed(body), list)
