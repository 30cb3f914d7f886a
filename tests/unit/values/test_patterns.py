"""Users' regular expressions: the notation of grep -E, and the bound on their cost."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lvsdr.values.patterns import compute_step_bound, translate_pattern

ASCII = [chr(code) for code in range(1, 127) if chr(code) != "\n"]


@pytest.mark.parametrize(
    "pattern",
    [
        *(f"[[:{name}:]]" for name in ("alpha", "digit", "alnum", "upper", "lower", "xdigit")),
        *(f"[[:{name}:]]" for name in ("space", "blank", "punct", "print", "graph", "cntrl")),
        *("[^[:alpha:]]", "[]x[]", "[^]x]", "[[:digit:]a-f&&]", "[a||b]", "[~~-]"),
    ],
)
def test_brackets_match_as_in_grep(pattern: str) -> None:
    done = subprocess.run(
        ["grep", "-Ex", pattern],
        input="\n".join(ASCII).encode(),
        capture_output=True,
        check=False,
        env={"LC_ALL": "C"},
    )
    compiled = re.compile(translate_pattern(pattern))
    assert [sign for sign in ASCII if compiled.fullmatch(sign)] == done.stdout.decode().split("\n")[
        :-1
    ]


@pytest.mark.parametrize(
    "pattern",
    ["HS:sync|HS:async", "1", r"\d+ [\w:]+", "(?i)yes", r"\[[:alpha:]", "[a-c]", "a[", "[", r"\\"],
)
def test_common_notation_matches_the_same(pattern: str) -> None:
    assert translate_pattern(pattern) == pattern


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("[[:letter:]]", r"^\[:letter:\] is no class of characters$"),
        ("[[:alpha", r"^\[:alpha:\] is no class of characters$"),
        ("[[.x.]]", r"^\[\. \(collating\) is not supported$"),
        ("[[=x=]]", r"^\[= \(collating\) is not supported$"),
    ],
)
def test_untranslatable_patterns_are_refused(pattern: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        translate_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "bound"),
    [
        ("1", 1.0),
        ("HS:sync|HS:potential|HS:async", 3.0),
        ("HS:(sync|potential|async)", 3.0),
        ("(a|b)(?:c|d)", 4.0),
        (r"STREAMING\|ASYNC", 1.0),
        ("[|(*]", 1.0),
        (".*", 11.0),
        ("a?b{2,3}c{4}", 2.0 * 4.0 * 5.0),
        ("a.*b.*?", 121.0),
        ("(?i)yes|no", 2.0),
        ("a?" * 30, 2.0**30),
    ],
)
def test_the_bound_of_a_simple_pattern(pattern: str, bound: float) -> None:
    assert compute_step_bound(pattern, 10) == bound


@pytest.mark.parametrize(
    "pattern",
    [
        *("(a+)+", "(a*)*", "(a|a)*", "([\\w:]+ ?)+", "(a){2}", r"(a)\1", "(?=a)a", "(?P<x>a)"),
        *("x{(a+)+}", "x{(a+)+", "x{2,(a+)+", "x{\u0661,(a+)+}"),  # braces that count nothing
    ],
)
def test_a_pattern_without_a_bound(pattern: str) -> None:
    assert compute_step_bound(pattern, 10) == float("inf")


@given(st.text(alphabet="ab|()[]*+?{},1\\.^$", max_size=12), st.text("ab", max_size=12))
def test_any_pattern_has_a_bound_that_is_cheap_to_compute(pattern: str, value: str) -> None:
    try:
        compiled = re.compile(translate_pattern(pattern))
    except (ValueError, re.error, OverflowError):
        return
    bound = compute_step_bound(compiled.pattern, len(value))
    assert bound >= 1.0
    if bound < 10_000:
        compiled.fullmatch(value)  # must end
