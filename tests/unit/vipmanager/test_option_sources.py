"""Flags, variables and files: their precedence and their names."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.vipmanager.option_sources import (
    OptionText,
    UnusableOptions,
    merge_sources,
    read_environment,
    read_file,
    read_flags,
)

YAML = """\
# as in the packages of other vip-managers
ip: 192.0.2.10
netmask: 24
dcs-endpoints:
  - http://10.0.0.1:2379
  - http://10.0.0.2:2379
trigger_key: "/service/pgcluster/leader"
trigger-value: 0010
etcd-user:
verbose: false
"""

ASSIGNMENTS = """\
# for systemd and shells
VIP_IP=192.0.2.10
export VIP_NETMASK="24"
VIP_DCS_ENDPOINTS='http://10.0.0.1:2379,http://10.0.0.2:2379'
VIP_TRIGGER_KEY=/service/pgcluster/leader   # the leader

VIP_TRIGGER_VALUE=0010
VIP_ETCD_USER=
VIP_VERBOSE=false
PATH=/bin
"""


def option_texts(source: dict[str, OptionText]) -> dict[str, str]:
    return {name: option.text for name, option in source.items()}


def write_file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "vip-manager.conf"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("text", [YAML, ASSIGNMENTS], ids=["YAML", "assignments"])
def test_both_kinds_of_files_give_the_same_options(text: str, tmp_path: Path) -> None:
    source = read_file(write_file(tmp_path, text))
    assert option_texts(dict(source.texts)) == {
        "ip": "192.0.2.10",
        "netmask": "24",
        "dcs-endpoints": "http://10.0.0.1:2379,http://10.0.0.2:2379",
        "trigger-key": "/service/pgcluster/leader",
        "trigger-value": "0010",
        "verbose": "false",
    }
    assert source.problems == source.warnings == ()


@pytest.mark.parametrize(
    "line",
    ["etcd-password: geheim: x", "etcd-password:\tgeheim", "etcd-password: [geheim", "x: @geheim"],
)
def test_a_line_that_is_not_yaml_is_not_shown(line: str, tmp_path: Path) -> None:
    """A line that is no YAML is not shown, because it may hold a password."""
    path = write_file(tmp_path, f"ip: 192.0.2.10\n{line}\n")
    with pytest.raises(UnusableOptions) as raised:
        read_file(path)
    assert f"{path}: not YAML: line " in str(raised.value)
    assert "geheim" not in str(raised.value)


def test_an_empty_file_has_no_options(tmp_path: Path) -> None:
    assert read_file(write_file(tmp_path, "# nothing\n")).texts == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ip: [1: 2", "not YAML"),
        ("- ip", "must have the form key: value"),
        ("just text", "must have the form key: value"),
        ("ip: {a: b}", "ip must be a value, or a list of values"),
        ("VIP_IP=1\nVIP_KEY", "line 2 is not of the form NAME=VALUE"),
        ("VIP_IP=1\nVIP_KEY=a b", "line 2 is not of the form NAME=VALUE"),
        ("VIP_IP='1", "line 1: no closing quotation"),
    ],
)
def test_an_invalid_file_is_an_error(text: str, message: str, tmp_path: Path) -> None:
    path = write_file(tmp_path, text)
    with pytest.raises(UnusableOptions) as raised:
        read_file(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert message in str(raised.value)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnusableOptions) as raised:
        read_file(str(tmp_path / "nosuch"))
    assert str(raised.value) == f"cannot read {tmp_path}/nosuch: No such file or directory"


def test_an_unknown_key_in_a_file_is_a_problem(tmp_path: Path) -> None:
    path = write_file(tmp_path, "ip: 192.0.2.10\nintervall: 10\n")
    assert read_file(path).problems == (f"{path}: intervall is not an option of vip-manager",)


def test_old_names_are_accepted_with_a_warning() -> None:
    source = read_environment({"VIP_MASK": "24", "VIP_HOST": "node1", "VIP_TYPE": "etcd"})
    assert option_texts(dict(source.texts)) == {
        "netmask": "24",
        "trigger-value": "node1",
        "dcs-type": "etcd",
    }
    assert source.warnings[0] == "VIP_MASK is an old name: use netmask"
    assert len(source.warnings) == 3


def test_a_current_name_has_precedence_over_an_old_one() -> None:
    for variables in (
        {"VIP_MASK": "8", "VIP_NETMASK": "24"},
        {"VIP_NETMASK": "24", "VIP_MASK": "8"},
    ):
        assert option_texts(dict(read_environment(variables).texts)) == {"netmask": "24"}


def test_an_unknown_variable_causes_a_warning() -> None:
    source = read_environment({"VIP_INTERVALL": "3", "PATH": "/bin", "VIP_CONFIG": "/x"})
    assert source.warnings == ("VIP_INTERVALL is not a variable of vip-manager: it is ignored",)
    assert source.texts == {}


def test_an_empty_variable_counts_as_unset_except_for_the_trigger() -> None:
    source = read_environment({"VIP_ETCD_USER": "", "VIP_IP": "", "VIP_TRIGGER_VALUE": ""})
    assert option_texts(dict(source.texts)) == {"trigger-value": ""}


def test_an_unused_option_causes_a_warning() -> None:
    assert read_flags({"retry-num": "3"}).warnings == ("--retry-num has no effect any more",)


def test_flags_have_precedence_over_variables_over_the_file(tmp_path: Path) -> None:
    path = write_file(tmp_path, "ip: 192.0.2.1\nnetmask: 8\ninterface: eth1\n")
    flagged = read_flags({"interface": "eth3", "netmask": None})
    varied = read_environment({"VIP_NETMASK": "16", "VIP_INTERFACE": "eth2"})
    source = merge_sources([flagged, varied, read_file(path)])
    assert source.texts == {
        "ip": OptionText("192.0.2.1", f"{path}: ip"),
        "netmask": OptionText("16", "VIP_NETMASK"),
        "interface": OptionText("eth3", "--interface"),
    }


def test_names_of_the_agents_parameters_are_accepted(tmp_path: Path) -> None:
    """Names of parameters of the agent vip are accepted in every place, without a warning."""
    variables = read_environment({"VIP_NIC": "eth0", "VIP_DCS_TOKEN": "t"})
    assert option_texts(dict(variables.texts)) == {"interface": "eth0", "consul-token": "t"}
    from_file = read_file(write_file(tmp_path, "cidr_netmask: 24\ndcs_ca_file: /ca.pem\n"))
    assert option_texts(dict(from_file.texts)) == {"netmask": "24", "etcd-ca-file": "/ca.pem"}
    assert variables.warnings == from_file.warnings == from_file.problems == ()
