"""The measures of the code, and its vocabulary."""

from __future__ import annotations

import ast
import fnmatch
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Union

import pytest

from tests.project.tree import library, module_name, project_files
from tests.support.paths import ROOT

MAX_MODULE = 250
MAX_FUNCTION = 60
P90_FUNCTION = 30

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]

FORBIDDEN = re.compile(r"backend|master|slave", re.IGNORECASE)

# Inherited names: tools and parameters of the original shell agents, their users' resources,
# PostgreSQL's process and its functions, settings of pgpool-II, the key of a packaging file.
INHERITED = re.compile(
    r"get_active_slaves|check_active_slave|vip-(master|slave)|postmaster|build-backend"
    r"|\bbackend_start\b|\bpg_terminate_backend\b"
    r"|backend_(clustering_mode|hostname|port|weight)(\d|\b|{number})"  # of pgpool-II
    r"|\bcrm_master\b|--name=master-"  # of Pacemaker 2.0
    r"|\"tokens\": {\"master\""  # of Consul 1.8
    r"|nomaster|\bmaster\"?,? [\"{]?(bridge|bond)"  # of ip-link(8)
)

# Files that read or record the old role names of Pacemaker, or quote users' names.
QUOTING = (
    "lib/lvsdr/pacemaker/crm_mon.py",
    "tests/unit/pacemaker/test_crm_mon.py",
    "tests/unit/test_systems.py",
    "tests/systems/recording.py",
    "tests/*/data/*",
    "tests/*.xml",
    "tests/project/test_style.py",
    "examples/*",
)


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield every function and method of a module."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def length(function: Function) -> int:
    """Return the number of lines from ``def`` to the last, docstring included."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def unannotated(function: Function) -> list[str]:
    """Return the parts of a signature without a type: names of arguments, ``return``.

    >>> def measure(source: str) -> list[str]:
    ...     return unannotated(next(functions(ast.parse(source))))
    >>> measure("def f(self, a, *b: int, c: int, **d): pass")
    ['a', 'd', 'return']
    >>> measure("async def f(cls, a: str) -> None: pass")
    []
    """
    spec = function.args
    named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg]
    bare = [arg.arg for arg in named if arg and arg.annotation is None]
    missing = [name for name in bare if name not in {"self", "cls"}]
    return missing if function.returns else [*missing, "return"]


def all_functions() -> list[tuple[str, Function]]:
    """Return every function of the library, with its qualified name."""
    return [
        (f"{module_name(path)}.{function.name}:{function.lineno}", function)
        for path in library()
        for function in functions(ast.parse(path.read_text()))
    ]


def forbidden_words(text: str) -> list[str]:
    """Return the lines of ``text`` that contain a forbidden word.

    >>> forbidden_words("one\\ntwo Slaves\\nrealserver_check_active_slave_script")
    ['2: two Slaves']
    """
    return [
        f"{number}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), 1)
        if FORBIDDEN.search(INHERITED.sub("", line))
    ]


@pytest.mark.parametrize("path", library(), ids=module_name)
def test_a_module_is_short(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= MAX_MODULE


def test_functions_are_short() -> None:
    long = [
        f"{name} has {length(f)} lines" for name, f in all_functions() if length(f) > MAX_FUNCTION
    ]
    assert not long


def test_most_functions_are_shorter_still() -> None:
    lengths = sorted(length(function) for _, function in all_functions())
    assert lengths[len(lengths) * 9 // 10] <= P90_FUNCTION


def test_everything_is_annotated() -> None:
    found = {name: unannotated(function) for name, function in all_functions()}
    assert {name: missing for name, missing in found.items() if missing} == {}


def quotes(path: Path) -> bool:
    """Return whether the file may repeat forbidden words of others."""
    name = str(path.relative_to(ROOT))
    return any(fnmatch.fnmatch(name, pattern) for pattern in QUOTING)


def test_the_vocabulary_is_ours() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in project_files()
        if not quotes(path)
        for line in forbidden_words(path.read_text(errors="replace"))
    ]
    assert not found, "\n".join(found)
