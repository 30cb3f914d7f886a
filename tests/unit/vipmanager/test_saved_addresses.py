"""The state that one daemon leaves to the next."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from lvsdr.errors import LvsdrError
from lvsdr.system.small_files import read_boot_id
from lvsdr.vipmanager.saved_addresses import SavedConfirmation, lock_address

from tests.project.tree import LIB

ADDRESS = "fd77::20"


@pytest.fixture
def directory(tmp_path: Path) -> str:
    return str(tmp_path)


def test_a_saved_time_is_read_until_it_is_deleted(directory: str) -> None:
    SavedConfirmation(directory, ADDRESS).store(12.5)
    assert SavedConfirmation(directory, ADDRESS).read(100.0) == 12.5
    assert SavedConfirmation(directory, "10.9.0.20").read(100.0) is None
    SavedConfirmation(directory, ADDRESS).delete()
    assert SavedConfirmation(directory, ADDRESS).read(100.0) is None
    SavedConfirmation(directory, ADDRESS).delete()


def test_a_time_in_the_future_is_ignored(directory: str) -> None:
    SavedConfirmation(directory, ADDRESS).store(200.0)
    assert SavedConfirmation(directory, ADDRESS).read(100.0) is None


def test_a_missing_confirmation_is_saved_too(directory: str) -> None:
    SavedConfirmation(directory, ADDRESS).store(None)
    assert SavedConfirmation(directory, ADDRESS).read(100.0) is None


@pytest.mark.parametrize(
    ("stored", "confirmed"),
    [
        ('{{"boot": "{boot}", "confirmed": 12.5}}\n', 12.5),
        ('{{"boot": "{boot}", "confirmed": 12}}\n', 12.0),
        ('{{"boot": "{boot}", "confirmed": null}}\n', None),
        ('{{"boot": "{boot}", "confirmed": 200.0}}\n', None),
        ('{{"boot": "{boot}", "confirmed": "x"}}\n', None),
        ('{{"boot": "other", "confirmed": 5.0}}\n', None),
        *((text, None) for text in ("", "{{", "[]")),
    ],
)
def test_the_format_of_earlier_versions_is_read(
    stored: str, confirmed: float | None, directory: str
) -> None:
    former = Path(directory) / f"{ADDRESS}.json"
    former.write_text(stored.format(boot=read_boot_id()))
    assert SavedConfirmation(directory, ADDRESS).read(100.0) == confirmed
    SavedConfirmation(directory, ADDRESS).store(None)
    assert SavedConfirmation(directory, ADDRESS).read(100.0) is None
    SavedConfirmation(directory, ADDRESS).delete()
    assert os.listdir(directory) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "confirmed of boot other\nconfirmed 5.0\n",
        "confirmed of boot {boot}\nconfirmed x\n",
        "confirmed of boot {boot}\nconfirmed 5",
    ],
)
def test_an_invalid_file_or_one_of_another_boot_is_ignored(text: str, directory: str) -> None:
    path = Path(directory) / f"{ADDRESS}.confirmed"
    path.write_text(text.format(boot=read_boot_id()))
    assert SavedConfirmation(directory, ADDRESS).read(100.0) is None


def test_an_address_has_one_lock(directory: str) -> None:
    descriptor = lock_address(directory, ADDRESS)
    with pytest.raises(LvsdrError) as raised:
        lock_address(directory, ADDRESS)
    assert str(raised.value) == f"{ADDRESS} is managed by another vip-manager on this host already"
    os.close(lock_address(directory, "10.9.0.20"))
    os.close(descriptor)
    os.close(lock_address(directory, ADDRESS))


def test_a_lock_in_an_impossible_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LvsdrError) as raised:
        lock_address(str(tmp_path / "file"), ADDRESS)
    assert str(raised.value).startswith("cannot lock")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a mount namespace")
def test_the_error_of_a_full_disk_names_the_file(directory: str) -> None:
    """A message about a full disk names the file, because the system's error names none."""
    code = (
        "import subprocess, sys\n"
        f"sys.path.insert(0, {str(LIB)!r})\n"
        "from lvsdr.vipmanager.saved_addresses import SavedConfirmation\n"
        f"directory = {directory!r}\n"
        "mount = ['mount', '-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', directory]\n"
        "subprocess.run(mount, check=True)\n"
        "open(directory + '/full', 'w').write('x' * 4096)\n"
        f"SavedConfirmation(directory, {ADDRESS!r}).store(1.0)\n"
    )
    done = subprocess.run(
        ["unshare", "--mount", "/usr/bin/python3", "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    problem = f"cannot write {directory}/{ADDRESS}.confirmed: No space left on device\n"
    assert done.stderr.endswith(problem), done.stderr
