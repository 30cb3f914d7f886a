"""A real Consul: agents on hosts of the tests' network."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

from tests.cases.consul_cases import KEY
from tests.leader import consul_program
from tests.leader.network import Host
from tests.support.processes import Running
from tests.support.waiting import wait_until

PORT = 8500
MANAGEMENT = "11111111-2222-3333-4444-555555555555"  # token that may do everything
ANONYMOUS = "00000000-0000-0000-0000-000000000002"  # Consul: "ACL System", built-in tokens
ELECTIONS = 10  # any server may win each of them
ESTABLISHED = "01"  # include/net/tcp_states.h
READER = f'key_prefix "" {{ policy = "deny" }} key "{KEY}" {{ policy = "read" }}'
DENIED = 'key_prefix "" { policy = "deny" }'


class Agent(NamedTuple):
    """An agent on a host. It is one of the servers if the servers' hosts include its own."""

    host: Host
    servers: Sequence[Host]
    directory: Path

    def start(self) -> Running:
        """Start the agent with its present data, and do not wait for it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        file = self.directory / "agent.json"
        file.write_text(json.dumps(self._configuration()))
        return self.host.start([str(consul_program.fetch()), "agent", "-config-file", str(file)])

    def _configuration(self) -> dict[str, object]:
        is_server = self.host in self.servers
        own = {"bootstrap_expect": len(self.servers)} if is_server else {}
        return {
            "server": is_server,
            **own,
            "node_name": self.host.name,
            "data_dir": str(self.directory / "data"),
            "bind_addr": self.host.back,
            "client_addr": "127.0.0.1",
            "retry_join": [server.back for server in self.servers],
            "retry_interval": "1s",
            "rejoin_after_leave": True,
            "performance": {"raft_multiplier": 1, "rpc_hold_timeout": "2s"},
            "acl": {
                "enabled": True,
                "default_policy": "allow",
                "tokens": {"master": MANAGEMENT},
            },
            "gossip_lan": {"probe_interval": "500ms", "suspicion_mult": 2},
            "ports": {"dns": -1, "grpc": -1, "serf_wan": -1},
            "disable_update_check": True,
            "log_level": "err",
        }

    def call(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send a request to this agent with all rights.

        Return status and body; status 0 on failure.
        """
        with self.host.entered():
            connection = HTTPConnection("127.0.0.1", PORT, timeout=30)
            try:
                connection.request(method, f"/v1/{path}", body, {"X-Consul-Token": MANAGEMENT})
                response = connection.getresponse()
                return response.status, response.read()
            except (OSError, HTTPException):
                return 0, b""
            finally:
                connection.close()

    def put(self, path: str, body: object = None) -> Any:
        """Send a PUT that must succeed, and return its result."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        status, answer = self.call("PUT", path, data)
        assert status == 200, f"{path}: {status} {answer.decode()}"
        return json.loads(answer) if answer.startswith((b"{", b"[", b"t", b"f")) else answer


class Consul:
    """Three servers; requests go to the first. `key` is the key that the tests use."""

    def __init__(self, hosts: Sequence[Host], directory: Path) -> None:
        self.servers = [Agent(host, hosts, directory / host.name) for host in hosts]
        self._processes = [server.start() for server in self.servers]
        self._asked = self.servers[0]
        self._session = ""
        wait_until(self.healthy, seconds=60)
        self._asked.put("acl/policy", {"Name": "denied", "Rules": DENIED})
        self._asked.put("acl/policy", {"Name": "reader", "Rules": READER})

    @property
    def host(self) -> Host:
        """Return the host that receives the requests."""
        return self._asked.host

    @property
    def port(self) -> int:
        """Return the port of the HTTP API at 127.0.0.1."""
        return PORT

    def healthy(self) -> bool:
        """Return whether the servers have a leader and all of them take part."""
        status, body = self._asked.call("GET", "operator/autopilot/health")
        if status != 200:
            return False
        health = json.loads(body)
        return bool(health["Healthy"] and len(health["Servers"]) == len(self.servers))

    def put(self, value: str) -> None:
        """Write the value without a lock."""
        assert self._asked.put(f"kv/{KEY}", value.encode()) is True

    def acquire(self, session: str, value: str, agent: Agent | None = None) -> None:
        """Write the value and take the free lock, with a new session of this name at this agent."""
        there = agent or self._asked
        # Without LockDelay, during which Consul refuses a lock whose last session has ended.
        wish = {"Name": session, "LockDelay": "0s"}
        # A member that has just joined is in critical state until the leader has checked it.
        wait_until(lambda: self._new_session(there, wish), seconds=60)
        assert there.put(f"kv/{KEY}?acquire={self._session}", value.encode()) is True

    def _new_session(self, agent: Agent, wish: dict[str, str]) -> bool:
        """Create a session; return False if the agent cannot have one yet."""
        status, body = agent.call("PUT", "session/create", json.dumps(wish).encode())
        if status != 200:
            return False
        self._session = json.loads(body)["ID"]
        return True

    def release(self) -> None:
        """Release the lock; the value stays."""
        path = f"kv/{KEY}?release={self._session}"
        assert self._asked.put(path, self.value().encode()) is True

    def end_session(self) -> None:
        """End the session that holds the lock."""
        assert self._asked.put(f"session/destroy/{self._session}") is True

    def delete(self) -> None:
        """Delete the key."""
        status, body = self._asked.call("DELETE", f"kv/{KEY}")
        assert (status, body) == (200, b"true")

    def value(self) -> str:
        """Return the value of the key."""
        return self._asked.call("GET", f"kv/{KEY}?raw")[1].decode()

    def is_locked(self) -> bool:
        """Return whether a session holds the lock."""
        status, body = self._asked.call("GET", f"kv/{KEY}")
        return status == 200 and "Session" in json.loads(body)[0]

    def snapshot(self) -> bytes:
        """Return a copy of the whole state."""
        status, body = self._asked.call("GET", "snapshot")
        assert status == 200
        return body

    def restore(self, snapshot: object) -> None:
        """Restore an earlier state: indexes go backwards."""
        assert isinstance(snapshot, bytes)
        self._asked.put("snapshot", snapshot)

    def require(self, token: str) -> None:
        """Let only clients that send this token read the key."""
        self._asked.put("acl/token", {"SecretID": token, "Policies": [{"Name": "reader"}]})
        self._anonymous("denied")

    def _anonymous(self, *policies: str) -> None:
        names = [{"Name": policy} for policy in policies]
        self._asked.put(f"acl/token/{ANONYMOUS}", {"Policies": names})

    def lose_leader(self) -> None:
        """Kill the other servers, so that the queried server has no majority."""
        for process in self._processes[1:]:
            process.close()
        # Until the lost leader's term ends, the error concerns the connection to it.
        question = ("GET", f"kv/{KEY}?consistent")
        wait_until(lambda: self._asked.call(*question) == (500, b"No cluster leader"))

    def mend(self) -> None:
        """Bring back the servers that were killed, and their leader."""
        for index, process in enumerate(self._processes):
            if not process.alive:
                self._processes[index] = self.servers[index].start()
        wait_until(self.healthy, seconds=60)

    def _follow(self) -> None:
        """Let another server lead than the queried one.

        A leader that loses the majority goes on holding requests; a follower ends them when the
        leader's connection is gone.
        """
        own = self.servers[0].host.back
        for _ in range(ELECTIONS):
            leader = json.loads(self._asked.call("GET", "status/leader")[1])
            if not leader.startswith(f"{own}:"):
                return
            self._processes[0].close()
            self.mend()
        raise AssertionError(f"{own} still leads after {ELECTIONS} elections")

    def renew(self) -> None:
        """Let node1 hold the lock of a fresh key, readable by every client."""
        self.mend()
        self._follow()
        self._anonymous()
        status, tokens = self._asked.call("GET", "acl/tokens")
        assert status == 200
        for token in json.loads(tokens):
            if any(policy["Name"] == "reader" for policy in token.get("Policies", ())):
                self._asked.call("DELETE", f"acl/token/{token['AccessorID']}")
        self.delete()
        self.acquire("session-1", "node1")

    def held(self) -> int:
        """Return the number of client connections to the API of the queried server."""
        port = f":{PORT:04X}"
        with self.host.entered(), open(f"/proc/self/task/{threading.get_native_id()}/net/tcp") as f:
            rows = [line.split() for line in f]
        return sum(row[1].endswith(port) and row[3] == ESTABLISHED for row in rows)
