"""Short constructors of values for tests about pools."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from lvsdr.pool.model import AttributeMatch, Candidate, PoolSpec, Script, WantedRole

SPEC = PoolSpec(
    weights={},
    default_weight=1,
    resources=(),
    role=WantedRole.ANY,
    attribute=None,
    list_script=None,
    check_script=None,
    address_attribute=None,
    fallback={},
)
"""The plain specification: all cluster nodes, each with weight 1."""


def attribute(name: str, pattern: str) -> AttributeMatch:
    """Return a required match of a node attribute."""
    return AttributeMatch(name, re.compile(pattern))


def program(directory: Path, code: str, *, name: str = "script", timeout: float = 10.0) -> Script:
    """Return a user's program, in Python, that runs ``code``."""
    path = directory / name
    path.write_text(f"#!{sys.executable} -IS\n{code}\n")
    path.chmod(0o755)
    return Script((str(path),), timeout)


def shell(code: str, *, timeout: float = 10.0) -> Script:
    """Return a user's program in the shell's language; its first argument is in ``$1``."""
    return Script(("/bin/sh", "-c", code, "sh"), timeout)


def told(candidates: Iterable[Candidate]) -> list[str]:
    """Return one line for each candidate: host, outcome, reason."""
    return [f"{c.host} {c.verdict.outcome.value}: {c.verdict.reason}" for c in candidates]
