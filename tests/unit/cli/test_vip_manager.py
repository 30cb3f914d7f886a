"""vip-manager as a process, without a change of the network."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.fakes.server import answering, serving
from tests.support.paths import ROOT
from tests.unit.cli.processes import Run, run

NAME = "vip-manager"
EXAMPLES = ROOT / "examples" / "vip-manager"
LEGAL = {
    "VIP_INTERFACE": "nosuch0",
    "VIP_IP": "192.0.2.10",
    "VIP_NETMASK": "24",
    "VIP_DCS_ENDPOINTS": "http://192.0.2.1:2379",
    "VIP_TRIGGER_KEY": "/service/mycluster/leader",
}


MISSING = f"{NAME}: interface nosuch0 does not exist\n"


def test_a_missing_interface_is_a_flaw() -> None:
    assert run(NAME, "check", **LEGAL) == Run(1, "", MISSING)
    both = {**LEGAL, "VIP_IP": "192.0.2.10,192.0.2.11"}
    assert run(NAME, "check", **both) == Run(1, "", MISSING)


@pytest.mark.parametrize(("arguments", "status"), [(["check"], 1), ([], 126)])
def test_a_missing_pyroute2_is_named_with_its_package(arguments: list[str], status: int) -> None:
    """The check names it beside other flaws; the daemon does not start."""
    code = (
        "import os, sys; sys.modules['pyroute2'] = None; sys.path.insert(0, sys.argv[1]); "
        "from lvsdr.cli import vip_manager; sys.exit(vip_manager.main(sys.argv[2:]))"
    )
    done = subprocess.run(
        ["/usr/bin/python3", "-c", code, ROOT / "lib", *arguments],
        env={"PATH": os.environ["PATH"], **LEGAL},
        capture_output=True,
        text=True,
        check=False,
    )
    reason = (
        "Python's pyroute2 is not installed (package python3-pyroute2 in Debian, EL and Fedora)"
    )
    assert done.returncode == status
    assert f"{NAME}: {reason}\n" in done.stderr


def test_a_loopback_interface_is_a_flaw() -> None:
    done = run(NAME, "check", **{**LEGAL, "VIP_INTERFACE": "lo"})
    assert (
        done.err
        == f"{NAME}: lo is a loopback interface, on which no other host can reach 192.0.2.10\n"
    )
    assert done.status == 1


def test_check_with_store_prints_the_answer() -> None:
    body = b'{"header":{"revision":"2"},"kvs":[{"value":"bm9kZTE="}]}'
    with serving(answering(200, body)) as served:
        endpoint = f"http://127.0.0.1:{served.port}"
        done = run(NAME, "check", "--store", **{**LEGAL, "VIP_DCS_ENDPOINTS": endpoint})
    assert done.out == "etcd: follower (/service/mycluster/leader is node1 in etcd)\n"
    done = run(NAME, "check", "--store", **{**LEGAL, "VIP_DCS_ENDPOINTS": "http://127.0.0.1:1"})
    assert done.out == "etcd: unknown (http://127.0.0.1:1: Connection refused)\n"
    assert done.status == 1


@pytest.mark.parametrize("name", ["vip-manager.yml", "vip-manager.env"])
def test_the_examples_are_valid(name: str) -> None:
    done = run(NAME, "check", "--config", str(EXAMPLES / name))
    assert not done.err.replace(f"{NAME}: interface eth0 does not exist\n", "")


def test_each_problem_has_a_line() -> None:
    status, out, err = run(NAME, **{**LEGAL, "VIP_NETMASK": "33", "VIP_INTERVAL": "fast"})
    assert (status, out) == (1, "")
    assert err.splitlines() == [
        f"{NAME}: VIP_INTERVAL=fast: must be a number of milliseconds from 0 to 86400000, "
        "or a duration as 10s",
        f"{NAME}: VIP_NETMASK=33: must be from 1 to 32 for 192.0.2.10",
    ]


def test_messages_have_no_secret() -> None:
    variables = {**LEGAL, "VIP_ETCD_PASSWORD": "geheim", "VIP_CONSUL_TOKEN": "geheim"}
    status, _, err = run(NAME, "check", "--etcd-user", "u", **variables)
    assert status == 1
    assert err == f"{NAME}: VIP_CONSUL_TOKEN is not used with etcd\n{MISSING}"
    assert "geheim" not in err


def test_the_default_file_is_read_if_it_exists(tmp_path: Path) -> None:
    path = tmp_path / "vip-manager.yml"
    assert run(NAME, "check", VIP_DEFAULT_CONFIG=str(path), **LEGAL).err == MISSING
    path.write_text("keepalive-period: never\n")
    done = run(NAME, "check", VIP_DEFAULT_CONFIG=str(path), **LEGAL)
    assert f"{path}: keepalive-period=never" in done.err
    other = tmp_path / "other.yml"
    other.write_text("")
    variables = {"VIP_DEFAULT_CONFIG": str(path), "VIP_CONFIG": str(other), **LEGAL}
    assert run(NAME, "check", **variables).err == MISSING


def test_flags_have_precedence_over_variables_over_files(tmp_path: Path) -> None:
    path = tmp_path / "vip-manager.yml"
    path.write_text("netmask: 33\n")
    flags = ("--config", str(path), "--trigger_value", "node1", "--force-takeover")
    assert run(NAME, "check", *flags, **LEGAL).err == MISSING
    without = {name: text for name, text in LEGAL.items() if name != "VIP_NETMASK"}
    done = run(NAME, "check", *flags, **without)
    assert done.err == f"{NAME}: {path}: netmask=33: must be from 1 to 32 for 192.0.2.10\n"
    done = run(NAME, "check", *flags, "--mask", "24", VIP_CONFIG="/nosuch", **without)
    assert done.err == f"{NAME}: --mask is an old name: use netmask\n{MISSING}"


@pytest.mark.parametrize(
    "arguments", [("--nosuch",), ("dance",), ("--ip",)], ids=["option", "action", "no value"]
)
def test_wrong_usage_has_status_2(arguments: tuple[str, ...]) -> None:
    status, out, _ = run(NAME, *arguments, **LEGAL)
    assert (status, out) == (2, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--etcd-password", "one", "geheim"),
        ("--dcs-endpoints", "http://admin:geheim@etcd1:2379"),
        ("--dcs-endpoints", "etcd2,admin:geheim@etcd1"),
        ("--etcd-pasword=geheim",),
    ],
)
def test_errors_have_no_password(arguments: tuple[str, ...]) -> None:
    done = run(NAME, "check", *arguments, **{**LEGAL, "VIP_DCS_ENDPOINTS": ""})
    assert done.status
    assert done.err
    assert "geheim" not in done.err


def test_status_without_a_daemon_has_status_3(tmp_path: Path) -> None:
    done = run(NAME, "status", VIP_RUN_DIR=str(tmp_path))
    assert done == Run(3, "", f"{NAME}: no daemon is running: no socket in {tmp_path} answers\n")
    assert run(NAME, "status", "--json", "--run-dir", str(tmp_path)).out == "[]\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="without root the daemon ends before this check")
def test_the_daemon_refuses_a_loopback_interface(tmp_path: Path) -> None:
    variables = {**LEGAL, "VIP_INTERFACE": "lo", "VIP_RUN_DIR": str(tmp_path)}
    assert run(NAME, **variables) == Run(
        1, "", f"{NAME}: lo is a loopback interface, on which no other host can reach 192.0.2.10\n"
    )
