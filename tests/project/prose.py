"""Measures of the project's English: vague words, beginnings of docstrings, names of tests."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

# Words in the place of a noun, by the name of the group.
VAGUE = {
    "what": re.compile(r"\bwhat(?:ever)?\b", re.IGNORECASE),
    "who": re.compile(r"\b(?:who|whom|whoever|nobody|somebody|anybody)\b", re.IGNORECASE),
    "said": re.compile(r"\b(?:said|told|heard)\b", re.IGNORECASE),
    "asked": re.compile(r"\basked\b", re.IGNORECASE),
}
_INTERROGATIVE = r"what|who|whom|whose|whoever|why|how|where|when|which|whether"
QUESTION = re.compile(rf"(?:{_INTERROGATIVE})\b", re.IGNORECASE)
BEGINNING = re.compile(
    rf"(?:{_INTERROGATIVE}"
    r"|about|after|also|as|at|before|by|for|from|in|of|on|out of|to|under|with|without)\b",
    re.IGNORECASE,
)
RIDDLE = re.compile(r"_(?:what|who|nobody|somebody|said|told|heard|asked)(?:_|$)")

# Functions whose arguments an operator reads, besides the exceptions.
REPORTING = {"log", "debug", "info", "warning", "error", "exit_reason", "say", "warn"}


class Prose(NamedTuple):
    """Counts of some text."""

    words: int = 0
    vague: Mapping[str, int] = {}
    docstrings: int = 0
    beginnings: int = 0
    """Docstrings that begin with an interrogative, a preposition or "also"."""

    def rate(self, group: str) -> float:
        """Return the words of a group in 1000 words."""
        return 1000 * self.vague.get(group, 0) / max(self.words, 1)

    def share_of_beginnings(self) -> float:
        """Return the share of docstrings with a vague beginning."""
        return self.beginnings / max(self.docstrings, 1)


def measured(texts: Iterable[str], docstrings: Iterable[str] = ()) -> Prose:
    """Return the counts of texts, and of the beginnings of docstrings.

    >>> measured(["Nobody said what it is."]).vague["who"]
    1
    >>> measured([], ["Of the nodes, the last.", "Return the last node."]).beginnings
    1
    """
    documented = list(docstrings)
    text = "\n".join([*texts, *documented])
    return Prose(
        len(re.findall(r"[A-Za-z']+", text)),
        {group: len(pattern.findall(text)) for group, pattern in VAGUE.items()},
        len(documented),
        sum(bool(BEGINNING.match(one)) for one in documented),
    )


def total(parts: Iterable[Prose]) -> Prose:
    """Return the sum of counts."""
    words = docstrings = beginnings = 0
    vague: Counter[str] = Counter()
    for part in parts:
        words += part.words
        vague.update(part.vague)
        docstrings += part.docstrings
        beginnings += part.beginnings
    return Prose(words, vague, docstrings, beginnings)


def docstrings(source: str) -> Iterator[str]:
    """Yield all docstrings of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text:
                yield text


def comments(source: str) -> Iterator[str]:
    """Yield all comments of a program."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith("#!"):
            yield token.string.lstrip("# ")


def messages(source: str) -> Iterator[str]:
    """Yield the literals that are raised, logged or reported; values in them are left out.

    >>> list(messages("raise Failed(f'{node} is lost')\\nlog.info('kept: ' + 'all')"))
    [' is lost', 'kept: ', 'all']
    """
    for node in ast.walk(ast.parse(source)):
        call = node.exc if isinstance(node, ast.Raise) else node
        if isinstance(call, ast.Call) and (isinstance(node, ast.Raise) or _reports(call.func)):
            for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
                yield from _literals(argument)


def _reports(function: ast.expr) -> bool:
    name = getattr(function, "attr", getattr(function, "id", ""))
    return name.lstrip("_") in REPORTING


def _literals(argument: ast.expr) -> Iterator[str]:
    for node in ast.walk(argument):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def of_program(path: Path) -> Prose:
    """Return the counts of a program's docstrings and comments."""
    source = path.read_text()
    return measured(comments(source), docstrings(source))


def of_messages(path: Path) -> Prose:
    """Return the counts of a program's messages."""
    return measured(messages(path.read_text()))


def worst(files: Iterable[tuple[str, Prose]], count: int = 5) -> list[str]:
    """Return lines that name the files with most vague words and beginnings."""
    listed = [(sum(prose.vague.values()) + prose.beginnings, name) for name, prose in files]
    return [f"{name}: {number}" for number, name in sorted(listed, reverse=True)[:count] if number]


def riddles(source: str) -> list[str]:
    """Return the names of test functions that use a pronoun or a verb of speech for a noun.

    >>> riddles("def test_who_leads(): ...\\ndef test_the_whole_pool(): ...")
    ['test_who_leads']
    """
    names = (node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    return [name for name in names if name.startswith("test_") and RIDDLE.search(name)]
