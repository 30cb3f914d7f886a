"""`make install` over files of other packages: `make uninstall` restores them."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path
from resource import RLIMIT_FSIZE, setrlimit

import pytest

from tests.project.installation import Place, Snapshot, failure, make, run, snapshot
from tests.support.paths import ROOT

pytestmark = pytest.mark.slow  # each test installs at least once


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "opt" / "x", tmp_path / "opt" / "ocf", "heartbeat")


def library(place: Place) -> Path:
    return place.prefix / "lib" / "lvsdr"


def kept(place: Place, path: Path) -> Path:
    """Return where the foreign file of this path is kept."""
    return library(place) / "replaced" / path.relative_to("/")


def foreign(path: Path, text: str = "#!/bin/sh\nexit 3\n", mode: int = 0o755) -> Path:
    """Write a file of another package."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def foreign_files(place: Place) -> list[Path]:
    """Write a foreign file in the place of one of our files of each kind."""
    link = place.prefix / "bin" / "get_active_slaves"
    files = [
        foreign(place.agents / "lvsdr"),
        foreign(place.prefix / "bin" / "vip-manager", mode=0o4755),
        foreign(place.prefix / "share" / "man" / "man1" / "vip-manager.1", ".TH other 1\n", 0o644),
        foreign(place.prefix / "share" / "doc" / "lvsdr" / "README.md", "other\n", 0o640),
    ]
    link.symlink_to("vip-manager")
    return [*files, link]


def links(directory: Path) -> dict[Path, Path]:
    return {path: path.readlink() for path in directory.rglob("*") if path.is_symlink()}


def everything(place: Place) -> tuple[Snapshot, dict[Path, Path]]:
    """Return the state of all files and links."""
    return snapshot(place.prefix.parent), links(place.prefix.parent)


def test_a_foreign_file_of_each_kind_is_kept_and_put_back(place: Place) -> None:
    files = foreign_files(place)
    before = everything(place)
    output = place.make("install").stdout
    for path in files:
        assert f"== replaced: {path}, now {kept(place, path)} (uninstall puts it back)" in output
        assert not path.is_symlink()
    assert kept(place, files[1]).stat().st_mode == before[0]["x/bin/vip-manager"][0]
    assert run(files[0], "meta-data").returncode == 0
    assert "replaced" not in place.make("install").stdout
    output = place.make("uninstall").stdout
    assert [path for path in files if f"== put back: {path}" not in output] == []
    assert everything(place) == before
    assert not library(place).exists()


def test_foreign_files_below_destdir_are_kept_there(tmp_path: Path) -> None:
    tool = foreign(tmp_path / "usr" / "bin" / "vip-manager")
    before = snapshot(tmp_path)
    make("install", DESTDIR=tmp_path)
    assert (tmp_path / "usr/lib/lvsdr/replaced/usr/bin/vip-manager").exists()
    assert b"/replaced/" not in (tmp_path / "usr/lib/lvsdr/installed").read_bytes()
    make("uninstall", DESTDIR=tmp_path)
    assert tool.exists()
    assert snapshot(tmp_path) == before


def test_a_unit_of_another_package_stays_and_starts_our_program(place: Place) -> None:
    tool = foreign(place.prefix / "bin" / "vip-manager")
    unit = place.prefix / "lib" / "systemd" / "system" / "vip-manager.service"
    foreign(unit, f"[Service]\nExecStart={tool} --config=/etc/vip-manager.yml\n", 0o644)
    before = everything(place)
    output = place.make("install").stdout
    assert f"== kept: {unit} of another package: it starts our {tool} now" in output
    assert unit.read_text().startswith("[Service]")
    place.make("uninstall")
    assert everything(place) == before


@pytest.mark.parametrize("name", ["resource.d/heartbeat/lvsdr", "x/bin/vip-manager"])
def test_a_package_that_took_its_place_back_keeps_it(place: Place, name: str) -> None:
    path = foreign(place.prefix.parent / name.replace("resource.d", "ocf/resource.d"))
    place.make("install")
    foreign(path, "#!/bin/sh\n# upgraded meanwhile\n")
    upgraded = everything(place)[0][str(path.relative_to(place.prefix.parent))]
    output = place.make("uninstall").stdout
    assert f"== kept: {path}, which another package has written since" in output
    assert everything(place) == ({str(path.relative_to(place.prefix.parent)): upgraded}, {})


def test_an_upgraded_package_is_replaced_again_and_its_new_file_is_put_back(place: Place) -> None:
    tool = foreign(place.prefix / "bin" / "vip-manager")
    place.make("install")
    foreign(tool, "#!/bin/sh\n# upgraded meanwhile\n")
    before = snapshot(tool.parent)["vip-manager"]
    assert f"== replaced: {tool}" in place.make("install").stdout
    place.make("uninstall")
    assert snapshot(tool.parent) == {"vip-manager": before}


def test_a_file_comes_back_even_if_ours_has_been_removed(place: Place) -> None:
    tool = foreign(place.prefix / "bin" / "vip-manager")
    before = everything(place)
    place.make("install")
    tool.unlink()
    place.make("uninstall")
    assert everything(place) == before


def test_shared_files_are_restored_with_the_last_provider(place: Place) -> None:
    files = foreign_files(place)
    before = everything(place)
    other = place._replace(provider="lvsdr")
    place.make("install")
    other.make("install")
    assert "which the agents of another provider use" in place.make("uninstall").stdout
    assert files[0].read_text().startswith("#!/bin/sh")
    assert run(other.agents / "lvsdr", "meta-data").returncode == 0
    assert kept(place, files[1]).exists()
    other.make("uninstall")
    assert everything(place) == before


def test_an_upgrade_removes_files_of_an_older_version(place: Place) -> None:
    tool = foreign(place.prefix / "bin" / "old-tool")
    place.make("install")
    digest = subprocess.run(["sha256sum", tool], capture_output=True, text=True, check=True).stdout
    with (library(place) / "installed").open("a") as record:
        record.write(digest)
    assert f"== removed: {tool}" in place.make("install").stdout
    assert not tool.exists()
    place.make("uninstall")
    assert snapshot(place.prefix.parent) == {}


def test_an_installation_without_a_record_is_ours_by_its_marks(place: Place) -> None:
    agent = foreign(place.agents / "lvsdr")
    before = everything(place)
    place.make("install")
    (library(place) / "installed").unlink()
    old = library(place) / "replaced" / "heartbeat" / "lvsdr"
    old.parent.mkdir()
    kept(place, agent).rename(old)  # the place in which versions without a record kept it
    assert "replaced" not in place.make("install").stdout
    (library(place) / "installed").unlink()
    place.make("uninstall")
    assert everything(place) == before


def test_an_edited_unit_and_an_edited_tool_are_still_ours(place: Place) -> None:
    place.make("install")
    tool = place.prefix / "bin" / "vip-manager"
    unit = place.prefix / "lib" / "systemd" / "system" / "vip-manager.service"
    for path in (tool, unit):
        path.write_text(path.read_text() + "# edited\n")
    place.make("uninstall")
    assert snapshot(place.prefix.parent) == {}


@pytest.mark.parametrize("largest", [100, 4096, 20000])
def test_a_full_disk_changes_nothing(place: Place, largest: int) -> None:
    """A limit on the size of files makes a write fail: early, within the library, or after it."""
    foreign_files(place)
    before = everything(place)
    arguments = [f"--prefix={place.prefix}", f"--ocf-root={place.ocf_root}"]
    script = [
        str(ROOT / "packaging" / "install"),
        "install",
        *arguments,
        f"--provider={place.provider}",
    ]
    completed = subprocess.run(
        script,
        preexec_fn=partial(setrlimit, RLIMIT_FSIZE, (largest, largest)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    (line,) = completed.stderr.splitlines()
    assert completed.returncode == 1
    assert line.startswith(f"install: {place.prefix.parent}")
    assert line.endswith("File too large (nothing has been changed)")
    assert everything(place) == before
    assert not library(place).exists()
    place.make("install")
    place.make("uninstall")
    assert everything(place) == before


@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_a_target_that_is_no_directory_gets_one_line(tmp_path: Path, verb: str) -> None:
    destdir = foreign(tmp_path / "file")
    if verb == "install":
        message = failure("install", DESTDIR=destdir)
        assert f"{destdir}/usr" in message
        assert "Not a directory (nothing has been changed)" in message
    else:
        make("uninstall", DESTDIR=tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == [destdir]


def test_a_directory_in_the_place_of_an_agent_gets_one_line(place: Place) -> None:
    (place.agents / "lvsdr" / "x").mkdir(parents=True)
    message = failure("install", PREFIX=place.prefix, OCF_ROOT=place.ocf_root, PROVIDER="heartbeat")
    assert f"{place.agents / 'lvsdr'}: is a directory, move it away" in message
    assert snapshot(place.prefix.parent) == {}
