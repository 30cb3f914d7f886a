"""The state that one daemon leaves to the next."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from lvsdr.errors import LvsdrError
from lvsdr.vipmanager import saved_addresses

from tests.project.tree import LIB

ADDRESS = "fd77::20"


@pytest.fixture
def directory(tmp_path: Path) -> str:
    return str(tmp_path)


def test_a_saved_time_is_read_until_it_is_deleted(directory: str) -> None:
    saved_addresses.save_confirmation(directory, ADDRESS, 12.5)
    assert saved_addresses.read_confirmation(directory, ADDRESS, 100.0) == 12.5
    assert saved_addresses.read_confirmation(directory, "10.9.0.20", 100.0) is None
    saved_addresses.delete_confirmation(directory, ADDRESS)
    assert saved_addresses.read_confirmation(directory, ADDRESS, 100.0) is None
    saved_addresses.delete_confirmation(directory, ADDRESS)


def test_a_time_in_the_future_is_ignored(directory: str) -> None:
    saved_addresses.save_confirmation(directory, ADDRESS, 200.0)
    assert saved_addresses.read_confirmation(directory, ADDRESS, 100.0) is None


def test_a_missing_confirmation_is_saved_too(directory: str) -> None:
    saved_addresses.save_confirmation(directory, ADDRESS, None)
    assert saved_addresses.read_confirmation(directory, ADDRESS, 100.0) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"boot": "other", "confirmed": 5.0}'])
def test_an_invalid_file_or_one_of_another_boot_is_ignored(text: str, directory: str) -> None:
    (Path(directory) / f"{ADDRESS}.json").write_text(text)
    assert saved_addresses.read_confirmation(directory, ADDRESS, 100.0) is None


def test_a_time_that_is_not_a_number_is_ignored(directory: str) -> None:
    saved_addresses.save_confirmation(directory, ADDRESS, 5.0)
    path = Path(directory) / f"{ADDRESS}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "confirmed": "x"}))
    assert saved_addresses.read_confirmation(directory, ADDRESS, 100.0) is None


def test_an_address_has_one_lock(directory: str) -> None:
    descriptor = saved_addresses.lock_address(directory, ADDRESS)
    with pytest.raises(LvsdrError) as raised:
        saved_addresses.lock_address(directory, ADDRESS)
    assert str(raised.value) == f"{ADDRESS} is managed by another vip-manager on this host already"
    os.close(saved_addresses.lock_address(directory, "10.9.0.20"))
    os.close(descriptor)
    os.close(saved_addresses.lock_address(directory, ADDRESS))


def test_a_lock_in_an_impossible_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LvsdrError) as raised:
        saved_addresses.lock_address(str(tmp_path / "file"), ADDRESS)
    assert str(raised.value).startswith("cannot lock")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a mount namespace")
def test_the_error_of_a_full_disk_names_the_file(directory: str) -> None:
    """A message about a full disk names the file, because the system's error names none."""
    code = (
        "import subprocess, sys\n"
        f"sys.path.insert(0, {str(LIB)!r})\n"
        "from lvsdr.vipmanager import saved_addresses\n"
        f"directory = {directory!r}\n"
        "mount = ['mount', '-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', directory]\n"
        "subprocess.run(mount, check=True)\n"
        "open(directory + '/full', 'w').write('x' * 4096)\n"
        f"saved_addresses.save_confirmation(directory, {ADDRESS!r}, 1.0)\n"
    )
    done = subprocess.run(
        ["unshare", "--mount", "/usr/bin/python3", "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    problem = f"cannot write {directory}/{ADDRESS}.json: No space left on device\n"
    assert done.stderr.endswith(problem), done.stderr
