"""The parts of the tests as data: their commands, and their share of the machine."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import BUILD

PROCESSORS = len(os.sched_getaffinity(0))

# Two processes for each processor, because some unit tests wait. More than eight only cost time:
# each process imports and collects everything.
WORKERS = min(8, 2 * PROCESSORS)


class Part(NamedTuple):
    """A part of the tests: a command, and the data for its schedule."""

    name: str
    command: tuple[str, ...]
    """Argument list, started in the root of the tree."""
    seconds: float
    """Rough duration on two processors. Longer parts start earlier."""
    share: float = 1.0
    """Average load of each processor that the part uses, from 0 to 1."""
    most: int = 1
    """Largest number of processors that the part uses."""
    first: bool = False
    """True if all other parts need it: they start after it has passed, or not at all."""
    reports: bool = True
    """True if it leaves reports in the format of JUnit in `directory`."""
    build: Path = BUILD
    """Directory in which each part has a directory."""

    @property
    def directory(self) -> Path:
        """Return the directory of the part's reports."""
        return self.build / self.name


# Each process of pytest rewrites all assertions if it must not keep the compiled ones.
_KEEP_COMPILED = ("env", "-u", "PYTHONDONTWRITEBYTECODE")


def _pytest(name: str, options: str, *more: str) -> tuple[str, ...]:
    report = f"--junitxml=build/{name}/junit.xml"
    command = (*_KEEP_COMPILED, ".venv/bin/python", "-m", "pytest", report)
    return (*command, *shlex.split(options), *more)


def _commands(name: str, *lines: str) -> tuple[str, ...]:
    return ("/usr/bin/python3", "-B", "-m", "tests.parts.commands", f"build/{name}", *lines)


_STUBS = "/usr/bin/python3 -B -m tests.parts.stubs"
_PARALLEL = f"-n {WORKERS} --dist worksteal"

LINT = Part(
    "lint",
    _commands(
        "lint",
        ".venv/bin/ruff check --output-format concise",
        ".venv/bin/ruff format --check",
    ),
    seconds=1,
    share=0,
)
TYPES = Part("types", _commands("types", ".venv/bin/mypy", _STUBS), seconds=8)
UNIT = Part("unit", _pytest("unit", _PARALLEL), seconds=60, share=0.5, most=2)
QUICK = UNIT._replace(command=_pytest("unit", _PARALLEL, "-m", "not slow"), seconds=20)
POSTGRES = Part(
    "postgres",
    ("tests/postgres/run", "--junitxml=build/postgres/junit.xml"),
    seconds=100,
    share=0.25,
)
EXAMPLES = Part(
    "examples",
    _pytest("examples", "-p no:cacheprovider tests/examples"),
    seconds=120,
    share=0.5,
)
LEADER = Part("leader", ("tests/leader/run",), seconds=400, share=0.25, most=2)
KERNELS = Part(
    "kernels",
    _pytest("kernels", "-p no:cacheprovider tests/kernels"),
    seconds=40,
    share=0.5,
)
# Its root is made by mmdebstrap first, once.
SYSTEMS = Part("systems", ("tests/systems/run",), seconds=300, share=0.5)
# Guests are often idle: the lab and the clusters, with two guests each, fill two processors.
LAB = Part("lab", ("tests/lab/run",), seconds=500, share=0.5, most=4)
CLUSTER = Part("cluster", ("tests/cluster/run",), seconds=1000, share=0.5, most=4)

SETUP = Part("setup", ("tests/setup",), seconds=1, first=True, reports=False)
SETUP_CHECK = SETUP._replace(command=("tests/setup", "check"))

SETS: Mapping[str, tuple[Part, ...]] = {
    "check": (SETUP_CHECK, LINT, TYPES, QUICK),
    "test": (SETUP, LINT, TYPES, UNIT, POSTGRES, EXAMPLES, LEADER, KERNELS, SYSTEMS, LAB, CLUSTER),
}
"""The parts of `make check` and `make test`."""


def by_name(parts: Iterable[Part]) -> dict[str, Part]:
    """Return the parts, each under its name."""
    return {part.name: part for part in parts}
