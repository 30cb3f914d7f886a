"""The agent vip with a gate, run on hosts as Pacemaker would run it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.leader.etcd import KEY
from tests.leader.network import Host
from tests.support.paths import AGENTS
from tests.support.processes import with_variables

AGENT = AGENTS / "vip"
ADDRESS = "10.78.1.100"  # at the back, so that a node can lose the store and keep the address
DEVICE = "back"
PROMOTED, STARTED, FAILED, STOPPED = 8, 0, 1, 7
FAILED_PROMOTED, DEGRADED, DEGRADED_PROMOTED = 9, 190, 191

# Keeps the promotion score of a host in a file.
_CRM_ATTRIBUTE = """\
#!/bin/sh
[ "$1 $2" = "--promotion=vip --lifetime=reboot" ] || exit 64
case $3 in
--update=*) echo "${3#*=}" >"$HA_RSCTMP/score" ;;
--delete) rm -f "$HA_RSCTMP/score" ;;
*) exit 64 ;;
esac
"""


class Run(NamedTuple):
    """Result of an action; `reason` is the exit reason."""

    code: int
    reason: str
    said: str


class Instance:
    """An instance of the clone on a host."""

    def __init__(self, host: Host, place: Path, settings: Mapping[str, str]) -> None:
        self.host = host
        self.agent = AGENT
        self.settings = {"ip": ADDRESS, "nic": DEVICE, **settings}
        self.place = place / host.name
        self.place.mkdir(parents=True)
        program = self.place / "crm_attribute"
        program.write_text(_CRM_ATTRIBUTE)
        program.chmod(0o755)

    def run(self, action: str, interval: int = 0) -> Run:
        """Run an action. A monitor with an interval, in milliseconds, is no probe."""
        done = self.host.run(
            [str(self.agent), action], env=with_variables(self.environ(interval)), check=False
        )
        prefix = "ocf-exit-reason:"
        reasons = [line for line in done.stderr.splitlines() if line.startswith(prefix)]
        reason = reasons[-1][len(prefix) :] if reasons else ""
        return Run(done.returncode, reason, done.stdout + done.stderr)

    def must(self, action: str) -> None:
        """Run an action. Assert that it succeeds."""
        done = self.run(action)
        assert done.code == 0, done

    def monitor(self) -> Run:
        return self.run("monitor", 3000)

    def probe(self) -> int:
        return self.run("monitor").code

    @property
    def holds(self) -> bool:
        """Return whether the address is on this host."""
        with self.host.entered():
            told = self.host.run(["ip", "-json", "address", "show", "dev", DEVICE]).stdout
        (device,) = json.loads(told)
        return ADDRESS in {entry["local"] for entry in device["addr_info"]}

    @property
    def score(self) -> int | None:
        """Return the promotion score, or None without one."""
        file = self.place / "score"
        return int(file.read_text()) if file.exists() else None

    @property
    def log(self) -> str:
        file = self.place / "log"
        return file.read_text() if file.exists() else ""

    def environ(self, interval: int) -> dict[str, str]:
        """Return the environment that Pacemaker gives an action."""
        parameters = {f"OCF_RESKEY_{name}": value for name, value in self.settings.items()}
        return parameters | {
            "OCF_ROOT": "/usr/lib/ocf",
            "OCF_RESOURCE_INSTANCE": "vip",
            "OCF_RESKEY_CRM_meta_timeout": "30000",
            "OCF_RESKEY_CRM_meta_interval": str(interval),
            "OCF_RESKEY_CRM_meta_on_node": self.host.name,
            "OCF_RESKEY_CRM_meta_promotable": "true",
            "HA_RSCTMP": str(self.place),
            "HA_LOGFILE": str(self.place / "log"),
            "PATH": f"{self.place}:/usr/sbin:/usr/bin:/sbin:/bin",
        }


def gated(endpoints: list[str], **more: str) -> dict[str, str]:
    """Return the parameters of a gate that queries etcd."""
    return {"dcs_type": "etcd", "dcs_endpoints": ",".join(endpoints), "trigger_key": KEY, **more}
