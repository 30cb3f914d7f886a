"""One action of an agent, called the way Pacemaker's executor calls it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import AGENTS
from tests.support.processes import Completed

AGENT = AGENTS / "lvsdr"
PREFIX = "ocf-exit-reason:"


class Operation(NamedTuple):
    """An action and its environment.

    `cib` is a file that crm_mon reads in place of a cluster (CIB_file). `timeout` and `interval`
    are in seconds. `env` is added last.
    """

    action: str
    parameters: Mapping[str, object] = {}
    cib: Path | str | None = None
    agent: Path | str = AGENT
    instance: str = "lvs"
    timeout: float = 30.0
    interval: float = 0.0
    env: Mapping[str, str] = {}

    def environment(self, node: str, rsctmp: Path) -> dict[str, str]:
        """Return the environment of an agent on `node`: OCF 1.1, with Pacemaker 2.1's additions."""
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "OCF_RA_VERSION_MAJOR": "1",
            "OCF_RA_VERSION_MINOR": "1",
            "OCF_ROOT": "/usr/lib/ocf",
            "OCF_EXIT_REASON_PREFIX": PREFIX,
            "OCF_RESOURCE_INSTANCE": self.instance,
            "OCF_RESOURCE_TYPE": Path(self.agent).name,
            "OCF_RESOURCE_PROVIDER": "lvsdr",
            "HA_RSCTMP": str(rsctmp),
            "HA_LOGFACILITY": "none",
            "OCF_RESKEY_crm_feature_set": "3.16.2",
            "OCF_RESKEY_CRM_meta_name": self.action,
            "OCF_RESKEY_CRM_meta_on_node": node,
            "OCF_RESKEY_CRM_meta_timeout": f"{self.timeout * 1000:.0f}",
            "OCF_RESKEY_CRM_meta_interval": f"{self.interval * 1000:.0f}",
            "OCF_RESKEY_watch": "false",  # most cases look at the table after each monitor
            **{f"OCF_RESKEY_{name}": str(value) for name, value in self.parameters.items()},
            **({"CIB_file": str(self.cib)} if self.cib else {}),
            **self.env,
        }


class AgentResult(NamedTuple):
    """Result of an action. `reason` is from its last `ocf-exit-reason:` line, or empty."""

    exit_code: int
    stdout: str
    stderr: str
    reason: str


def agent_result(completed: Completed) -> AgentResult:
    said = completed.stderr.splitlines()
    reasons = [line[len(PREFIX) :] for line in said if line.startswith(PREFIX)]
    return AgentResult(*completed, reasons[-1] if reasons else "")
