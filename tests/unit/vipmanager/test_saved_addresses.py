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
def place(tmp_path: Path) -> str:
    return str(tmp_path)


def test_what_was_stored_is_known(place: str) -> None:
    saved_addresses.save_confirmation(place, ADDRESS, 12.5)
    assert saved_addresses.read_confirmation(place, ADDRESS, 100.0) == 12.5
    assert saved_addresses.read_confirmation(place, "10.9.0.20", 100.0) is None
    saved_addresses.delete_confirmation(place, ADDRESS)
    assert saved_addresses.read_confirmation(place, ADDRESS, 100.0) is None
    saved_addresses.delete_confirmation(place, ADDRESS)


def test_nothing_is_believed_of_the_future(place: str) -> None:
    saved_addresses.save_confirmation(place, ADDRESS, 200.0)
    assert saved_addresses.read_confirmation(place, ADDRESS, 100.0) is None


def test_the_store_may_never_have_named_this_node(place: str) -> None:
    saved_addresses.save_confirmation(place, ADDRESS, None)
    assert saved_addresses.read_confirmation(place, ADDRESS, 100.0) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"boot": "other", "confirmed": 5.0}'])
def test_what_makes_no_sense_or_is_of_another_boot_is_nothing(text: str, place: str) -> None:
    (Path(place) / f"{ADDRESS}.json").write_text(text)
    assert saved_addresses.read_confirmation(place, ADDRESS, 100.0) is None


def test_a_time_that_is_none(place: str) -> None:
    saved_addresses.save_confirmation(place, ADDRESS, 5.0)
    path = Path(place) / f"{ADDRESS}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "confirmed": "x"}))
    assert saved_addresses.read_confirmation(place, ADDRESS, 100.0) is None


def test_an_address_has_one_daemon(place: str) -> None:
    descriptor = saved_addresses.lock_address(place, ADDRESS)
    with pytest.raises(LvsdrError) as raised:
        saved_addresses.lock_address(place, ADDRESS)
    assert str(raised.value) == f"{ADDRESS} is managed by another vip-manager on this host already"
    os.close(saved_addresses.lock_address(place, "10.9.0.20"))
    os.close(descriptor)
    os.close(saved_addresses.lock_address(place, ADDRESS))


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LvsdrError) as raised:
        saved_addresses.lock_address(str(tmp_path / "file"), ADDRESS)
    assert str(raised.value).startswith("cannot lock")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a mount namespace")
def test_a_file_for_which_there_is_no_room_is_named(place: str) -> None:
    """A message about a full disk names the file, because the system's error names none."""
    code = (
        "import subprocess, sys\n"
        f"sys.path.insert(0, {str(LIB)!r})\n"
        "from lvsdr.vipmanager import saved_addresses\n"
        f"place = {place!r}\n"
        "subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', place], check=True)\n"
        "open(place + '/full', 'w').write('x' * 4096)\n"
        f"saved_addresses.save_confirmation(place, {ADDRESS!r}, 1.0)\n"
    )
    done = subprocess.run(
        ["unshare", "--mount", "/usr/bin/python3", "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    problem = f"cannot write {place}/{ADDRESS}.json: No space left on device\n"
    assert done.stderr.endswith(problem), done.stderr
