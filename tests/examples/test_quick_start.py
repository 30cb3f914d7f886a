"""The quick start of README, run as it is, makes the cluster of the example with roles."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from lxml import etree

from tests.examples.cluster import EMPTY, Cluster
from tests.examples.conftest import EXAMPLES, Configured
from tests.examples.test_configured import complaints
from tests.support.paths import ROOT

# The example configures the database and its write address first, then the rest.
DATABASE, _, _ = (EXAMPLES / "4-roles.sh").read_text().partition("\nreal_servers\n")

# The example names these, which the quick start leaves to the agent.
FOUND_BY_THE_AGENT = ("nic", "cidr_netmask")


def quick_start() -> str:
    """Return the commands for one node: the block that begins with the addresses."""
    _, found, rest = (ROOT / "README.md").read_text().partition("\n    READ_VIP=")
    block, end, _ = rest.partition("\n    pcs cluster cib-push new.xml diff-against=old.xml\n")
    assert found
    assert end
    return "\n".join(line.strip() for line in f"{found}{block}{end}".splitlines()) + "\n"


def execute(inside: list[str], home: Path, script: Path, tools: Path) -> str:
    """Run a script on the cluster in a file, and return its output."""
    environ = {
        "PATH": f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C",
        "CIB_file": str(home / "cluster.xml"),
        "TMPDIR": str(home),
    }
    command = [*inside, "/bin/sh", "-eu", str(script)]
    done = subprocess.run(
        command, cwd=home, env=environ, check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def started_quickly(
    inside: list[str],
    configured: Mapping[str, Configured],
    tmp_path_factory: pytest.TempPathFactory,
) -> Configured:
    """A cluster with a database and its write address, and then the quick start."""
    home = tmp_path_factory.mktemp("quick-start")
    cluster = Cluster(home / "cluster.xml")
    cluster.cib.write_text(EMPTY)
    shutil.copy(EXAMPLES / "common.sh", home)
    database, quick = home / "database.sh", home / "quick.sh"
    database.write_text(f"{DATABASE}\npush\n")
    quick.write_text(quick_start())
    tools = configured["4-roles"].cluster.cib.parent / "bin"  # an `ip` that has eth0
    execute(inside, home, database, tools)
    return Configured(0, execute(inside, home, quick, tools), cluster)


def section(cluster: Cluster, name: str) -> str:
    """Return a section of the configuration, without the parameters that an agent finds out."""
    found = etree.parse(cluster.cib).getroot().find(f"configuration/{name}")
    assert found is not None
    for pair in found.findall(".//primitive[@id='read-vip']//nvpair"):
        parent = pair.getparent()
        assert parent is not None
        if pair.get("name") in FOUND_BY_THE_AGENT:
            parent.remove(pair)
    return etree.tostring(found, method="c14n").decode().replace("\n", "").replace(" ", "")


def test_pcs_accepts_the_quick_start(started_quickly: Configured) -> None:
    assert complaints(started_quickly.said) == []


@pytest.mark.parametrize("name", ["resources", "constraints"])
def test_the_quick_start_configures_the_example_with_roles(
    started_quickly: Configured, configured: Mapping[str, Configured], name: str
) -> None:
    assert section(started_quickly.cluster, name) == section(configured["4-roles"].cluster, name)
