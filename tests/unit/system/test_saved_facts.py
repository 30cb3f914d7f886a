"""State files with facts: any file but a whole one of this kind and boot is as none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lvsdr.errors import LvsdrError
from lvsdr.system.saved_facts import load_facts, store_facts
from lvsdr.system.small_files import read_boot_id
from lvsdr.values.facts import find_value, get_value

if TYPE_CHECKING:
    from lvsdr.values.facts import Facts

FACTS = (("service", ("tcp", "10.9.0.20", 80)), ("drain", None), ("reason", "a b"), ("reason", ""))
READ = {"service": ["tcp 10.9.0.20 80"], "reason": ["a b", ""]}


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state")


def parse_service(facts: Facts) -> list[str]:
    protocol, address, port = get_value(facts, "service").split(" ")
    return [protocol, address, port]


def test_stored_facts_are_read(path: str) -> None:
    store_facts(path, "pool", FACTS)
    assert load_facts(path, "pool", dict) == READ
    assert load_facts(path, "pool", parse_service) == ["tcp", "10.9.0.20", "80"]
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_no_facts_are_a_state_too(path: str) -> None:
    store_facts(path, "pool", ())
    assert load_facts(path, "pool", dict) == {}


def test_a_header_with_the_boot_only_is_that_of_an_earlier_version(path: str) -> None:
    Path(path).write_text(f"boot {read_boot_id()}\nservice tcp 10.9.0.20 80\n")
    assert load_facts(path, "pool", parse_service) == ["tcp", "10.9.0.20", "80"]


def test_the_names_of_a_newer_version_are_ignored(path: str) -> None:
    store_facts(path, "pool", (("color", "blue"), *FACTS))
    assert load_facts(path, "pool", parse_service) == ["tcp", "10.9.0.20", "80"]


def test_an_absent_or_unreadable_file_is_no_state(path: str) -> None:
    assert load_facts(path, "pool", dict) is None
    os.mkdir(path)
    assert load_facts(path, "pool", dict) is None
    os.rmdir(path)
    os.mkfifo(path)
    assert load_facts(path, "pool", dict) is None


def test_a_torn_file_is_no_state_or_less_of_it(path: str) -> None:
    """A file torn within a line is no state; one torn between lines has no wrong facts."""
    store_facts(path, "pool", FACTS)
    whole = Path(path).read_bytes()
    for length in range(len(whole)):
        Path(path).write_bytes(whole[:length])
        facts = load_facts(path, "pool", dict)
        assert (facts is None) == (whole[:length][-1:] != b"\n")
        assert all(READ[name][: len(values)] == values for name, values in (facts or {}).items())


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\n", b"\x80\xff\x00", b"pool of boot 0\nservice tcp 10.9.0.20 80\n"),
        *(b"boot 0\n", b"{}\n", b"boot\n"),
    ],
)
def test_a_file_of_something_else_is_no_state(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)
    assert load_facts(path, "pool", dict) is None


def test_a_file_of_another_kind_is_no_state(path: str) -> None:
    store_facts(path, "place", FACTS)
    assert load_facts(path, "pool", dict) is None


@pytest.mark.parametrize(
    "facts", [(), (("service", "tcp"),), (*FACTS, *FACTS)], ids=["absent", "malformed", "repeated"]
)
def test_facts_without_sense_are_no_state(path: str, facts: tuple[tuple[str, str], ...]) -> None:
    store_facts(path, "pool", facts)
    assert load_facts(path, "pool", parse_service) is None


@pytest.mark.parametrize("line", ["nonsense", "", "\x00"])
def test_a_line_that_is_no_fact_spoils_the_file(path: str, line: str) -> None:
    store_facts(path, "pool", FACTS)
    with open(path, "a") as file:
        file.write(f"{line}\n")
    assert load_facts(path, "pool", parse_service) is None


def test_a_value_forges_no_fact(path: str) -> None:
    store_facts(path, "pool", (("reason", "a\nservice tcp 1 2\r\n\x85b\u2028c"),))
    assert load_facts(path, "pool", dict) == {"reason": ["a service tcp 1 2  b c"]}


def test_an_optional_value() -> None:
    assert find_value({}, "port", int) is None
    assert find_value({"port": ["80"]}, "port", int) == 80
    with pytest.raises(ValueError, match="too many"):
        find_value({"port": ["80", "81"]}, "port", int)


def test_a_failed_write_names_the_file() -> None:
    with pytest.raises(LvsdrError, match=r"^cannot write /nowhere/state: No such file"):
        store_facts("/nowhere/state", "pool", FACTS)
