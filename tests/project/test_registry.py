"""Tables, files, stubs, tests and man pages agree: no agent or tool can be half added."""

from __future__ import annotations

import importlib
import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.project.tree import PACKAGE, stubs
from tests.support.paths import ROOT

MAN = ROOT / "docs" / "man"
TESTS = ROOT / "tests" / "unit"


class Room(NamedTuple):
    """A package in which every module that defines ``entry`` has a line in ``table``."""

    name: str
    table: str
    entry: str


ROOMS = [
    Room("agents", "AGENTS", "__name__"),
    Room("pool.sources", "SOURCES", "list_candidates"),
    Room("pool.checks", "CHECKS", "check_candidates"),
    Room("cli", "TOOLS", "COMMAND"),
    Room("leader", "STORES", "open_store"),
]


def modules(room: Room) -> set[str]:
    """Return the modules of a room. Names with a leading underscore are private."""
    names = (PACKAGE / room.name.replace(".", "/")).glob("[!_]*")
    found = {path.stem for path in names if path.suffix == ".py" or (path / "__init__.py").exists()}
    return {f"lvsdr.{room.name}.{name}" for name in found}


def inhabitants(room: Room) -> set[str]:
    """Return the modules of a room that its table must contain."""
    return {name for name in modules(room) if hasattr(importlib.import_module(name), room.entry)}


def registered(room: Room) -> set[str]:
    """Return the modules that the table of a room refers to, by name or by their definitions."""
    table = getattr(importlib.import_module(f"lvsdr.{room.name}"), room.table)
    return {value if isinstance(value, str) else value.__module__ for value in table.values()}


def agents() -> set[str]:
    """Return the names of the agents."""
    return set(importlib.import_module("lvsdr.agents").AGENTS)


def tools() -> dict[str, str]:
    """Return the tools: name and module."""
    return dict(importlib.import_module("lvsdr.cli").TOOLS)


def is_tested(module: str) -> bool:
    """Return whether tests/unit has a test_<name>*.py for the module, not for its namesakes.

    A module that is a package has a folder of tests.
    """
    *rooms, name = module.split(".")[1:]
    room = rooms[-1]
    return any(TESTS.joinpath(*rooms, name).glob("test_*.py")) or any(
        path.parent.name == room or re.search(rf"\b{room}(\.{name}| import)\b", path.read_text())
        for path in TESTS.rglob(f"test_{name}*.py")
    )


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_table_and_files_agree(room: Room) -> None:
    assert registered(room) == inhabitants(room)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_each_module_has_its_tests(room: Room) -> None:
    assert [module for module in sorted(modules(room)) if not is_tested(module)] == []


def test_each_agent_has_its_stub() -> None:
    assert {path.name for path in stubs("ocf")} == agents()


def test_each_tool_has_its_stub() -> None:
    assert {path.name for path in stubs("tools")} == set(tools())


@pytest.mark.parametrize("stub", stubs("ocf") + stubs("tools"), ids=lambda path: path.name)
def test_a_stub_only_finds_the_library_and_runs_it(stub: Path) -> None:
    lines = stub.read_text().splitlines()
    assert os.access(stub, os.X_OK)
    assert lines[0] == "#!/usr/bin/python3 -IS"
    assert sum(line.startswith("sys.path.insert(0, ") for line in lines) == 1
    assert lines[-1] == f'main("{stub.name}")'
    assert len(lines) <= 15


@pytest.mark.skipif(not MAN.is_dir(), reason="there are no man pages yet")
def test_each_agent_has_its_man_page() -> None:
    pages = {path.name for path in MAN.glob("ocf_lvsdr_*.7")}
    assert pages == {f"ocf_lvsdr_{name}.7" for name in agents()}


def test_each_tool_has_its_man_page() -> None:
    assert {path.stem for path in MAN.glob("*.1")} == set(tools())


@pytest.mark.parametrize("name", tools())
def test_a_man_page_has_the_options_of_its_tool(name: str) -> None:
    command = importlib.import_module(tools()[name]).COMMAND
    options = {
        spelled
        for parameter in command.params
        for spelled in parameter.opts
        if spelled.startswith("-") and not parameter.hidden
    }
    page = (MAN / f"{name}.1").read_text().replace("\\-", "-")
    described = set(re.findall(r"--?[a-zA-Z][a-z-]*", "".join(re.findall(r"(?m)^\.BR? .*", page))))
    assert options <= described
