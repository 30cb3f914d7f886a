"""The installed ip(8), queried about this machine, and other programs in its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lvsdr.address.interfaces import ConnectedNetwork
from lvsdr.errors import LvsdrError, NotInstalled
from lvsdr.system.net import addresses
from lvsdr.values.deadline import Deadline


@pytest.fixture
def deadline() -> Deadline:
    return Deadline.after(20.0)


@pytest.fixture
def other_ip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a program that is found before the installed ip."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path / "ip"


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_the_loopback_interface(deadline: Deadline) -> None:
    (lo,) = addresses.read_interfaces(deadline, "lo")
    assert lo == next(one for one in addresses.read_interfaces(deadline) if one.name == "lo")
    assert (lo.name, lo.number, lo.loopback, lo.kind) == ("lo", 1, True, "loopback")


def test_an_interface_that_is_not_there(deadline: Deadline) -> None:
    assert addresses.read_interfaces(deadline, "nosuch0") == ()


def test_no_name_is_taken_for_an_option(deadline: Deadline) -> None:
    assert addresses.read_interfaces(deadline, "dev lo") == ()
    assert addresses.read_interfaces(deadline, "up") == ()


@pytest.mark.parametrize(("address", "family"), [("198.51.100.1", "-4"), ("fd77:77:77::1", "-6")])
def test_the_family_of_routes(
    address: str, family: str, other_ip: Path, deadline: Deadline, tmp_path: Path
) -> None:
    said = '[{"dst": "198.51.100.0/24", "dev": "eth0", "flags": []}]'
    program(other_ip, f"echo \"$@\" > {tmp_path}/asked; echo '{said}'")
    assert addresses.read_connected_networks(address, deadline) == (ConnectedNetwork("eth0", 24),)
    asked = (tmp_path / "asked").read_text()
    assert asked == f"{family} -json route show match {address}\n"


def test_all_lines_are_one_process(other_ip: Path, deadline: Deadline, tmp_path: Path) -> None:
    program(other_ip, f'echo "$@" >> {tmp_path}/asked; cat >> {tmp_path}/asked')
    addresses.execute_commands(["address add 10.9.0.20/24 dev eth0", "link set eth0 up"], deadline)
    assert (tmp_path / "asked").read_text() == (
        "-batch -\naddress add 10.9.0.20/24 dev eth0\nlink set eth0 up\n"
    )


def test_nothing_to_change_forks_nothing(other_ip: Path, deadline: Deadline) -> None:
    program(other_ip, "exit 1")
    addresses.execute_commands([], deadline)


def test_the_words_of_ip(deadline: Deadline) -> None:
    with pytest.raises(LvsdrError) as caught:
        addresses.execute_commands(["address add 10.9.0.300/24 dev lo"], deadline)
    assert str(caught.value) == (
        'ip: Error: any valid prefix is expected rather than "10.9.0.300/24".'
    )


def test_a_failure_without_words(other_ip: Path, deadline: Deadline) -> None:
    program(other_ip, "exit 3")
    with pytest.raises(LvsdrError, match=r"^ip: exit status 3$"):
        addresses.execute_commands(["link set eth0 up"], deadline)
    with pytest.raises(LvsdrError, match=r"^ip -json address show: exit status 3$"):
        addresses.read_interfaces(deadline)


def test_without_ip(deadline: Deadline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotInstalled):
        addresses.read_interfaces(deadline)
    with pytest.raises(NotInstalled):
        addresses.execute_commands(["link set eth0 up"], deadline)


def test_an_ip_that_hangs(other_ip: Path) -> None:
    program(other_ip, "sleep 60")
    with pytest.raises(LvsdrError, match="timed out"):
        addresses.read_interfaces(Deadline.after(0.1))


def test_the_neighbour_table(other_ip: Path, deadline: Deadline) -> None:
    program(other_ip, """echo '[{"dst":"fd77::9","lladdr":"02:00:00:00:00:09"}]'""")
    assert addresses.read_neighbour_mac("fd77::9", "eth0", deadline) == "02:00:00:00:00:09"


INTERRUPTED = "echo 'Dump was interrupted and may be inconsistent.' >&2"


@pytest.mark.parametrize("status", [0, 1])
def test_an_interrupted_list_is_requested_again(
    status: int, other_ip: Path, deadline: Deadline, tmp_path: Path
) -> None:
    """An interrupted list is requested again after any exit status: entries may be missing."""
    again = tmp_path / "again"
    first = f": >{again}; {INTERRUPTED}; echo '[]'; exit {status}"
    said = '[{"dst": "198.51.100.0/24", "dev": "eth0", "flags": []}]'
    program(other_ip, f"test -e {again} || {{ {first}; }}\necho '{said}'")
    assert addresses.read_connected_networks("198.51.100.1", deadline) == (
        ConnectedNetwork("eth0", 24),
    )


def test_lists_that_are_always_interrupted(other_ip: Path, deadline: Deadline) -> None:
    program(other_ip, f"{INTERRUPTED}; echo '[]'")
    with pytest.raises(LvsdrError, match="Dump was interrupted"):
        addresses.read_interfaces(deadline)


def test_networks_of_this_machine(deadline: Deadline) -> None:
    unusable = addresses.find_unusable_addresses(deadline)
    assert unusable["127.255.255.255"] == "is a broadcast address"
