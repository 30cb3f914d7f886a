"""Imports point downwards only, and modules with effects are imported in one room."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.project.tree import imports, library, module_name

BASE = {"errors", "dependencies", "values"}
PURE = BASE | {"pacemaker", "ipvs", "address", "postgres", "pool"}
BELOW_AGENTS = PURE | {"system", "ocf", "pool.sources", "pool.checks", "leader", "leader.gate"}

# Room -> the rooms from which it may import modules; its own are always allowed.  A room within a
# room has a row of its own if it is on another level.
MAY_IMPORT = {
    "": set[str](),
    "errors": set[str](),
    "dependencies": {"errors"},
    "values": {"errors"},
    "pacemaker": BASE,
    "ipvs": BASE,
    "address": BASE,
    "postgres": BASE,
    "pool": BASE | {"pacemaker", "ipvs"},
    "leader.gate": BASE,
    "system": PURE,
    "ocf": BASE | {"system"},
    "pool.sources": PURE | {"system"},
    "pool.checks": PURE | {"system"},
    "leader": PURE | {"system", "leader.gate"},
    "watcher": BASE | {"ipvs", "system", "ocf", "__version__"},
    "agents": BELOW_AGENTS | {"watcher", "__version__"},
    "vipmanager": BELOW_AGENTS | {"__version__"},
    "cli": BELOW_AGENTS | {"agents", "vipmanager", "__version__"},
}

# Module from elsewhere -> the rooms that may import it.
RESERVED = {
    "click": ("cli",),
    "rich": ("cli",),
    "fcntl": ("system",),
    "lxml": ("pacemaker",),
    "psycopg": ("system",),
    "pyroute2": ("system",),
    "select": ("system", "watcher"),
    "selectors": ("system",),
    "socket": ("system",),
    "subprocess": ("system",),
    "urllib3": ("system",),
    "yaml": ("vipmanager",),
}


def room(module: str) -> str:
    """Return the room of a module: its longest prefix with a row, else the name after ``lvsdr``.

    >>> room("lvsdr.pool.sources.script"), room("lvsdr.pool.model"), room("lvsdr")
    ('pool.sources', 'pool', '')
    """
    parts = module.split(".")[1:]
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in MAY_IMPORT), "".join(parts[:1]))


def violations(module: str, source: str, is_package: bool = False) -> list[str]:
    """Return one sentence for each import of ``source`` that the tables above forbid."""
    here = room(module)
    if here not in MAY_IMPORT:
        return [f"{module}: the room {here} has no row in MAY_IMPORT"]
    found = []
    for line, origin, imported in imports(module, is_package, ast.parse(source)):
        # "from lvsdr.pool import sources" names the room only after the import.
        full = f"{origin}.{imported}"
        name = full if imported and (origin == "lvsdr" or room(full) != room(origin)) else origin
        top = name.split(".")[0]
        if top == "lvsdr" and room(name) not in MAY_IMPORT[here] | {here}:
            found.append(f"{module}:{line} imports {name}, which is not below {here or 'lvsdr'}")
        elif here not in RESERVED.get(top, (here,)):
            found.append(f"{module}:{line} imports {name}, which only {RESERVED[top]} may")
    return found


@pytest.mark.parametrize("path", library(), ids=module_name)
def test_imports_point_downwards(path: Path) -> None:
    found = violations(module_name(path), path.read_text(), path.name == "__init__.py")
    assert not found, "\n".join(found)


def test_the_library_is_found() -> None:
    assert {"lvsdr", "lvsdr.errors", "lvsdr.values.deadline"} <= {
        module_name(path) for path in library()
    }


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
        ("lvsdr.pool.model", "import lvsdr.system.crm"),
        ("lvsdr.pool.model", "from lvsdr import agents"),
        ("lvsdr.pool.model", "from lvsdr.system.crm import snapshot"),
        ("lvsdr.pool.model", "from ..system import crm"),
        ("lvsdr.pool.model", "from . import sources"),
        ("lvsdr.ipvs.plan", "from ..system.ipvs import apply"),
        ("lvsdr.ipvs.plan", "from .. import pacemaker"),
        ("lvsdr.ocf.agent", "from ..pool.model import Service"),
        ("lvsdr.pool.director", "def f():\n    from ..system import crm"),
        ("lvsdr.pool.director", "if TYPE_CHECKING:\n    from ..agents.lvsdr import Agent"),
        ("lvsdr.pool.director", "try:\n    import subprocess\nexcept ImportError:\n    pass"),
        ("lvsdr.pool.sources.script", "import socket"),
        ("lvsdr.pool.sources.script", "from ..checks import script"),
        ("lvsdr.system.process.run", "import click"),
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
        ("lvsdr.pool.model", False, "from ..errors import LvsdrError"),
        ("lvsdr.ipvs.plan", False, "from . import table\nfrom .table import Table"),
        ("lvsdr.pool", True, "from . import model\nfrom ..ipvs.table import Service"),
        ("lvsdr.system.ipvs", False, "import subprocess, socket\nfrom ..ipvs.table import Table"),
        ("lvsdr.agents.lvsdr", False, "from lvsdr import pool\nimport re"),
        ("lvsdr.cli.lvsctl", False, "import click\nfrom ..agents import lvsdr"),
        ("lvsdr.system.postgres_query", False, "import psycopg\nfrom ..postgres import connection"),
        ("lvsdr.pool.model", False, "import lvsdrtools.cluster"),
    ],
)
def test_a_downward_import_is_not(module: str, is_package: bool, source: str) -> None:
    assert violations(module, source, is_package) == []
