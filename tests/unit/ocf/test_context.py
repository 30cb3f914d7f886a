"""The context of an action, read from its environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lvsdr.errors import InvalidParameters
from lvsdr.ocf.context import Context, compute_budget
from lvsdr.ocf.log import Log
from lvsdr.values.safe_text import read_instance_name

from tests.unit.ocf import example


def context(action: str = "monitor", **environ: str) -> Context:
    """Return the context of one run of the example agent."""
    return Context("example", action, example.PARAMETERS, environ, Log("tag", environ))


@pytest.mark.parametrize(
    ("milliseconds", "seconds"),
    [
        ("20000", 18.0),
        ("60000", 58.0),
        ("10000", 9.0),
        ("100", 0.09),
        ("", 18.0),
        ("0", 18.0),
        ("-5", 18.0),
        ("20s", 18.0),
        ("INFINITY", 18.0),
        ("9" * 400, 18.0),
    ],
)
def test_the_deadline_is_a_little_before_pacemakers(milliseconds: str, seconds: float) -> None:
    environ = {"OCF_RESKEY_CRM_meta_timeout": milliseconds}
    assert compute_budget(environ) == pytest.approx(seconds)
    remaining = context(**environ).deadline.remaining()
    assert seconds - 5 < remaining <= seconds


@pytest.mark.parametrize(
    ("action", "environ", "probe"),
    [
        ("monitor", {}, False),
        ("monitor", {"OCF_RESKEY_CRM_meta_on_node": "node1"}, True),
        ("monitor", {"OCF_RESKEY_CRM_meta_interval": "0"}, True),
        ("monitor", {"OCF_RESKEY_CRM_meta_interval": ""}, True),
        ("monitor", {"OCF_RESKEY_CRM_meta_interval": "10000"}, False),
        ("start", {}, False),
    ],
)
def test_probe(action: str, environ: dict[str, str], probe: bool) -> None:
    assert context(action, **environ).is_probe is probe


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        ({}, 0),
        ({"OCF_CHECK_LEVEL": "10"}, 10),
        ({"OCF_RESKEY_OCF_CHECK_LEVEL": "20"}, 20),
        ({"OCF_CHECK_LEVEL": "10", "OCF_RESKEY_OCF_CHECK_LEVEL": "20"}, 10),
        ({"OCF_CHECK_LEVEL": "", "OCF_RESKEY_OCF_CHECK_LEVEL": "20"}, 20),
        ({"OCF_CHECK_LEVEL": "deep"}, 0),
    ],
)
def test_check_level(environ: dict[str, str], level: int) -> None:
    assert context(**environ).check_level == level


@given(st.text(st.characters(exclude_characters="\0"), min_size=1))
def test_an_instance_is_a_file_name(name: str) -> None:
    safe = read_instance_name({"OCF_RESOURCE_INSTANCE": name}, "agent")
    assert safe.isascii()
    assert safe.isprintable()
    assert "/" not in safe
    assert not safe.startswith(".")


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_instances_have_two_names(one: str, other: str) -> None:
    names = {read_instance_name({"OCF_RESOURCE_INSTANCE": name}, "agent") for name in (one, other)}
    assert len(names) == len({one, other})


def test_the_directory_for_state() -> None:
    assert context().rsctmp == "/run/resource-agents"
    assert context(HA_RSCTMP="/elsewhere").rsctmp == "/elsewhere"


def test_a_program_is_found_in_the_path_and_where_system_programs_are(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    assert not context(PATH=str(tmp_path)).has_binary("program")
    program.chmod(0o755)
    assert context(PATH=f"/nonexistent::{tmp_path}").has_binary("program")
    assert context().has_binary(str(program))
    assert context().has_binary("sh")
    assert not context(PATH=str(tmp_path.parent)).has_binary(tmp_path.name)


@pytest.mark.parametrize(("value", "found"), [("1", False), ("0", True), ("", True)])
def test_ocf_tester_may_hide_all_programs(value: str, found: bool) -> None:
    assert context(OCF_TESTER_FAIL_HAVE_BINARY=value).has_binary("sh") is found


def test_broken_parameters_raise_when_they_are_read() -> None:
    broken = context(OCF_RESKEY_port="x")
    for _ in range(2):
        with pytest.raises(InvalidParameters):
            broken.values  # noqa: B018
    assert broken.parameters_given == ("port",)


@pytest.mark.parametrize(
    ("action", "warned"), [("start", True), ("validate-all", True), ("monitor", False)]
)
def test_a_deprecated_parameter_is_mentioned_once(
    action: str, warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    run = context(
        action,
        OCF_RESKEY_port="1",
        OCF_RESKEY_state="/x",
        OCF_RESKEY_heatbeat_file="/y",
    )
    assert run.values is run.values
    message = "WARNING: parameter heatbeat_file is deprecated: set heartbeat_file instead"
    assert capsys.readouterr().err.count(message) == int(warned)


def test_a_saved_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    run = context(HA_RSCTMP=str(tmp_path))
    assert run.save("state", "text\n") == ()
    path = tmp_path / "lvsdr-example.state"
    assert path.read_text() == "text\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_saved_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = context(HA_RSCTMP=str(tmp_path / "file"))
    path = tmp_path / "file" / "lvsdr-example.state"
    assert run.save("state", "text\n") == (f"cannot write {path}: Not a directory",)
