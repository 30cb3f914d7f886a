"""Cluster of the demo: nodes in a given state, the agent, and a client."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress

from lvsdr.agents.lvsdr.findings import gather_findings
from lvsdr.agents.lvsdr.parameter_rules import PARAMETERS
from lvsdr.agents.lvsdr.pool_plan import plan_pool
from lvsdr.agents.lvsdr.saved_pool import load_saved_pool
from lvsdr.agents.lvsdr.settings import read_settings
from lvsdr.ipvs.table import Service
from lvsdr.ipvs.text import parse_proc
from lvsdr.pacemaker.cluster import ClusterState
from lvsdr.pool.change_messages import Row
from lvsdr.system import crm
from lvsdr.values.deadline import Deadline
from lvsdr.watcher.last_cycle import read_cycle

from tests.lab.client import Session, State
from tests.lab.host import SCRATCH
from tests.lab.operation import AgentResult, Operation, agent_result
from tests.lab.show import packet_path
from tests.lab.world import World
from tests.support import cib
from tests.support.waiting import wait_until

CONNECTIONS = 30
INSTANCE = "lvsdr"
PATIENCE = 30.0  # seconds for crm_mon
HANGING = 1.0  # seconds without an answer


class DemoCluster:
    """The lab's hosts, with director1 as the director."""

    def __init__(self, world: World, parameters: Mapping[str, object]) -> None:
        self._world = world
        self._director = world.director1
        self._usual_parameters = self._parameters = parameters
        self._sessions: dict[str, Session] = {}

    # --- the cluster

    def set_nodes(self, *nodes: cib.Node) -> None:
        """Set the state of the cluster."""
        os.environ["CIB_file"] = str(cib.write(SCRATCH / "cib.xml", nodes))

    def lose_cluster(self) -> None:
        """Let crm_mon query a running cluster, which does not exist."""
        del os.environ["CIB_file"]

    def unplug(self, node: str) -> None:
        """Cut a node off, as if its power was lost."""
        self._world.hosts[node].ip(["link set eth0 down"])

    def plug(self, node: str) -> None:
        """Connect a node that was cut off. Its service starts anew, without its sessions."""
        assert self._world.servers is not None
        self._world.servers.hang_up(node)
        self._world.servers.listen(node)
        self._world.hosts[node].ip(["link set eth0 up"])

    def state(self) -> ClusterState:
        """Query crm_mon, as the agent does. Raise SourceUnavailable if it has no answer."""
        return crm.read_cluster_state(Deadline.after(PATIENCE))

    # --- the packet path

    def lay_path(self) -> Iterator[tuple[str, str, AgentResult]]:
        """Let the agents lay the path. Yield host, agent and result of each start."""
        return packet_path.lay_packet_path(self._world)

    def owner(self) -> str:
        """Return the host that answers for the VIP."""
        return packet_path.owner(self._world)

    # --- the agent

    def verdicts(self) -> list[Row]:
        """Return the verdicts of the agent's next action, by host, without changing anything."""
        operation = self._operation("monitor")
        environ = operation.environment(self._director.name, self._director.rsctmp)
        wanted = read_settings(PARAMETERS.parse(environ))
        saved = load_saved_pool(f"{self._director.rsctmp}/lvsdr-{INSTANCE}.state")
        findings = gather_findings(wanted, saved, Deadline.after(PATIENCE))
        plan = plan_pool(wanted, findings, self._service(), saved.drains, time.monotonic())
        return sorted(plan.decision.rows, key=lambda row: row.host)

    def agent(self, action: str) -> AgentResult:
        """Run an action of the agent as Pacemaker does."""
        return agent_result(self._director.start_agent(self._operation(action)).wait())

    def _operation(self, action: str) -> Operation:
        interval = 5.0 if action == "monitor" else 0.0
        file = os.environ.get("CIB_file")
        return Operation(action, self._parameters, file, instance=INSTANCE, interval=interval)

    def reload(self, parameters: Mapping[str, object]) -> AgentResult:
        """Run reload-agent with these parameters beside the usual ones."""
        self._parameters = {**self._usual_parameters, **parameters}
        return self.agent("reload-agent")

    def last_verdict(self, node: str) -> str:
        """Return the verdict of the last cycle on a node, with its reason."""
        last = read_cycle(f"{self._director.rsctmp}/lvsdr-{INSTANCE}.cycle")
        rows = [] if last is None else [row.split("\t") for row in last.rows]
        return next(f"{row[0]} {row[2]}: {row[-1]}" for row in rows if row[0] == node)

    # --- the kernel

    def await_weight(self, node: str, weight: int) -> float:
        """Wait until a node has this weight, or no entry for 0; return the seconds."""
        began = time.monotonic()
        wait_until(lambda: self.weights().get(node, 0), weight.__eq__, f"weight {weight} of {node}")
        return time.monotonic() - began

    def _service(self) -> Service | None:
        return next(iter(parse_proc(self._director.proc_ipvs()).values()), None)

    def weights(self) -> dict[str, int]:
        """Return the weights in the kernel's table, by host."""
        service = self._service()
        names = {host.address: name for name, host in self._world.hosts.items()}
        servers = service.real_servers.items() if service else ()
        return {names[key.address]: server.config.weight for key, server in servers}

    def table(self) -> str:
        """Return the table as `ipvsadm -Ln` prints it."""
        return self._director.run(["ipvsadm", "-Ln"]).stdout

    # --- the client

    def connect(self) -> list[Session]:
        """Open new connections."""
        return [self._world.client.connect() for _ in range(CONNECTIONS)]

    def release(self, sessions: list[Session]) -> None:
        """Close connections, except one on each real server that has no session yet."""
        for session in sessions:
            if self._sessions.setdefault(session.host, session) is not session:
                session.close()

    def answered(self, connections: int) -> int:
        """Open and close connections. Return the number of those answered within a second."""
        answered = 0
        for _ in range(connections):
            with suppress(TimeoutError):
                self._world.client.connect(timeout=HANGING).close()
                answered += 1
        return answered

    def sessions(self) -> dict[str, State]:
        """Return the state of every kept session, by node, and forget those that are over."""
        states = {node: session.state() for node, session in sorted(self._sessions.items())}
        for node, state in states.items():
            if state is not State.ALIVE:
                self.hang_up(node)
        return states

    def hang_up(self, node: str) -> None:
        """End the client's session on that node."""
        self._sessions.pop(node).close()
        self._director.await_rest(self._world.hosts[node])
