"""The choice of a kernel: by trying, once for each machine, with reasons for those skipped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab.kernel import choice
from tests.lab.kernel.guest import GuestKernel, Unusable

NEW = GuestKernel("new", Path("/new"), Path("/"))
OLD = GuestKernel("old", Path("/old"), Path("/"))


class Machine:
    """A machine on which some kernels can be provided, and some of these boot."""

    def __init__(self, place: Path, had: str = "new old", boots: str = "new old") -> None:
        self.had, self.boots = had.split(), boots.split()
        self.booted: list[str] = []
        guests = {"new": lambda: self.make(NEW), "old": lambda: self.make(OLD)}
        self.choice = choice.Kernels(guests, place)

    def make(self, kernel: GuestKernel) -> GuestKernel:
        if kernel.name not in self.had:
            raise Unusable("no network")
        return kernel

    def boot(self, kernel: GuestKernel) -> None:
        self.booted.append(kernel.name)
        if kernel.name not in self.boots:
            raise Unusable("it panics")

    def guest(self, name: str | None = None) -> str:
        return self.choice.guest(self.boot, name).name


def test_the_first_that_boots(tmp_path: Path) -> None:
    assert Machine(tmp_path / "a").guest() == "new"
    assert Machine(tmp_path / "b", boots="old").guest() == "old"
    assert Machine(tmp_path / "c", had="old").guest() == "old"


def test_it_is_remembered(tmp_path: Path) -> None:
    Machine(tmp_path).guest()
    later = Machine(tmp_path)
    assert (later.guest(), later.booted) == ("new", [])


def test_skipped_ones_are_named_each_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Machine(tmp_path, had="old").guest()
    assert capsys.readouterr().err == "lab: new is not usable here: no network\n"
    Machine(tmp_path, had="old").guest()
    assert capsys.readouterr().err == "lab: new is not usable here: no network\n"


def test_skipped_ones_are_tried_again_after_an_hour(tmp_path: Path) -> None:
    Machine(tmp_path, had="old").guest()
    record = tmp_path / "choice.json"
    soon, later = Machine(tmp_path), Machine(tmp_path)
    assert soon.guest() == "old"
    content = json.loads(record.read_text())
    record.write_text(json.dumps({**content, "time": content["time"] - choice.RETRY}))
    assert later.guest() == "new"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"kernel": "new"}', '{"kernel": 3}'])
def test_a_record_that_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "choice.json").write_text(content)
    assert Machine(tmp_path).guest() == "new"


def test_a_record_of_another_machine(tmp_path: Path) -> None:
    Machine(tmp_path, had="old").guest()
    record = tmp_path / "choice.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "machine": "another"}))
    assert Machine(tmp_path).guest() == "new"


def test_a_remembered_one_that_is_gone(tmp_path: Path) -> None:
    Machine(tmp_path).guest()
    assert Machine(tmp_path, had="old").guest() == "old"


def test_a_failed_boot_is_forgotten(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.guest()
    machine.choice.forget()
    machine.guest()
    assert machine.booted == ["new", "new"]


def test_a_forced_one(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert (machine.guest("old"), machine.booted) == ("old", [])
    with pytest.raises(choice.NoKernel, match="old: no network"):
        Machine(tmp_path, had="new").guest("old")


def test_none_boots(tmp_path: Path) -> None:
    with pytest.raises(choice.NoKernel) as caught:
        Machine(tmp_path, had="old", boots="").guest()
    assert str(caught.value) == "  new: no network\n  old: it panics"
    assert not (tmp_path / "choice.json").exists()
