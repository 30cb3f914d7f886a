"""Regular expressions of users, in the notation of grep -E and with a bound on their cost.

Python's ``re`` backtracks, so a few characters of a pattern can keep it busy for ever.
"""

from __future__ import annotations

from .parsing import is_decimal

_CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r" \t\n\r\f\v",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "print": r"\x20-\x7e",
    "graph": r"\x21-\x7e",
    "cntrl": r"\x00-\x1f\x7f",
    "xdigit": "0-9A-Fa-f",
}
# Two of these in a row may become operators in a later version of re.
_RESERVED = frozenset("[&~|")
_KNOWN_ESCAPES = frozenset("dDwWsS")
_IGNORE_CASE = "(?i)"


def translate_pattern(text: str) -> str:
    """Return the pattern in the notation of ``re``; raise ValueError if it has no equivalent.

    Only bracket expressions differ: POSIX supports character classes in them.

    >>> translate_pattern("[[:alpha:]_]+|[]x[]")
    '[a-zA-Z_]+|[]x\\\\[]'
    """
    pieces, place = [], 0
    while place < len(text):
        length = 2 if text[place] == "\\" else 1
        if text[place] == "[":
            bracket, length = _translate_bracket(text, place)
            pieces.append(bracket)
        else:
            pieces.append(text[place : place + length])
        place += length
    return "".join(pieces)


def _translate_bracket(text: str, start: int) -> tuple[str, int]:
    """Translate the bracket expression that begins here; return also its length in ``text``."""
    place = start + 1
    place += text[place : place + 1] == "^"
    place += text[place : place + 1] == "]"  # a first ] is a member of the set
    pieces = [text[start:place]]
    while place < len(text) and text[place] != "]":
        if text[place : place + 2] == "[:":
            name, end, _ = text[place + 2 :].partition(":]")
            if not end or name not in _CLASSES:
                raise ValueError(f"[:{name[:20]}:] is no class of characters")
            pieces.append(_CLASSES[name])
            place += len(name) + 4
        elif text[place : place + 2] in ("[.", "[="):
            raise ValueError(f"{text[place : place + 2]} (collating) is not supported")
        elif text[place] == "\\":
            pieces.append(text[place : place + 2])
            place += 2
        else:
            pieces.append(f"\\{text[place]}" if text[place] in _RESERVED else text[place])
            place += 1
    return "".join((*pieces, text[place : place + 1])), place + 1 - start


def compute_step_bound(pattern: str, length: int) -> float:
    """Return a bound on the steps for a match of ``length`` characters; infinite if unknown.

    ``pattern`` is in the notation that ``translate_pattern`` returns.  Each alternative and each
    repetition of a character multiplies the steps.  No bound is known for a repeated group, a
    reference or a condition.

    >>> compute_step_bound("HS:sync|HS:potential|HS:async", 8)
    3.0
    >>> compute_step_bound(".*", 8), compute_step_bound("(a+)+", 8)
    (9.0, inf)
    """
    bound, place, follows_group = 1.0, len(_IGNORE_CASE) * pattern.startswith(_IGNORE_CASE), False
    alternatives = [1.0]
    while place < len(pattern):
        sign, width = pattern[place], 1
        if sign in "*+?{":
            factor, width = _parse_repetition(pattern, place, length)
            if follows_group:
                return float("inf")
            bound *= factor
        elif sign == "|":
            alternatives[-1] += 1
        elif sign == "(":
            if pattern[place : place + 2] == "(?" and pattern[place : place + 3] != "(?:":
                return float("inf")
            width = 3 if pattern[place : place + 3] == "(?:" else 1
            alternatives.append(1.0)
        elif sign == ")":
            bound *= alternatives.pop() if len(alternatives) > 1 else 1.0
        elif sign == "\\":
            escaped, width = pattern[place + 1 : place + 2], 2
            if escaped.isalnum() and escaped not in _KNOWN_ESCAPES:
                return float("inf")
        elif sign == "[":
            _, width = _translate_bracket(pattern, place)
        follows_group = sign == ")"
        place += width
    return bound * alternatives[0]


def _parse_repetition(pattern: str, place: int, length: int) -> tuple[float, int]:
    """Return the factor by which a repetition multiplies the steps, and its length.

    A brace that begins no count stands for itself, and the text after it is part of the pattern.
    """
    if pattern[place] == "{":
        inside, closed, _ = pattern[place + 1 :].partition("}")
        low, comma, high = inside.partition(",")
        if not (closed and inside and _is_count(low) and _is_count(high)):
            return 1.0, 1
        limit = high if comma else low
        return float(min(int(limit), length) if limit else length) + 1, len(inside) + 2
    is_lazy = pattern[place + 1 : place + 2] == "?"
    return (2.0 if pattern[place] == "?" else length + 1.0), 1 + is_lazy


def _is_count(text: str) -> bool:
    return not text or is_decimal(text)
