"""A resource of the agent lvsdr on one host of the lab, and its view of the kernel's table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.lab.client import Session, State
from tests.lab.host import VIP, Host
from tests.lab.operation import AGENT, AgentResult, Operation, agent_result
from tests.support import cib
from tests.support.processes import Running

SERVICE = f"-t {VIP}:5432"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
OK, DEGRADED, NOT_RUNNING = 0, 190, 7  # OCF exit codes
FAILED, NOT_PERMITTED, NOT_INSTALLED, MISCONFIGURED = 1, 4, 5, 6

# The first of the documented configurations: reads from the standbys that stream.
STANDBYS: Mapping[str, object] = {
    "vip": VIP,
    "port": 5432,
    "realserver_dependent_resource": "lvsdr-realsvr-clone",
    "realserver_dependent_attribute_name": "pgsql-status",
    "realserver_dependent_attribute_value": "HS:sync|HS:potential|HS:async",
    "virtual_service_options": "-s rr",
}
LISTED: Mapping[str, object] = {
    "vip": VIP,
    "port": 5432,
    "weight_of_realservers": "node1,1 node2,1 node3,1",
}
ALL = (cib.Node("node1"), cib.Node("node2"), cib.Node("node3"))
WITHOUT_NODE3 = (*ALL[:2], ALL[2]._replace(standby=True))
EVEN = {"node1": 1, "node2": 1, "node3": 1}
NODE = {f"{net}2{n}": f"node{n}" for n in (1, 2, 3) for net in ("10.77.0.", "fd77::")}

# Services of other owners in the same table, with every part of a key and unusual settings.
NEIGHBOURS = f"""\
-A -t {VIP}:5433 -s wlc -p 77 -M 255.255.255.0
-a -t {VIP}:5433 -r 10.77.0.21:5433 -g -w 7 -x 900 -y 300
-a -t {VIP}:5433 -r 10.99.0.1:80 -m -w 0
-A -u {VIP}:5432 -s sh -b sh-port
-a -u {VIP}:5432 -r 10.77.0.22:5432 -g -w 65535
-A -t 10.77.0.101:5432 -s wrr
-a -t 10.77.0.101:5432 -r 10.77.0.23:5432 -i -w 3 -x 5 -y 1
-A -f 5432 -s lc
-a -f 5432 -r 10.77.0.21:5432 -g -w 2
-A -t [fd77::100]:5432 -s rr -p 360
-a -t [fd77::100]:5432 -r [fd77::23]:5432 -g -w 11 -x 8 -y 7
"""


class Resource:
    """A resource as Pacemaker runs it, in a cluster that is a sketch in a file.

    `parameters` may be changed at any time, as by `pcs resource update`.
    """

    def __init__(
        self,
        host: Host,
        directory: Path,
        parameters: Mapping[str, object] = STANDBYS,
        instance: str = "lvs",
    ) -> None:
        self.host = host
        self.cib = directory / f"{instance}.cib.xml"
        self.parameters = dict(parameters)
        self.instance = instance
        self.agent: Path | str = AGENT
        self.cluster(*ALL)

    def cluster(self, *nodes: cib.Node) -> None:
        """Set the state of the cluster.

        The sketch is valid, but loading the schema would take half of crm_mon's time.
        """
        self.cib.write_text(cib.render(list(nodes)).replace(cib.SCHEMA, "none", 1))

    def operation(
        self, action: str, timeout: float = 30.0, interval: float = 0.0, **env: str
    ) -> Operation:
        at, with_, name = self.cib, self.parameters, self.instance
        return Operation(action, with_, at, self.agent, name, timeout, interval, env)

    def begin(
        self, action: str, timeout: float = 30.0, interval: float = 0.0, **env: str
    ) -> Running:
        """Start an action and let it run."""
        return self.host.start_agent(self.operation(action, timeout, interval, **env))

    def run(
        self, action: str, timeout: float = 30.0, interval: float = 0.0, **env: str
    ) -> AgentResult:
        """Run an action to its end."""
        return agent_result(self.begin(action, timeout, interval, **env).wait())

    def start(self) -> None:
        result = self.run("start", 60.0)
        assert result.exit_code == OK, result

    def stop(self) -> None:
        result = self.run("stop", 20.0)
        assert result.exit_code == OK, result

    def reload(self, **parameters: object) -> None:
        """Change parameters, and run reload-agent."""
        self.parameters.update(parameters)
        result = self.run("reload-agent")
        assert result.exit_code == OK, result

    def monitor(self, timeout: float = 30.0, **env: str) -> AgentResult:
        """Run the recurring monitor."""
        return self.run("monitor", timeout, 5.0, **env)

    def probe(self, **env: str) -> AgentResult:
        """Run the probe, which changes nothing."""
        return self.run("monitor", 30.0, 0.0, **env)

    def pool(self) -> dict[str, int]:
        """Return the weights in the kernel's table, by node name for addresses of nodes."""
        return weights(self.host.ipvs_text(), self.service)

    @property
    def service(self) -> str:
        """Return the service as ipvsadm spells it: "-t 10.77.0.100:5432"."""
        vip, port = str(self.parameters["vip"]), self.parameters["port"]
        option = "-u" if self.parameters.get("protocol") == "udp" else "-t"
        return f"{option} [{vip}]:{port}" if ":" in vip else f"{option} {vip}:{port}"

    @property
    def header(self) -> str:
        """Return the line of the service itself: "-A -t 10.77.0.100:5432 -s rr"."""
        return next(line for line in lines_of(self.host.ipvs_text(), self.service) if "-A" in line)


def one_on_each(client: Host) -> dict[str, Session]:
    """Open a session on each real server."""
    sessions = {session.host: session for session in (client.connect() for _ in EVEN)}
    assert sorted(sessions) == sorted(EVEN)
    return sessions


def all_alive(sessions: dict[str, Session]) -> bool:
    return {session.state() for session in sessions.values()} == {State.ALIVE}


def lines_of(table: str, service: str) -> list[str]:
    """Return the lines of an `ipvsadm -Sn` that belong to a service."""
    return [line.strip() for line in table.splitlines() if f"{line} "[3:].startswith(f"{service} ")]


def other_lines(table: str, service: str) -> list[str]:
    """Return the other lines of an `ipvsadm -Sn`, sorted.

    The order of services is that of the kernel's hash table, which Linux 7 resizes at run time.
    """
    ours = lines_of(table, service)
    return sorted(line.strip() for line in table.splitlines() if line.strip() not in ours)


def weights(table: str, service: str) -> dict[str, int]:
    """Return the weights of a service's real servers in an `ipvsadm -Sn`."""
    found = {}
    for line in lines_of(table, service):
        words = line.split()
        if words[0] == "-a":
            address = words[words.index("-r") + 1].rpartition(":")[0].strip("[]")
            found[NODE.get(address, address)] = int(words[words.index("-w") + 1])
    return found


def script(path: Path, body: str, mode: int = 0o755) -> Path:
    """Write a shell script."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(mode)
    return path


def first_in_path(directory: Path, program: str, body: str) -> str:
    """Return a PATH in which a shell script precedes the program of that name."""
    directory.mkdir(exist_ok=True)
    script(directory / program, body)
    return f"{directory}:{PATH}"
