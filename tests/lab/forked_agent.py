"""Agent runs without the start of an interpreter, for cases that need hundreds of them.

Each run is a fork of a process that has loaded the agent. It executes the same code as the
executable does after its imports, with the real crm_mon, ipvsadm and kernel.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.lab.operation import AgentResult, agent_result
from tests.lab.resource import Resource
from tests.support.processes import Completed

SERVER = Path(__file__).parent / "agent_server.py"
PYTHON = "/usr/bin/python3"


class ForkedResource(Resource):
    """A resource whose actions run in forks of one process. Use it in a `with` statement.

    `limits` hold for actions from now on: see `agent_server.py`.
    """

    limits: Mapping[str, object] = {}

    def __enter__(self) -> ForkedResource:
        with self.host.entered():
            self._server = subprocess.Popen(
                [PYTHON, "-I", str(SERVER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate()

    def run(
        self, action: str, timeout: float = 30.0, interval: float = 0.0, **env: str
    ) -> AgentResult:
        """Run an action to its end."""
        environment = self.operation(action, timeout, interval, **env).environment(
            self.host.name, self.host.rsctmp
        )
        with tempfile.NamedTemporaryFile("r") as stdout, tempfile.NamedTemporaryFile("r") as stderr:
            request = json.dumps([action, environment, stdout.name, stderr.name, dict(self.limits)])
            assert self._server.stdin is not None
            assert self._server.stdout is not None
            print(request, file=self._server.stdin, flush=True)
            status = int(self._server.stdout.readline())
            return agent_result(Completed(status, stdout.read(), stderr.read()))
