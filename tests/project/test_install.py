"""`make install` and `make uninstall`, really run into a directory of the test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest

from tests.project.installation import Place, Snapshot, failure, make, run, snapshot
from tests.project.tree import LIB, PACKAGE, library, stubs
from tests.support.paths import ROOT

pytestmark = pytest.mark.slow  # `make` runs once or more in almost every test


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


def neighbours(place: Place) -> Snapshot:
    """Write foreign files beside ours. Return the files that uninstall must leave."""
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
    for path in root.rglob("*.py"):  # as a package manager or a container's layer may do
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
    assert {path.name for path in copy.iterdir()} == {"lvsdr", "installed"}


def test_uninstall_keeps_earlier_files(place: Place) -> None:
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


@pytest.mark.parametrize(
    ("variable", "value", "because"),
    [
        ("PREFIX", "/opt/a b", "must be an absolute path of letters"),
        ("PREFIX", "/opt/it's", "must be an absolute path of letters"),
        ("PREFIX", "opt", "must be an absolute path"),
        ("PREFIX", "", "must be an absolute path"),
        ("PREFIX", "/opt/../usr", "must not contain . or .."),
        ("OCF_ROOT", "/usr/lib/ocf/..", "must not contain . or .."),
        ("PROVIDER", "../heartbeat", "must be a name"),
        ("PROVIDER", "a b", "must be a name"),
        ("PYTHON", "/nonexistent/python3", "does not exist"),
        ("PYTHON", "/nonexistent/a b", "does not exist"),
        ("PYTHON", "/bin/false", "is no Python of version 3.9"),
    ],
)
@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_bad_input_gets_one_line_and_changes_nothing(
    verb: str, variable: str, value: str, because: str, tmp_path: Path
) -> None:
    message = failure(verb, DESTDIR=tmp_path, **{variable: value})
    assert f"{variable}={value}" in message
    assert because in message
    assert list(tmp_path.iterdir()) == []


def test_a_package_directory_may_have_blanks_and_a_prefix_may_be_the_root(tmp_path: Path) -> None:
    stage = tmp_path / "a b" / ".." / "c d"
    make("install", DESTDIR=stage, PREFIX="/")
    assert os.access(tmp_path / "c d" / "bin" / "vip-manager", os.X_OK)
    make("uninstall", DESTDIR=stage, PREFIX="/")
    assert snapshot(tmp_path) == {}


def test_the_record_passes_sha256sum(place: Place) -> None:
    place.make("install")
    record = place.prefix / "lib" / "lvsdr" / "installed"
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", record], check=True)
    listed = {line.split()[1] for line in record.read_text().splitlines()}
    found = {str(path) for path in place.prefix.parent.rglob("*") if path.is_file()}
    private = {name for name in found if name.startswith(str(record.parent))}
    assert listed == found - private


def test_the_documentation_is_installed_whole(place: Place) -> None:
    place.make("install")
    documentation = place.prefix / "share" / "doc" / "lvsdr"
    assert {path.name for path in documentation.iterdir()} == {
        *("README.md", "CHANGELOG.md", "LICENSE", "docs", "examples")
    }
    for page in documentation.rglob("*.md"):
        links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        assert [link for link in links if not (page.parent / link).exists()] == []
    assert os.access(documentation / "examples" / "1-attribute.sh", os.X_OK)
    note = documentation / "docs" / "note-of-the-administrator"
    note.write_text("")
    place.make("uninstall")
    assert [path for path in documentation.rglob("*") if path.is_file()] == [note]


def test_a_checkout_runs_through_a_link_to_it(tmp_path: Path) -> None:
    agent = tmp_path / "lvsdr"
    agent.symlink_to(ROOT / "ocf" / "lvsdr")
    assert run(agent, "meta-data").returncode == 0
