"""The real pcs and Pacemaker accept each configuration unchanged."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from lvsdr.agents.lvsdr.parameter_rules import PARAMETERS
from lvsdr.agents.lvsdr.settings import DirectorSettings, read_settings
from lvsdr.ocf.value_parsers import duration
from lxml import etree

from tests.examples.cluster import EMPTY, Cluster
from tests.examples.conftest import CONFIGURATIONS, EXAMPLES, Configured, run
from tests.support.paths import ROOT

# A warning of pcs about any defaults, even if no resource has its own.
OF_NO_CONCERN = {
    "Warning: Defaults do not apply to resources which override them with their own defined values"
}

# pcs 0.12 lets agents validate their options. They report that this machine is no node: for PAF's
# pgsqlms the database is missing, for IPaddr2 the interface.
VALIDATION = re.compile(
    r"Warning: Validating .*\nWarning: Validation result from agent:\n(  .*\n)+"
)
NO_NODE = re.compile(r'ocf-exit-reason:(PGDATA ".*" does not exist|\[findif\] failed)\n$')


def complaints(said: str) -> list[str]:
    """Return the lines that an administrator would have to consider."""
    said = VALIDATION.sub(lambda found: "" if NO_NODE.search(found[0]) else found[0], said)
    suspicious = re.compile("warning|error|deprecat", re.IGNORECASE)
    lines = (line for line in said.splitlines() if suspicious.search(line))
    return [line for line in lines if line not in OF_NO_CONCERN]


def primitive(cluster: Cluster, name: str) -> etree._Element:
    """Return a resource of the configuration."""
    (found,) = etree.parse(cluster.cib).getroot().iterfind(f".//primitive[@id='{name}']")
    return found


def parameters(cluster: Cluster, name: str) -> dict[str, str]:
    """Return the parameters of a resource."""
    pairs = primitive(cluster, name).iterfind("instance_attributes/nvpair")
    return {str(pair.get("name")): str(pair.get("value")) for pair in pairs}


def operations(cluster: Cluster, name: str) -> Mapping[str, Mapping[str, str]]:
    """Return the operations of a resource by their names."""
    found = primitive(cluster, name).iterfind("operations/op")
    return {str(op.get("name")): {str(k): str(v) for k, v in op.attrib.items()} for op in found}


def director(cluster: Cluster) -> DirectorSettings:
    """Return the director's parameters as the agent parses them."""
    given = parameters(cluster, "lvsdr")
    return read_settings(PARAMETERS.parse({f"OCF_RESKEY_{name}": given[name] for name in given}))


def test_every_configuration_is_run() -> None:
    assert {path.stem for path in EXAMPLES.glob("[0-9]*.sh")} == set(CONFIGURATIONS)


def test_pcs_accepts_it_without_a_complaint(configuration: Configured) -> None:
    assert (complaints(configuration.said), configuration.status) == ([], 0), configuration.said


def test_pacemaker_finds_nothing_wrong(configuration: Configured) -> None:
    verify = ["crm_verify", "-V", "--xml-file", str(configuration.cluster.cib)]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (done.stdout + done.stderr, done.returncode) == ("", 0)


def test_no_password_is_in_the_cib(configuration: Configured) -> None:
    assert "password" not in configuration.cluster.cib.read_text().lower()


def test_the_stop_timeout_covers_the_waits(configuration: Configured) -> None:
    cluster = configuration.cluster
    limit = operations(cluster, "lvsdr-realsvr")["stop"]["timeout"]
    assert duration(limit) >= sum(waits(cluster)) + 10


def waits(cluster: Cluster) -> tuple[float, float]:
    """Return the longest waits of a stop of a real server: for the director, for its sessions."""
    given = parameters(cluster, "lvsdr-realsvr")
    return duration(given["drain_delay"]), duration(given["drain_timeout"])


def test_the_director_looks_while_a_leaving_node_waits(configuration: Configured) -> None:
    cluster = configuration.cluster
    notice, _ = waits(cluster)
    assert notice > duration(operations(cluster, "lvsdr")["monitor"]["interval"])


def test_the_director_lets_sessions_go_on_for_longer_than_the_real_server(
    configuration: Configured,
) -> None:
    cluster = configuration.cluster
    timeout = director(cluster).goal.policy.drain_timeout
    assert timeout is not None
    assert timeout > sum(waits(cluster))


def test_the_fallback_is_the_address_of_the_primary(configuration: Configured) -> None:
    spec = director(configuration.cluster).spec
    (address,) = spec.fallback
    assert address == parameters(configuration.cluster, "write-vip")["ip"]
    assert spec.fallback[address] is None
    assert spec.default_weight > 0


def argvs(configured: Mapping[str, Configured]) -> Iterator[list[str]]:
    """Yield the command lines with which the director would call the scripts of this tree."""
    asked = director(configured["2-list-script"].cluster).spec.list_script
    checked = director(configured["3-check-script"].cluster).spec.check_script
    assert asked is not None
    assert checked is not None
    for argv in (asked.argv, (*checked.argv, "192.168.0.234")):
        yield [str(ROOT / "tools" / argv[0].rpartition("/")[2]), *argv[1:]]


def test_the_tools_understand_how_they_are_called(configured: Mapping[str, Configured]) -> None:
    """The tools accept these command lines: without a network they exit 1, not 2 as for usage."""
    for argv in argvs(configured):
        alone = ["unshare", "--map-root-user", "--net", *argv]
        done = subprocess.run(alone, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1
        assert "Network is unreachable" in done.stderr


def test_a_refused_script_leaves_the_cluster_unchanged(refused: Configured) -> None:
    assert "ocf:lvsdr:none-such" in complaints(refused.said)[0]
    assert refused.status != 0
    assert refused.cluster.cib.read_text() == EMPTY


# Variables, and the beginning of the single error line.
MISSING = {
    "interface": ({"INTERFACE": "eth7"}, "INTERFACE=eth7: legal is what all nodes have; this one"),
    "cluster": ({"CIB_file": "/nowhere"}, "must be run on a node of a running cluster (pcs "),
}


@pytest.mark.parametrize("script", ["1-attribute", "vip-leader"])
@pytest.mark.parametrize("missing", MISSING)
def test_a_missing_requirement_is_reported_first(
    inside: list[str], tmp_path: Path, script: str, missing: str
) -> None:
    variables, reason = MISSING[missing]
    done = run(inside, tmp_path, script, variables)
    (line,) = done.said.splitlines()
    assert line.startswith(f"{script}.sh: {reason}")
    assert done.status == 1
    assert done.cluster.cib.read_text() == EMPTY


def test_only_root_may_run_it(tmp_path: Path) -> None:
    """The script refuses other users than root; it runs as 65534 in this user namespace."""
    done = run(["unshare", "--user"], tmp_path, "1-attribute", {})
    assert done.said.splitlines() == ["1-attribute.sh: must be run as root, not as nobody"]
    assert done.status == 1


def test_no_file_stays_behind(all_runs: Mapping[str, Configured]) -> None:
    for name, done in all_runs.items():
        assert list(done.cluster.cib.parent.glob("tmp.*")) == [], name


def test_everything_can_be_chosen(altered: Configured) -> None:
    """Every variable of common.sh can be set in the environment."""
    assert (complaints(altered.said), altered.status) == ([], 0), altered.said
    cluster = altered.cluster
    for name, address in (("write-vip", "192.0.2.236"), ("read-vip", "192.0.2.237")):
        assert primitive(cluster, name).get("type") == "IPaddr2"
        assert parameters(cluster, name) == {"ip": address, "nic": "bond0", "cidr_netmask": "26"}
    assert parameters(cluster, "pgsql")["pgport"] == "5433"
    assert director(cluster).key == ("tcp", "192.0.2.237", 5433)
    assert parameters(cluster, "lvsdr-realsvr") == {
        "vip": "192.0.2.237",
        "drain_delay": "8s",
        "drain_timeout": "5s",
    }
