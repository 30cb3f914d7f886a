"""Limits for the imports of recurring actions: each is a new process every few seconds."""

from __future__ import annotations

import ast
import re
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from tests.project.tree import LIB, library, module_name, stubs
from tests.project.tree import imports as find_imports
from tests.support.paths import ROOT

PYTHON = "/usr/bin/python3"

# Each of them costs more than a whole monitor without changes should cost.
SLOW = {
    "argparse",
    "asyncio",
    "click",
    "dataclasses",
    "http",
    "importlib.metadata",
    "inspect",
    "logging",
    "lxml",
    "pathlib",
    "psycopg",
    "pyroute2",
    "shutil",
    "ssl",
    "subprocess",
    "tempfile",
    "urllib3",
    "xml.dom",
}

# Agent -> the modules that none of its recurring actions imports.
FORBIDDEN = {
    "lvsdr": SLOW,
    "lvsdr-realsvr": SLOW | {"xml", "socket", "ipaddress"},
    "vip": SLOW | {"socket", "ipaddress"},
}

# Modules that lxml imports; only the reader of crm_mon's document loads it, while crm_mon runs.
WITH_LXML = {"lxml", "inspect"}

# Modules that a tool does not need for its usage message.
SLOW_TO_ASK = {
    *("asyncio", "http", "importlib.metadata", "logging", "lxml", "psycopg", "pyroute2", "ssl"),
}

# Modules that are not slow, but cost too much for their use in a monitor.
DEAR = frozenset({"ipaddress", "json", "signal", "socket", "typing"})

# Modules that only a gate of the agent vip needs.
GATE = {"lvsdr.leader", "lvsdr.agents.vip.gate"}

# Modules that a monitor with a watcher does without.
QUICK = (
    SLOW
    | DEAR
    | {
        *("collections", "contextlib", "ctypes", "enum", "hashlib", "re", "select", "xml"),
        *("lvsdr.errors", "lvsdr.ocf", "lvsdr.pool", "lvsdr.pacemaker"),
    }
)

# Store -> its settings. Opening a store, before any query, imports little.
STORES = {
    "etcd": {"key": "/leader"},
    "consul": {"key": "leader"},
    "patroni": {},
    "attribute": {"key": "pgsql-status", "value": "PRI"},
}

# Agent -> modules that it cannot do without: ip(8) prints addresses in JSON.
NEEDED = {"vip": frozenset({"json"}), "lvsdr-realsvr": frozenset({"json"})}

# Agent -> a parameter set with which its monitor gets as far as it can on this machine.
PARAMETERS = {
    "lvsdr": {"vip": "192.0.2.10", "port": "5432", "weight_of_realservers": "node1 node2,2"},
    "lvsdr-realsvr": {"vip": "192.0.2.10", "nic_lo": "lo:10"},
    "vip": {"ip": "192.0.2.10", "nic": "lo"},
}

CIB = """\
<cib validate-with="pacemaker-3.5" admin_epoch="0" epoch="1" num_updates="0" have-quorum="1">
  <configuration>
    <crm_config/>
    <nodes><node id="1" uname="node1"/><node id="2" uname="node2"/></nodes>
    <resources/>
    <constraints/>
  </configuration>
  <status>
    <node_state id="1" uname="node1" in_ccm="true" crmd="online" join="member" expected="member"/>
    <node_state id="2" uname="node2" in_ccm="true" crmd="online" join="member" expected="member"/>
  </status>
</cib>
"""

IMPORTED = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)


def imports(arguments: list[str], environment: dict[str, str]) -> set[str]:
    """Return the modules that the system's Python imports while it runs ``arguments``."""
    run = subprocess.run(
        [PYTHON, "-I", "-X", "importtime", *arguments],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"} | environment,
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = [line for line in run.stderr.splitlines() if not line.startswith("import time:")]
    found = set(IMPORTED.findall(run.stderr))
    assert "lvsdr" in found, said
    assert not any("Traceback" in line for line in said), "\n".join(said)
    return found


def over_budget(imported: set[str], forbidden: set[str]) -> set[str]:
    """Return the modules of ``imported`` that are, or are part of, a forbidden module.

    >>> sorted(over_budget({"http.client", "httpx", "re"}, {"http"}))
    ['http.client']
    """
    return {
        name for name in imported if any(f"{name}.".startswith(f"{slow}.") for slow in forbidden)
    }


def environment(agent: str, home: Path) -> dict[str, str]:
    """Return Pacemaker's environment for an agent, with a cluster that is only a file."""
    cib = home / "cib.xml"
    cib.write_text(CIB)
    parameters = {f"OCF_RESKEY_{name}": value for name, value in PARAMETERS[agent].items()}
    return parameters | {
        "CIB_file": str(cib),
        "HA_RSCTMP": str(home),
        "OCF_RESOURCE_INSTANCE": "budget",
        "OCF_RESKEY_CRM_meta_timeout": "20000",
        "OCF_RESKEY_CRM_meta_interval": "10000",
    }


def test_each_agent_has_a_budget() -> None:
    assert {path.name for path in stubs("ocf")} == set(FORBIDDEN) == set(PARAMETERS)


@pytest.mark.parametrize("action", ["monitor", "meta-data"])
@pytest.mark.parametrize("agent", FORBIDDEN)
def test_an_action_keeps_within_budget(agent: str, action: str, tmp_path: Path) -> None:
    stub = str(ROOT / "ocf" / agent)
    found = imports([stub, action], environment(agent, tmp_path))
    dear = DEAR - NEEDED.get(agent, frozenset())
    forbidden = FORBIDDEN[agent] | (dear if action == "monitor" else frozenset())
    assert over_budget(found, forbidden) == set()


@pytest.mark.parametrize("agent", FORBIDDEN)
def test_a_whole_agent_keeps_within_budget(agent: str) -> None:
    """The budget holds for all modules, including those that only a kernel with IPVS needs."""
    code = (
        f"import sys; sys.path.insert(0, {str(LIB)!r}); "
        f"from lvsdr.agents import describe_agent; describe_agent({agent!r})"
    )
    assert over_budget(imports(["-c", code], {}), FORBIDDEN[agent] | DEAR) == set()


@pytest.mark.parametrize("check", ["none", "tcp", "postgres"])
def test_the_findings_of_a_cycle_cost_lxml_and_no_more(check: str, tmp_path: Path) -> None:
    """The findings of a cycle, from a cluster and names to look up, import no other package.

    The health checks are those of the watcher: a cycle only reads their results.
    """
    code = (
        f"import os, sys; sys.path.insert(0, {str(LIB)!r}); from lvsdr.agents import lvsdr; "
        "from lvsdr.agents.lvsdr.findings import gather_findings; "
        "from lvsdr.agents.lvsdr.saved_pool import SavedPool; "
        "from lvsdr.values.deadline import Deadline; "
        "settings = lvsdr.read_settings(lvsdr.PARAMETERS.parse(os.environ)); "
        "findings = gather_findings(settings, SavedPool(), Deadline.after(20)); "
        "assert 'node1' in str(findings), findings"  # without the cluster, there is no host
    )
    given = {**environment("lvsdr", tmp_path), "OCF_RESKEY_realserver_check": check}
    found = imports(["-S", "-c", code], given)
    assert "lxml.etree" in found
    assert over_budget(found, (SLOW | DEAR) - WITH_LXML) == set()
    assert over_budget(found, {"lvsdr.system.checks"}) == set()
    assert {name for name in found if name.startswith("lxml.")} <= {
        *("lxml.etree", "lxml._elementpath")
    }


@pytest.mark.parametrize("action", ["monitor", "start", "stop", "reload-agent"])
def test_without_a_gate_nothing_of_one_is_imported(action: str, tmp_path: Path) -> None:
    stub, ungated = str(ROOT / "ocf" / "vip"), environment("vip", tmp_path)
    gated = {**ungated, "OCF_RESKEY_dcs_type": "etcd", "OCF_RESKEY_trigger_key": "/leader"}
    plain, more = imports([stub, action], ungated), imports([stub, action], gated)
    assert over_budget(plain, GATE) == set()
    assert {name.rpartition(".")[2] for name in more - plain} >= {"gate", "promotable", "leader"}


@pytest.mark.parametrize("tool", stubs("tools"), ids=lambda path: path.name)
def test_help_imports_little(tool: Path) -> None:
    assert over_budget(imports([str(tool), "--help"], {}), SLOW_TO_ASK) == set()


def test_a_monitor_that_finds_nothing_to_do_imports_little() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(LIB)!r}); import lvsdr.agents; "
        "from lvsdr.watcher import quick; import _blake2"
    )
    assert over_budget(imports(["-c", code], {}), QUICK) == set()


def test_the_daemon_alone_imports_pyroute2() -> None:
    """The room of the daemon is the only way to the module that imports pyroute2."""
    imported_by: dict[str, set[str]] = {}
    for path in library():
        name, is_package = module_name(path), path.name == "__init__.py"
        for _, origin, imported in find_imports(name, is_package, ast.parse(path.read_text())):
            for found in (origin, f"{origin}.{imported}"):
                imported_by.setdefault(found, set()).add(name)
    reader, watch = "lvsdr.system.net.interface_reader", "lvsdr.system.net.interface_watch"
    assert imported_by["pyroute2"] == {reader}
    users = (imported_by[reader] | imported_by[watch]) - {watch}
    assert {name.rpartition(".")[0] for name in users} == {"lvsdr.vipmanager"}


def test_each_store_has_its_settings() -> None:
    assert set(STORES) == set(import_module("lvsdr.leader").STORES)


@pytest.mark.parametrize("store", STORES)
def test_a_store_imports_no_other_and_no_urllib3_unasked(store: str) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(LIB)!r}); from lvsdr import leader; "
        "from lvsdr.leader.settings import GivenSettings; "
        f"given = GivenSettings(**{STORES[store]!r}); "
        f"settings = leader.build_settings({store!r}, 'node1', given); "
        f"leader.open_store({store!r}, settings)"
    )
    found = imports(["-c", code], {})
    others = {f"lvsdr.leader.{other}" for other in STORES if other != store}
    assert over_budget(found, SLOW | others) == set()


def test_a_slow_import_is_found(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(LIB)!r})\nimport lvsdr, logging\n")
    assert "logging" in over_budget(imports([str(script)], {}), SLOW)
