"""Values in answers, and data that are no values."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lvsdr.leader.decoding import (
    Malformed,
    decode_base64,
    parse_json,
    require_number,
    require_object,
    require_single,
    require_text,
)


def test_values_of_the_expected_types_are_returned() -> None:
    assert parse_json(b'{"a": [1]}') == {"a": [1]}
    assert require_object({"a": 1}, "x") == {"a": 1}
    assert (require_single([], "x"), require_single([{}], "x")) == (None, {})
    assert (
        require_number(0, "x"),
        require_number(7, "x"),
        require_number("7", "x", quoted=True),
    ) == (0, 7, 7)
    assert (require_text("", "x"), require_text("a", "x")) == ("", "a")
    assert (decode_base64("", "x"), decode_base64("bm9kZTE=", "x")) == (b"", b"node1")


@pytest.mark.parametrize(
    ("decode", "values"),
    [
        (require_object, [None, [], "a", 1, True]),
        (require_single, [None, {}, "a", 1, [None], [1, 2]]),
        (require_number, [None, [], "7", 1.0, -1, True, {}]),
        (require_text, [None, [], 1, b"a", {}]),
        (decode_base64, [None, [], 1, "a", "node1", "bm9kZTE", "bm9k\nZTE=", "\u00e9"]),
    ],
)
def test_values_of_other_types_are_malformed(
    decode: Callable[[object, str], object], values: list[object]
) -> None:
    for value in values:
        with pytest.raises(Malformed, match=r"^answered with a thing that is (no|not) "):
            decode(value, "a thing")


@pytest.mark.parametrize("value", ["", "-1", "1.0", "\u0663", "9" * 21, "0x1", " 1", None, True])
def test_a_text_without_a_number_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        require_number(value, "a thing", quoted=True)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"node1", b"{'a': 1}"])
def test_other_bodies_than_json_are_malformed(body: bytes) -> None:
    with pytest.raises(Malformed, match="not JSON"):
        parse_json(body)


NESTED = b"[" * 100 + b"]" * 100


@pytest.mark.parametrize("body", [b"[" + NESTED + b"]", b"[" * 101, b'{"":' * 100_000])
def test_a_deeply_nested_answer_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse_json(body)


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
def test_broad_answers_and_brackets_in_texts_are_not_too_deep(body: bytes) -> None:
    assert isinstance(parse_json(body), list)
