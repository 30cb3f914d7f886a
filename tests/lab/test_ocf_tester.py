"""ocf-tester of resource-agents on every agent: it only complains about its outdated DTD.

It validates against the DTD of OCF 1.0, which no metadata of OCF 1.1 satisfies. Pacemaker's own
agents get the same complaint.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.resource import script
from tests.lab.world import World
from tests.support import cib
from tests.support.paths import ROOT

KNOWN = "* rc=4: Your agent produces meta-data which does not conform to ra-api-1.dtd"
AGENTS = {
    "lvsdr": {"vip": "10.77.0.111", "port": "5432", "weight_of_realservers": "10.77.0.21"},
    "lvsdr-realsvr": {"vip": "10.77.0.111"},
    "vip": {"ip": "10.77.0.111", "duplicate_check": "false"},
}


@pytest.mark.parametrize("agent", AGENTS)
def test_the_tester_has_no_other_complaint(agent: str, world: World, tmp_path: Path) -> None:
    state = cib.write(tmp_path / "cib.xml", [cib.Node("node1"), cib.Node("node2")])
    options = [f"-o {name}={value}" for name, value in AGENTS[agent].items()]
    tester = script(
        tmp_path / "test",
        f"export CIB_file={state} HA_RSCTMP={world.director2.rsctmp} HA_LOGFACILITY=none\n"
        f"exec ocf-tester -n tested {' '.join(options)} {ROOT}/ocf/{agent}",
    )
    completed = world.director2.run([str(tester)], check=False, timeout=300.0)
    said = (completed.stdout + completed.stderr).splitlines()
    complaints = [line for line in said if line.startswith("* ") and "(optional)" not in line]
    print("\n".join(line for line in said if line.startswith(("*", "Tests", "Beginning"))))
    assert complaints == [KNOWN], said
    assert f"Tests failed: {ROOT}/ocf/{agent} failed 1 tests" in said
