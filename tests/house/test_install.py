"""`make install` and `make uninstall`, run for real into a directory of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree
from typing import NamedTuple

import pytest

from tests.house.tree import LIB, PACKAGE, ROOT, library, stubs

PYTHON = "/usr/bin/python3"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

pytestmark = pytest.mark.slow  # `make` runs once or more in almost every test

Snapshot = dict[str, tuple[int, int, bytes]]


def make(target: str, **variables: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a target as a user would, without what a make around these tests has exported."""
    settings = [f"{name}={value}" for name, value in variables.items()]
    return subprocess.run(
        ["make", "-C", str(ROOT), "--no-print-directory", target, *settings],
        env={"PATH": PATH, "LC_ALL": "C"},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )


def snapshot(directory: Path) -> Snapshot:
    """Mode, time of change and content of every file below ``directory``."""
    return {
        str(path.relative_to(directory)): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            path.read_bytes(),
        )
        for path in directory.rglob("*")
        if path.is_file()
    }


class Place(NamedTuple):
    """An installation outside the system's directories, in which agents can run."""

    prefix: Path
    ocf_root: Path
    provider: str

    @property
    def agents(self) -> Path:
        return self.ocf_root / "resource.d" / self.provider

    def make(self, target: str, **more: str | Path) -> subprocess.CompletedProcess[str]:
        prefix, ocf_root, provider = self
        return make(target, PREFIX=prefix, OCF_ROOT=ocf_root, PROVIDER=provider, **more)


PROVIDERS = ["lvsdr", "heartbeat"]


@pytest.fixture(params=PROVIDERS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(tmp_path / "opt" / "x", tmp_path / "opt" / "ocf", request.param)


@pytest.fixture(scope="module", params=PROVIDERS)
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return one installation for all tests that only read it."""
    root = tmp_path_factory.mktemp("installed")
    place = Place(root / "opt" / "x", root / "opt" / "ocf", request.param)
    place.make("install")
    return place


def run(agent: Path, action: str) -> subprocess.CompletedProcess[str]:
    """Run an installed agent with nothing in its environment."""
    argv = ["/usr/bin/env", "-i", str(agent), action]
    return subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)


def neighbours(place: Place) -> Snapshot:
    """Put other people's files where ours will go; returns what uninstall has to leave."""
    tools, library_parent = place.prefix / "bin", place.prefix / "lib"
    for path in (place.agents / "IPaddr2", tools / "pg_ctl", library_parent / "libfoo.so"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\nexit 3\n")
    original = place.agents / "lvsdr"
    original.write_text("#!/bin/sh\n# the original\n")
    original.chmod(0o755)
    return snapshot(place.prefix.parent)


def test_an_installed_agent_runs_and_writes_nothing(installed: Place) -> None:
    before = snapshot(installed.prefix.parent)
    for stub in stubs("ocf"):
        answer = run(installed.agents / stub.name, "meta-data")
        assert (answer.returncode, answer.stderr) == (0, "")
        assert answer.stdout.startswith("<?xml")
    assert snapshot(installed.prefix.parent) == before


def test_a_package_made_with_destdir_runs_where_it_is_unpacked(
    place: Place, tmp_path: Path
) -> None:
    stage, root = tmp_path / "stage", tmp_path / "opt"
    place.make("install", DESTDIR=stage)
    assert not root.exists()
    copytree(Path(f"{stage}{root}"), root)
    for path in root.rglob("*.py"):  # what a package manager or a container's layer may do
        os.utime(path, (0, 0))
    before = snapshot(root)
    assert run(place.agents / "lvsdr", "meta-data").returncode == 0
    assert snapshot(root) == before


def test_no_file_remembers_destdir_or_the_checkout(tmp_path: Path) -> None:
    make("install", DESTDIR=tmp_path)
    found = snapshot(tmp_path)
    for content in (content for _, _, content in found.values()):
        assert str(tmp_path).encode() not in content
        assert str(LIB).encode() not in content
    agents = {name for name in found if name.startswith("usr/lib/ocf/resource.d/lvsdr/")}
    assert {Path(name).name for name in agents} == {path.name for path in stubs("ocf")}


def test_the_library_is_complete_compiled_and_readable(installed: Place) -> None:
    copy = installed.prefix / "lib" / "lvsdr"
    assert {path.relative_to(copy / "lvsdr") for path in copy.rglob("*.py")} == {
        path.relative_to(PACKAGE) for path in library()
    }
    assert len(list(copy.rglob("*.pyc"))) == len(library())
    assert {path.stat().st_mode & 0o777 for path in copy.rglob("*.py*")} == {0o644}
    assert {path.name for path in copy.iterdir()} == {"lvsdr"}


def test_uninstall_leaves_what_was_there(place: Place) -> None:
    before = neighbours(place)
    place.make("install")
    assert snapshot(place.prefix.parent) != before
    place.make("install")
    place.make("uninstall")
    assert snapshot(place.prefix.parent) == before
    assert not (place.prefix / "lib" / "lvsdr").exists()
    place.make("uninstall")
    assert snapshot(place.prefix.parent) == before


def test_the_unit_starts_the_tool_that_was_installed(installed: Place) -> None:
    unit = installed.prefix / "lib" / "systemd" / "system" / "vip-manager.service"
    (start,) = [line for line in unit.read_text().splitlines() if line.startswith("ExecStart=")]
    tool = Path(start.partition("=")[2])
    assert tool == installed.prefix / "bin" / "vip-manager"
    assert os.access(tool, os.X_OK)
    assert unit.stat().st_mode & 0o777 == 0o644


def test_a_unit_of_another_package_stays(place: Place) -> None:
    unit = place.prefix / "lib" / "systemd" / "system" / "vip-manager.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=/usr/bin/true\n")
    before = snapshot(unit.parent)
    place.make("install")
    place.make("uninstall")
    assert snapshot(unit.parent) == before


def test_uninstall_removes_its_empty_directories(place: Place) -> None:
    place.make("install")
    other_python = (
        place.prefix / "lib" / "lvsdr" / "lvsdr" / "__pycache__" / "errors.cpython-399.pyc"
    )
    other_python.write_bytes(b"")
    place.make("uninstall")
    assert not place.agents.exists()
    assert snapshot(place.prefix.parent) == {}


def test_an_upgrade_leaves_no_module_of_the_old_version(place: Place) -> None:
    place.make("install")
    stale = place.prefix / "lib" / "lvsdr" / "lvsdr" / "removed_since.py"
    stale.write_text("")
    place.make("install")
    assert not stale.exists()


def test_an_agent_that_another_package_put_back_is_not_removed(place: Place) -> None:
    place.make("install")
    agent = place.agents / "lvsdr"
    agent.write_text("#!/bin/sh\n# upgraded meanwhile\n")
    place.make("uninstall")
    assert agent.read_text().endswith("# upgraded meanwhile\n")
    assert not (place.prefix / "lib" / "lvsdr").exists()


def test_two_providers_share_the_library(tmp_path: Path) -> None:
    ours, theirs = (
        Place(tmp_path / "x", tmp_path / "ocf", name) for name in ("lvsdr", "heartbeat")
    )
    ours.make("install")
    theirs.make("install")
    ours.make("uninstall")
    assert not ours.agents.exists()
    assert run(theirs.agents / "lvsdr", "meta-data").returncode == 0
    theirs.make("uninstall")
    assert snapshot(tmp_path) == {}


def test_the_chosen_python_runs_the_agent(place: Place) -> None:
    place.make("install", PYTHON=sys.executable)
    assert (place.agents / "lvsdr").read_text().splitlines()[0] == f"#!{sys.executable} -IS"
    assert run(place.agents / "lvsdr", "meta-data").returncode == 0


@pytest.mark.parametrize("variables", [{"PREFIX": "/opt/a b"}, {"PYTHON": "/nonexistent/python3"}])
def test_what_cannot_work_is_refused_before_anything_is_written(
    variables: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        make("install", DESTDIR=tmp_path, **variables)
    assert snapshot(tmp_path) == {}


def test_a_checkout_runs_through_a_link_to_it(tmp_path: Path) -> None:
    agent = tmp_path / "lvsdr"
    agent.symlink_to(ROOT / "ocf" / "lvsdr")
    assert run(agent, "meta-data").returncode == 0
