"""The shape of the library: few rooms, no crumbs, one name for one thing, no circles."""

from __future__ import annotations

import ast
import fnmatch
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from tests.project.tree import PACKAGE, imports, library, module_name

MOST_ENTRIES = 16
FEWEST_LINES = 40

# Modules that may be short: one file for each implementation of an interface.
SEAMS = (
    "lvsdr.pool.sources.*",
    "lvsdr.pool.checks.*",
    "lvsdr.leader.attribute",
    "lvsdr.leader.consul",
    "lvsdr.leader.etcd",
    "lvsdr.leader.patroni",
)
REPEATED_NAMES = {"parameters", "settings", "__init__"}


def imported_modules(
    name: str, is_package: bool, source: str, modules: Iterable[str]
) -> Iterator[str]:
    """Yield the modules of the package that a module imports, at any place in it.

    >>> source = "def f():\\n from . import b"
    >>> list(imported_modules("lvsdr.a", False, source, {"lvsdr.a", "lvsdr.b"}))
    ['lvsdr.b']
    """
    known = set(modules)
    for found in imports(name, is_package, ast.parse(source)):
        target = found.full if found.full in known else found.origin
        if target in known and target != name:
            yield target


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return the modules of an import circle, or an empty list."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def graph() -> dict[str, set[str]]:
    """Return the imports of each module of the library."""
    paths = {module_name(path): path for path in library()}
    result = {}
    for name, path in paths.items():
        is_package = path.name == "__init__.py"
        result[name] = set(imported_modules(name, is_package, path.read_text(), paths))
    return result


def test_the_top_level_is_short() -> None:
    entries = [path.name for path in PACKAGE.iterdir() if not path.name.startswith("__pycache")]
    assert len(entries) <= MOST_ENTRIES, sorted(entries)


def test_only_seams_are_short_modules() -> None:
    short = [
        module_name(path)
        for path in library()
        if path.name != "__init__.py" and len(path.read_text().splitlines()) < FEWEST_LINES
    ]
    assert [name for name in short if not any(fnmatch.fnmatch(name, it) for it in SEAMS)] == []


def test_a_seam_exists() -> None:
    names = [module_name(path) for path in library()]
    assert [seam for seam in SEAMS if not fnmatch.filter(names, seam)] == []


def test_a_class_has_its_own_name() -> None:
    places: dict[str, list[str]] = {}
    for path in library():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(module_name(path))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_a_module_name_is_used_twice_at_most() -> None:
    count = Counter(path.stem for path in library())
    often = {name for name, number in count.items() if number > 2}
    assert often - REPEATED_NAMES == set()


def test_no_imports_form_a_circle() -> None:
    assert circle(graph()) == []


def test_a_circle_is_found() -> None:
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
