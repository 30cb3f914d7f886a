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
# as the packages of others have it
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


def texts(source: dict[str, OptionText]) -> dict[str, str]:
    return {name: option.text for name, option in source.items()}


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "vip-manager.conf"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("text", [YAML, ASSIGNMENTS], ids=["YAML", "assignments"])
def test_both_kinds_of_files_say_the_same(text: str, tmp_path: Path) -> None:
    source = read_file(written(tmp_path, text))
    assert texts(dict(source.texts)) == {
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
def test_what_is_no_yaml_is_not_shown(line: str, tmp_path: Path) -> None:
    """A line that is no YAML is not shown, because it may hold a password."""
    path = written(tmp_path, f"ip: 192.0.2.10\n{line}\n")
    with pytest.raises(UnusableOptions) as raised:
        read_file(path)
    assert f"{path}: not YAML: line " in str(raised.value)
    assert "geheim" not in str(raised.value)


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert read_file(written(tmp_path, "# nothing\n")).texts == {}


@pytest.mark.parametrize(
    ("text", "says"),
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
def test_a_file_that_makes_no_sense(text: str, says: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UnusableOptions) as raised:
        read_file(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert says in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnusableOptions) as raised:
        read_file(str(tmp_path / "nosuch"))
    assert str(raised.value) == f"cannot read {tmp_path}/nosuch: No such file or directory"


def test_a_file_with_a_key_that_nobody_knows(tmp_path: Path) -> None:
    path = written(tmp_path, "ip: 192.0.2.10\nintervall: 10\n")
    assert read_file(path).problems == (f"{path}: intervall is no option",)


def test_old_names_are_understood_and_told_of() -> None:
    source = read_environment({"VIP_MASK": "24", "VIP_HOST": "node1", "VIP_TYPE": "etcd"})
    assert texts(dict(source.texts)) == {
        "netmask": "24",
        "trigger-value": "node1",
        "dcs-type": "etcd",
    }
    assert source.warnings[0] == "VIP_MASK is an old name, today it is netmask"
    assert len(source.warnings) == 3


def test_the_name_of_today_goes_before_an_old_one() -> None:
    for given in ({"VIP_MASK": "8", "VIP_NETMASK": "24"}, {"VIP_NETMASK": "24", "VIP_MASK": "8"}):
        assert texts(dict(read_environment(given).texts)) == {"netmask": "24"}


def test_an_unknown_variable_is_told_of() -> None:
    source = read_environment({"VIP_INTERVALL": "3", "PATH": "/bin", "VIP_CONFIG": "/x"})
    assert source.warnings == ("VIP_INTERVALL is none of the variables that are known",)
    assert source.texts == {}


def test_an_empty_variable_is_none_but_for_the_trigger() -> None:
    source = read_environment({"VIP_ETCD_USER": "", "VIP_IP": "", "VIP_TRIGGER_VALUE": ""})
    assert texts(dict(source.texts)) == {"trigger-value": ""}


def test_what_is_not_used_is_told_of() -> None:
    assert read_flags({"retry-num": "3"}).warnings == ("--retry-num is not used any more",)


def test_flags_go_before_the_environment_before_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "ip: 192.0.2.1\nnetmask: 8\ninterface: eth1\n")
    flagged = read_flags({"interface": "eth3", "netmask": None})
    varied = read_environment({"VIP_NETMASK": "16", "VIP_INTERFACE": "eth2"})
    source = merge_sources([flagged, varied, read_file(path)])
    assert source.texts == {
        "ip": OptionText("192.0.2.1", f"{path}: ip"),
        "netmask": OptionText("16", "VIP_NETMASK"),
        "interface": OptionText("eth3", "--interface"),
    }


def test_the_names_of_the_agent_are_as_good(tmp_path: Path) -> None:
    """Names of parameters of the agent vip are accepted in every place, without a warning."""
    given = read_environment({"VIP_NIC": "eth0", "VIP_DCS_TOKEN": "t"})
    assert texts(dict(given.texts)) == {"interface": "eth0", "consul-token": "t"}
    filed = read_file(written(tmp_path, "cidr_netmask: 24\ndcs_ca_file: /ca.pem\n"))
    assert texts(dict(filed.texts)) == {"netmask": "24", "etcd-ca-file": "/ca.pem"}
    assert given.warnings == filed.warnings == filed.problems == ()
