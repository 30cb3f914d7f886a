"""A real etcd: members on hosts of the tests' network, and etcd's own client."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.leader.network import Host
from tests.support.processes import Running, with_variables
from tests.support.waiting import wait_until

KEY = "/service/mycluster/leader"
_QUICK = ["--heartbeat-interval", "50", "--election-timeout", "500", "--log-level", "error"]


class Member(NamedTuple):
    """A member of a cluster on these hosts."""

    host: Host
    hosts: Sequence[Host]
    directory: Path
    options: Sequence[str] = ()
    scheme: str = "http"

    @property
    def endpoint(self) -> str:
        return f"{self.scheme}://{self.host.front}:2379"

    def start(self) -> Running:
        """Start the member with its present data, and do not wait for it."""
        everyone = ",".join(f"{host.name}=http://{host.back}:2380" for host in self.hosts)
        peer = f"http://{self.host.back}:2380"
        argv = ["etcd", "--name", self.host.name, "--data-dir", str(self.directory)]
        argv += ["--listen-client-urls", self.endpoint, "--advertise-client-urls", self.endpoint]
        argv += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
        argv += ["--initial-cluster", everyone, *_QUICK, *self.options]
        return self.host.start(argv)


class Cluster:
    """A cluster's members, each with its process. `client` is the host that etcdctl runs on."""

    def __init__(self, members: Sequence[Member], client: Host, options: Sequence[str] = ()):
        self.members = list(members)
        self.processes = [member.start() for member in self.members]
        self._client = client
        self.options = list(options)
        wait_until(self.healthy)

    @property
    def endpoints(self) -> list[str]:
        return [member.endpoint for member in self.members]

    def ctl(
        self,
        *words: str,
        check: bool = True,
        members: Sequence[int] | None = None,
        stdin: str = "",
    ) -> str:
        """Return the output of etcdctl for these members, or for all."""
        chosen = range(len(self.members)) if members is None else members
        where = ",".join(self.endpoints[index] for index in chosen)
        argv = ["etcdctl", "--endpoints", where, "--command-timeout", "2s", *self.options, *words]
        return self._client.run(
            argv, check=check, stdin=stdin, env=with_variables({"ETCDCTL_API": "3"})
        ).stdout

    def put(self, value: str, members: Sequence[int] | None = None) -> None:
        """Write the leader's key; during an election that may take some tries.

        A try that timed out may still arrive later. So each write is conditional on the key's
        revision, and has no effect after another write.
        """
        wait_until(lambda: self._tried(value, members))

    def _tried(self, value: str, members: Sequence[int] | None) -> bool:
        now = self.ctl("get", KEY, "--write-out", "json", check=False, members=members)
        if not now:
            return False
        found = json.loads(now).get("kvs")
        revision = found[0]["mod_revision"] if found else 0
        wish = f'mod("{KEY}") = "{revision}"\n\nput {KEY} {json.dumps(value)}\n\n\n'
        said = self.ctl("txn", check=False, members=members, stdin=wish)
        return said.startswith("SUCCESS")

    def delete(self) -> None:
        self.ctl("del", KEY)

    def compact(self) -> None:
        """Compact all revisions but the latest."""
        header = json.loads(self.ctl("get", KEY, "--write-out", "json"))["header"]
        self.ctl("compaction", str(header["revision"]))

    def healthy(self) -> bool:
        """Return whether every member is healthy."""
        said = self.ctl("endpoint", "health", "--write-out", "json", check=False)
        return said != "" and all(member["health"] for member in json.loads(said))

    def leader(self) -> int:
        """Return the index of the leading member."""

        def found() -> list[int]:
            said = self.ctl("endpoint", "status", "--write-out", "json", check=False)
            statuses = [one["Status"] for one in json.loads(said)] if said else []
            where = [one["Endpoint"] for one in json.loads(said)] if said else []
            return [
                self.endpoints.index(endpoint)
                for endpoint, status in zip(where, statuses)
                if status["header"]["member_id"] == status["leader"]
            ]

        return wait_until(found)[0]

    def let_lead(self, members: Sequence[int]) -> None:
        """Move the leadership to one of these members, unless it is there."""
        now = self.leader()
        if now not in members:
            numbers = {
                one["Endpoint"]: one["Status"]["header"]["member_id"]
                for one in json.loads(self.ctl("endpoint", "status", "--write-out", "json"))
            }
            heir = f"{numbers[self.endpoints[members[0]]]:x}"
            wait_until(lambda: self.ctl("move-leader", heir, members=[now], check=False))
            wait_until(lambda: self.leader() in members)

    def kill(self, index: int) -> None:
        self.processes[index].close()

    def restart(self, index: int) -> None:
        self.kill(index)
        self.processes[index] = self.members[index].start()

    def mend(self) -> None:
        """Restart members that were killed or cut off, and wait for their health."""
        for index, process in enumerate(self.processes):
            host = self.members[index].host
            # a member that was cut off is back sooner after a restart
            if host.unplugged or not process.alive:
                host.plug()
                self.restart(index)
        wait_until(self.healthy)
