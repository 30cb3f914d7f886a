"""Fixtures that run the examples unchanged, and the resulting clusters."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.examples.cluster import EMPTY, NODES, PRIMARY, Cluster
from tests.support.paths import ROOT

EXAMPLES = ROOT / "examples"
WITH_AGENTS = Path(__file__).with_name("with_agents")

CONFIGURATIONS = ("1-attribute", "2-list-script", "3-check-script", "4-roles")


class Configured(NamedTuple):
    """Result of running a configuration."""

    status: int
    said: str
    cluster: Cluster


# The nodes have these interfaces, unlike this machine.
IP = """#!/bin/sh
case "$*" in
    "link show dev eth0" | "link show dev bond0") ;;
    *) exit 1 ;;
esac
"""

# Every variable that common.sh supports.
ALTERED = {
    "VIP_AGENT": "ocf:heartbeat:IPaddr2",
    "INTERFACE": "bond0",
    "PREFIX": "26",
    "READ_VIP": "192.0.2.237",
    "WRITE_VIP": "192.0.2.236",
    "PORT": "5433",
    "DRAIN": "5",
    "NOTICE": "8",
}


@pytest.fixture(scope="session")
def inside(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the prefix of a command that shall find our agents among the others."""
    place = tmp_path_factory.mktemp("installed")
    make = ["make", "-s", "-C", str(ROOT), f"PREFIX={place}/usr", f"OCF_ROOT={place}/ocf"]
    environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
    subprocess.run([*make, "install"], env=environ, check=True, capture_output=True)
    return [str(WITH_AGENTS), str(place / "ocf" / "resource.d")]


def run(inside: list[str], home: Path, script: str, variables: Mapping[str, str]) -> Configured:
    """Run an unchanged script on a cluster that is a file."""
    cluster = Cluster(home / "cluster.xml")
    cluster.cib.write_text(EMPTY)
    ip = home / "bin" / "ip"
    ip.parent.mkdir()
    ip.write_text(IP)
    ip.chmod(0o755)
    environ = {
        **os.environ,
        "PATH": f"{ip.parent}:{os.environ['PATH']}",
        "CIB_file": str(cluster.cib),
        "TMPDIR": str(home),
        **variables,
    }
    done = subprocess.run(
        [*inside, str(EXAMPLES / f"{script}.sh")],
        env=environ,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    return Configured(done.returncode, done.stdout, cluster)


@pytest.fixture(scope="session")
def all_runs(
    inside: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Configured]:
    """Run each configuration with its own variables, and some with others.

    The number of parallel runs is the number of processors, because the many starts of pcs take
    most of the time.
    """
    runs: dict[str, tuple[str, Mapping[str, str]]] = {name: (name, {}) for name in CONFIGURATIONS}
    runs["altered"] = ("4-roles", ALTERED)
    runs["refused"] = ("4-roles", {"VIP_AGENT": "ocf:lvsdr:none-such"})
    homes = {name: tmp_path_factory.mktemp(name) for name in runs}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        begun = {name: pool.submit(run, inside, homes[name], *runs[name]) for name in runs}
        return {name: future.result() for name, future in begun.items()}


@pytest.fixture(scope="session")
def configured(all_runs: Mapping[str, Configured]) -> Mapping[str, Configured]:
    """Return the configurations with their own variables."""
    return {name: all_runs[name] for name in CONFIGURATIONS}


@pytest.fixture
def altered(all_runs: Mapping[str, Configured]) -> Configured:
    """Return the configuration with every variable changed."""
    return all_runs["altered"]


@pytest.fixture
def refused(all_runs: Mapping[str, Configured]) -> Configured:
    """Return a configuration that pcs refuses."""
    return all_runs["refused"]


@pytest.fixture(params=CONFIGURATIONS)
def configuration(
    request: pytest.FixtureRequest, configured: Mapping[str, Configured]
) -> Configured:
    """Return each configuration in turn."""
    return configured[str(request.param)]


@pytest.fixture(scope="session")
def started(configured: Mapping[str, Configured]) -> Mapping[str, Cluster]:
    """Return these clusters in normal operation, with the primary on node1."""
    return {name: steady(done.cluster) for name, done in configured.items()}


def steady(configured: Cluster) -> Cluster:
    """Start a cluster, with the values that the database's agent sets in between."""
    cluster = configured.copy(configured.cib.with_name("steady.xml"))
    cluster.react()
    cluster.prefer(node1=1001, node2=1000, node3=990)
    for node in NODES:
        cluster.publish(node, pgsql_status="PRI" if node == "node1" else "HS:async")
    cluster.react()
    return cluster


@pytest.fixture(params=CONFIGURATIONS)
def cluster(
    request: pytest.FixtureRequest, started: Mapping[str, Cluster], tmp_path: Path
) -> Cluster:
    """Return a copy of each cluster in turn."""
    return started[str(request.param)].copy(tmp_path / "cluster.xml")


@pytest.fixture
def director(cluster: Cluster) -> str:
    """Return the node of the director; it is not the primary's."""
    return cluster.only("read-vip")


@pytest.fixture
def other(director: str) -> str:
    """Return the standby's node that is not the director's."""
    (node,) = set(NODES) - {PRIMARY, director}
    return node
