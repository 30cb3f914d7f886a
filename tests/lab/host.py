"""A host of the lab: a network namespace with its processes, sessions and IPVS table."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv6Address
from pathlib import Path

from tests.lab import client
from tests.lab.echo import PORT
from tests.lab.operation import AGENT, AgentResult, Operation, agent_result
from tests.support.hosts import NamespaceHost
from tests.support.namespaces import sysctl
from tests.support.processes import TIMEOUT, Running, checked
from tests.support.waiting import wait_until

SCRATCH = Path("/run/lab")
VIP, VIP6 = "10.77.0.100", "fd77::100"
HEADING = 3  # lines of /proc/net/ip_vs
SHORT_MEMORY = 1  # seconds for which IPVS of a director keeps a connection after its FIN


class Host(NamespaceHost):
    """A host of the lab; `rsctmp` is its own HA_RSCTMP."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(name)
        self.address = f"10.77.0.{number}"
        self.address6 = f"fd77::{number}"
        self.addresses = (self.address, self.address6)
        self.rsctmp = SCRATCH / name
        self._sessions: list[client.Session] = []

    def __repr__(self) -> str:
        return f"<{self.name} {self.address}>"

    def sysctl(self, name: str, value: str | int | None = None) -> str:
        """Return a sysctl such as "net/ipv4/ip_forward", after setting it if `value` is given."""
        with self.entered():
            return sysctl(name, value)

    # --- processes

    def ip(self, lines: Sequence[str], *, check: bool = True) -> None:
        """Run commands of ip(8) such as "addr add …" on this host, in one process."""
        self.run(["ip", "-force", "-batch", "-"], stdin="\n".join(lines) + "\n", check=check)

    def start_agent(self, operation: Operation) -> Running:
        """Start an action of an agent. Pass the result of `wait` to `agent_result`."""
        argv = [str(operation.agent), operation.action]
        return self.start(argv, env=operation.environment(self.name, self.rsctmp))

    def agent(
        self,
        action: str,
        parameters: Mapping[str, object],
        *,
        cib: Path | str | None = None,
        timeout: float = 30.0,
        interval: float = 0.0,
        agent: Path | str = AGENT,
        instance: str = "lvs",
        **env: str,
    ) -> AgentResult:
        """Run an action of an agent to its end. The arguments are those of `Operation`.

        Raises CommandFailed if it takes a minute and more than twice its timeout.
        """
        operation = Operation(action, parameters, cib, agent, instance, timeout, interval, env)
        return agent_result(self.start_agent(operation).wait(max(TIMEOUT, 2 * timeout)))

    # --- IPVS

    def proc_ipvs(self) -> str:
        """Return this host's /proc/net/ip_vs."""
        with self.entered():
            # /proc/net is the namespace of the process's first thread.
            return Path("/proc/thread-self/net/ip_vs").read_text()

    def ipvs_text(self) -> str:
        """Return this host's table as `ipvsadm -Sn` prints it."""
        return self.run(["ipvsadm", "-Sn"]).stdout

    def restore_ipvs(self, text: str) -> None:
        """Feed lines such as "-A -t 10.77.0.100:5432 -s rr" to `ipvsadm -R`."""
        completed = self.run(["ipvsadm", "-R"], stdin=text)
        # Its exit status is that of the last line alone.
        checked(["ipvsadm", "-R"], completed._replace(returncode=len(completed.stderr)))

    def forget_after(self, seconds: int) -> None:
        """Set the seconds for which IPVS keeps a connection after a FIN (120 s by default).

        A director of direct routing does not see the server's side. A connection that the client
        has shut down may therefore still be in use.
        """
        self.run(["ipvsadm", "--set", "0", str(seconds), "0"])

    @contextlib.contextmanager
    def remembering_for(self, seconds: int) -> Iterator[None]:
        """Keep such connections for longer, until the end of the block."""
        self.forget_after(seconds)
        try:
            yield
        finally:
            self.forget_after(SHORT_MEMORY)

    def await_rest(self, real_server: Host) -> None:
        """Wait until IPVS has no connection to a real server, neither active nor inactive."""
        digits = "".join(f"{int(octet):02X}" for octet in real_server.address.split("."))
        of_either = f"-> {digits}:", f"-> [{IPv6Address(real_server.address6).exploded}]:"
        wait_until(
            lambda: self._connections_of(of_either),
            lambda lines: not lines,
            f"{self.name} has no connection to {real_server.name}",
            seconds=TIMEOUT,
            pause=0.1,
        )

    def _connections_of(self, entries: Sequence[str]) -> list[str]:
        """Return the lines of the table that begin an entry so, and count connections."""
        lines = self.proc_ipvs().splitlines()
        of_these = [line for line in lines if any(entry in line for entry in entries)]
        return [line for line in of_these if line.split()[-2:] != ["0", "0"]]

    # --- clients

    def connect(
        self, address: str = VIP, port: int = PORT, timeout: float = client.TIMEOUT
    ) -> client.Session:
        """Open a session from this host. It is closed at the latest when the host is reset."""
        session = client.connect(self.name, address, port, timeout)
        self._sessions.append(session)
        return session

    def spread(self, connections: int, address: str = VIP, port: int = PORT) -> Counter[str]:
        """Count the real servers that new connections land on. Close each at once."""
        return client.spread(self.name, address, connections, port)

    def udp_ask(self, address: str = VIP, port: int = PORT, timeout: float = client.TIMEOUT) -> str:
        """Send one datagram from a fresh port and return the name of the host that answers."""
        return client.ask(self.name, address, port, timeout)

    # --- the end

    def close(self) -> None:
        """End all processes and sessions that were started here."""
        super().close()
        for session in self._sessions:
            session.close()
        self._sessions.clear()

    def reset(self) -> None:
        """End this host's processes and sessions; reset its IPVS table, sysctls and HA_RSCTMP."""
        self.close()
        shutil.rmtree(self.rsctmp, ignore_errors=True)
        self.rsctmp.mkdir(parents=True)
        if len(self.proc_ipvs().splitlines()) > HEADING:
            # Otherwise its connections stay for two minutes. A client port that is used again in
            # that time would be sent to the old real server.
            self.sysctl("net/ipv4/vs/expire_nodest_conn", 1)
            self.run(["ipvsadm", "-C"])
        for name in ("expire_nodest_conn", "expire_quiescent_template"):
            self.sysctl(f"net/ipv4/vs/{name}", 0)
