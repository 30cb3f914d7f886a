"""Start of an agent; crm_mon starts first if the action needs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.unit.agents.processes import run
from tests.unit.crm import cib

# An agent that only watches whether crm_mon was started.
WATCHER = """
import os, time

class AGENT:
    def run(arguments, environ):
        end = time.monotonic() + float(environ["WAIT"])
        while time.monotonic() < end:
            if os.path.exists("asked"):
                return 42
            time.sleep(0.01)
        return 0
"""
LAUNCH = """
import sys

sys.path[:0] = [sys.argv.pop(1), "."]

from lvsdr import agents

agents.AGENTS["lvsdr"] = "watcher"
agents.main("lvsdr")
"""


@pytest.mark.parametrize(
    ("action", "interval", "begins"),
    [
        ("monitor", "5000", True),
        ("start", None, True),
        ("reload-agent", "0", True),
        ("monitor", "0", False),
        ("monitor", " 0 ", False),
        ("monitor", "", False),
        ("monitor", None, False),
        ("stop", "5000", False),
        ("validate-all", None, False),
        ("meta-data", None, False),
        ("nonsense", "5000", False),
        (None, None, False),
    ],
)
def test_actions_that_need_the_cluster_query_it_at_once(
    action: str | None, interval: str | None, begins: bool, tmp_path: Path
) -> None:
    """crm_mon starts at once for actions that need its answer; no other action waits for it."""
    (tmp_path / "watcher.py").write_text(WATCHER)
    stand_in = tmp_path / "crm_mon"
    stand_in.write_text("#!/bin/sh\n: > asked\nexec sleep 60\n")
    stand_in.chmod(0o755)
    environ = {"PATH": str(tmp_path), "WAIT": "20" if begins else "0.1"}
    if interval is not None:
        environ["OCF_RESKEY_CRM_meta_interval"] = interval
    done = subprocess.run(
        [sys.executable, "-c", LAUNCH, str(ROOT / "lib"), *([action] if action else [])],
        env=environ,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=50,
    )
    assert done.returncode == (42 if begins else 0)


# Agents that come across a want of descriptors: one reports it itself, for the other main() has to.
REPORTS = """
import resource

from lvsdr.ocf.actions import Action
from lvsdr.ocf.agent import Agent
from lvsdr.ocf.parameters import ParameterSet

def act(context):
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    open("/dev/null")

AGENT = Agent(
    name="watcher", version="1", short="", long="", parameters=ParameterSet(()),
    actions=(Action("monitor", act, "5s"), Action("stop", act, "5s")),
    still_serves=lambda context: True, is_active=lambda context: False,
)
"""
RAISES = """
import resource

class AGENT:
    def run(arguments, environ):
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        open("/dev/null")
"""


@pytest.mark.parametrize(
    ("agent", "action", "facility", "code"),
    [
        (REPORTS, "monitor", "none", 190),
        (REPORTS, "monitor", "daemon", 190),
        (REPORTS, "stop", "none", 0),
        (REPORTS, "stop", "daemon", 0),
        (RAISES, "monitor", "none", 190),
        (RAISES, "stop", "none", 1),
    ],
    ids=lambda value: "raises" if value is RAISES else "reports" if value is REPORTS else None,
)
def test_the_exit_code_does_not_depend_on_the_report(
    agent: str, action: str, facility: str, code: int, tmp_path: Path
) -> None:
    """Without a descriptor a module cannot be loaded: not for a traceback, not for syslog."""
    (tmp_path / "watcher.py").write_text(agent)
    environ = {
        "PATH": "",
        "HA_RSCTMP": str(tmp_path),
        "HA_LOGFACILITY": facility,
        "OCF_RESKEY_CRM_meta_interval": "5000",
    }
    done = subprocess.run(
        [sys.executable, "-c", LAUNCH, str(ROOT / "lib"), action],
        env=environ,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == code, done.stderr
    if code != 0:
        assert "Too many open files" in done.stderr


def test_system_programs_are_found_with_any_path(tmp_path: Path) -> None:
    """crm_mon and ipvsadm are found although PATH is empty."""
    settings = {"vip": "203.0.113.20", "port": "80", "weight_of_realservers": "203.0.113.21"}
    environ = {"OCF_CHECK_LEVEL": "10", "CIB_file": str(cib("steady"))}
    done = run(ROOT / "ocf" / "lvsdr", "validate-all", tmp_path, settings, **environ)
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("action", "interval", "code"),
    [("monitor", "5000", 190), ("monitor", "0", 1), ("start", "0", 1), ("stop", "0", 1)],
)
def test_an_agent_that_cannot_be_loaded(
    action: str, interval: str, code: int, tmp_path: Path
) -> None:
    """A recurring monitor of such an agent reports a degradation, not a failure.

    A failure would cause a restart, which would end in a stop that fails.
    """
    (tmp_path / "watcher.py").write_text("raise MemoryError\n")
    done = subprocess.run(
        [sys.executable, "-c", LAUNCH, str(ROOT / "lib"), action],
        env={"PATH": str(tmp_path), "OCF_RESKEY_CRM_meta_interval": interval},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    reason = "ocf-exit-reason:agent cannot be loaded: MemoryError()"
    assert (done.returncode, done.stderr.splitlines()[-1]) == (code, reason)
