"""Imports point downwards only, and modules with effects are imported in one room."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import library, module_name

BASE = {"errors", "deadline", "typed", "hosts", "durations", "patterns"}
PURE = BASE | {"model"}
WORLD = PURE | {"cib", "cluster", "crm_mon", "system"}
DECIDING = {
    "ipvs",
    "director",
    "entries",
    "on_empty",
    "report",
    "location",
    "interfaces",
    "packets",
    "prefixes",
}
BELOW_AGENTS = WORLD | DECIDING | {"ocf", "sources", "checks", "leader", "gate", "address"}

# Room -> the rooms from which it may import modules; its own are always allowed.
MAY_IMPORT = {
    "": set[str](),
    "errors": set[str](),
    "typed": set[str](),
    "hosts": set[str](),
    "document": {"typed"},
    "durations": set[str](),
    "patterns": set[str](),
    "cib": BASE | {"document"},
    "deadline": {"errors"},
    "model": BASE,
    "ipvs": PURE,
    "cluster": PURE,
    "crm_mon": PURE | {"cluster", "crm_mon_nodes", "document"},
    "crm_mon_nodes": PURE | {"cluster", "document"},
    "report": PURE | {"ipvs"},
    "on_empty": PURE | {"ipvs", "report"},
    "entries": PURE | {"ipvs", "report"},
    "director": PURE | {"entries", "ipvs", "on_empty", "report"},
    "location": PURE | {"cluster"},
    "interfaces": BASE,
    "prefixes": BASE,
    "gate": {"typed"},
    "packets": {"typed"},
    "postgres": PURE,
    "system": PURE | {"ipvs", "interfaces", "packets", "postgres"},
    "ocf": BASE | {"system"},
    "sources": WORLD,
    "checks": WORLD,
    "leader": WORLD | {"document", "gate"},
    "address": WORLD | {"interfaces", "packets"},
    "agents": BELOW_AGENTS | {"__version__"},
    "vipmanager": BELOW_AGENTS | {"__version__"},
    "cli": BELOW_AGENTS | {"agents", "postgres", "vipmanager", "__version__"},
}

# Module from elsewhere -> the only room that may import it.
RESERVED = {
    "click": "cli",
    "rich": "cli",
    "fcntl": "system",
    "psycopg": "system",
    "pyroute2": "system",
    "select": "system",
    "selectors": "system",
    "socket": "system",
    "subprocess": "system",
    "urllib3": "system",
    "yaml": "vipmanager",
}


def room(module: str) -> str:
    """Return the room of a module: the name after ``lvsdr``, empty for the package itself."""
    return (module + ".").split(".")[1]


def imported(module: str, is_package: bool, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and absolute name of all imports of a module, at any place in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")
            base = base[: len(base) + is_package - node.level] if node.level else []
            origin = ".".join([*base, *filter(None, [node.module])])
            # "from lvsdr import cluster" names the room only after the import.
            names = [f"{origin}.{alias.name}" for alias in node.names]
            yield from ((node.lineno, name) for name in (names if origin == "lvsdr" else [origin]))


def violations(module: str, source: str, is_package: bool = False) -> list[str]:
    """Return one sentence for each import of ``source`` that the tables above forbid."""
    here = room(module)
    if here not in MAY_IMPORT:
        return [f"{module}: the room {here} has no row in MAY_IMPORT"]
    found = []
    for line, name in imported(module, is_package, ast.parse(source)):
        top = name.split(".")[0]
        if top == "lvsdr" and room(name) not in MAY_IMPORT[here] | {here}:
            found.append(f"{module}:{line} imports {name}, which is not below {here or 'lvsdr'}")
        elif RESERVED.get(top, here) != here:
            found.append(f"{module}:{line} imports {name}, which only {RESERVED[top]} may")
    return found


@pytest.mark.parametrize("path", library(), ids=module_name)
def test_imports_point_downwards(path: Path) -> None:
    found = violations(module_name(path), path.read_text(), path.name == "__init__.py")
    assert not found, "\n".join(found)


def test_the_library_is_found() -> None:
    assert {"lvsdr", "lvsdr.errors", "lvsdr.deadline"} <= {module_name(path) for path in library()}


def test_no_two_rooms_are_above_each_other() -> None:
    pairs = [
        (one, two)
        for one, below in MAY_IMPORT.items()
        for two in below
        if one in MAY_IMPORT.get(two, set())
    ]
    assert not pairs


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("lvsdr.model", "import lvsdr.cluster"),
        ("lvsdr.model", "from lvsdr import cluster"),
        ("lvsdr.model", "from lvsdr.crm_mon import parse"),
        ("lvsdr.model", "from .crm_mon import parse"),
        ("lvsdr.model", "from . import director"),
        ("lvsdr.ipvs.plan", "from ..system.ipvs import apply"),
        ("lvsdr.ipvs.plan", "from .. import cluster"),
        ("lvsdr.ocf.agent", "from ..model import Service"),
        ("lvsdr.director", "def f():\n    from .system import crm"),
        ("lvsdr.director", "if TYPE_CHECKING:\n    from .agents.lvsdr import Agent"),
        ("lvsdr.director", "try:\n    import subprocess\nexcept ImportError:\n    pass"),
        ("lvsdr.sources.script", "import socket"),
        ("lvsdr.sources.script", "from ..checks import script"),
        ("lvsdr.system.run", "import click"),
        ("lvsdr.agents.lvsdr", "import click"),
        ("lvsdr.agents.lvsdr", "from psycopg import pq"),
        ("lvsdr.cli.get_active_slaves", "import psycopg"),
        ("lvsdr.postgres.primary", "def f():\n    import psycopg"),
        ("lvsdr.postgres.primary", "from ..system import postgres"),
        ("lvsdr.agents.lvsdr", "from rich.table import Table"),
        ("lvsdr.agents.lvsdr", "from ..cli import lvsctl"),
        ("lvsdr.nowhere", ""),
    ],
)
def test_an_upward_import_is_found(module: str, source: str) -> None:
    assert len(violations(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "is_package", "source"),
    [
        ("lvsdr.model", False, "from .errors import LvsdrError"),
        ("lvsdr.ipvs.plan", False, "from . import table\nfrom .table import Table"),
        ("lvsdr.ipvs", True, "from . import table\nfrom ..model import Service"),
        ("lvsdr.system.ipvs", False, "import subprocess, socket\nfrom ..ipvs.table import Table"),
        ("lvsdr.agents.lvsdr", False, "from lvsdr import director\nimport re"),
        ("lvsdr.cli.lvsctl", False, "import click\nfrom ..agents import lvsdr"),
        ("lvsdr.system.postgres", False, "import psycopg\nfrom ..postgres import connection"),
        ("lvsdr.model", False, "import lvsdrtools.cluster"),
    ],
)
def test_a_downward_import_is_not(module: str, is_package: bool, source: str) -> None:
    assert violations(module, source, is_package) == []
