"""A real Patroni with PostgreSQL: two members on hosts of the tests' network."""

from __future__ import annotations

import contextlib
import json
import pwd
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import urllib3

from tests.leader.etcd import Cluster
from tests.leader.network import Host
from tests.leader.power_loss import kill_everything
from tests.support.processes import Running, with_variables
from tests.support.waiting import wait_until

PLACE = Path("/run/patroni")  # outside of pytest's directories, which PostgreSQL could not enter
SCOPE = "mycluster"
PORT = 8008
START = 60.0  # seconds that initdb and a base backup may take
_USER = pwd.getpwnam("postgres")
_AS_POSTGRES = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
_BINARIES = str(max(Path("/usr/lib/postgresql").glob("[1-9][0-9]/bin")))

# The shortest times that Patroni accepts.
_DYNAMIC: dict[str, object] = {
    "ttl": 20,
    "loop_wait": 1,
    "retry_timeout": 3,
    "postgresql": {"parameters": {"fsync": "off", "shared_buffers": "16MB"}},
}


@contextlib.contextmanager
def running(hosts: Sequence[Host], store: Cluster) -> Iterator[Patroni]:
    """Yield members on these hosts. Other processes there are killed before and after."""
    store.mend()
    _clear(hosts, store)
    try:
        yield Patroni(hosts, store.endpoints)
    finally:
        _clear(hosts, store)


def _clear(hosts: Sequence[Host], store: Cluster) -> None:
    for host in hosts:
        kill_everything(host)
    shutil.rmtree(PLACE, ignore_errors=True)
    store.ctl("del", "/service", "--prefix")


class Patroni:
    """The members, by host; the first one that starts leads."""

    def __init__(self, hosts: Sequence[Host], etcd: Sequence[str]) -> None:
        self.hosts = list(hosts)
        self.place = PLACE
        self._etcd = [endpoint.partition("://")[2] for endpoint in etcd]
        self.processes: dict[str, Running] = {}
        for host in self.hosts:
            (self.place / host.name).mkdir(parents=True)
            self._file(host).write_text(json.dumps(self._settings(host)))
        for path in (self.place, *self.place.rglob("*")):
            shutil.chown(path, _USER.pw_uid, _USER.pw_gid)
        for host in self.hosts:
            self.start(host)
            wait_until(lambda host=host: self.passes(host, "/health"), seconds=START)  # type: ignore[misc]

    def start(self, host: Host) -> None:
        argv = [*_AS_POSTGRES, "patroni", str(self._file(host))]
        self.processes[host.name] = host.start(argv, env=with_variables({"HOME": str(self.place)}))

    def ask(self, host: Host, path: str) -> tuple[int, bytes]:
        """Return status and body of a member's REST API; status 0 without an answer."""
        with host.entered():
            pool = urllib3.HTTPConnectionPool(host.front, PORT, timeout=3, retries=False)
            try:
                answer = pool.urlopen("GET", path)
            except urllib3.exceptions.HTTPError:
                return 0, b""
            finally:
                pool.close()
        return answer.status, answer.data

    def passes(self, host: Host, check: str) -> bool:
        return self.ask(host, check)[0] == 200

    def status(self, host: Host) -> dict[str, object]:
        """Return a member's own status."""
        found: dict[str, object] = json.loads(self.ask(host, "/patroni")[1] or b"{}")
        return found

    def leader(self) -> Host:
        """Return the leading member, once the other one follows it."""

        def found() -> list[Host]:
            leaders = [host for host in self.hosts if self.passes(host, "/leader")]
            replicas = [host for host in self.hosts if self.passes(host, "/replica")]
            return leaders if len(leaders) + len(replicas) == len(self.hosts) else []

        return wait_until(found, seconds=START)[0]

    def other(self, host: Host) -> Host:
        return next(other for other in self.hosts if other is not host)

    def ctl(self, *words: str) -> str:
        """Return the output of patronictl."""
        host = self.hosts[0]
        argv = [*_AS_POSTGRES, "patronictl", "-c", str(self._file(host)), *words]
        return host.run(
            argv, env=with_variables({"HOME": str(self.place), "LC_ALL": "C.UTF-8"})
        ).stdout

    def switch_over(self) -> None:
        """Let the other member lead. Returns when the old one has released its leadership."""
        now = self.leader()
        words = ["--leader", now.name, "--candidate", self.other(now).name, "--force"]
        self.ctl("switchover", SCOPE, *words)

    def turn_failsafe_on(self) -> None:
        """Turn failsafe mode on.

        Wait until every member knows the members to reach without a store.
        """
        self.ctl("edit-config", SCOPE, "--force", "--set", "failsafe_mode=true")
        everyone = {host.name for host in self.hosts}
        for host in self.hosts:
            wait_until(lambda host=host: self._failsafe(host) == everyone)  # type: ignore[misc]

    def _failsafe(self, host: Host) -> set[str]:
        status, body = self.ask(host, "/failsafe")
        return set(json.loads(body)) if status == 200 else set()

    def _file(self, host: Host) -> Path:
        return self.place / f"{host.name}.json"

    def _settings(self, host: Host) -> dict[str, object]:
        """Return the configuration, in JSON, which is YAML as well."""
        home = self.place / host.name
        users = {
            "superuser": {"username": "postgres", "password": "postgres"},
            "replication": {"username": "replicator", "password": "replicator"},
        }
        return {
            "scope": SCOPE,
            "name": host.name,
            "restapi": {
                "listen": f"{host.front}:{PORT}",
                "connect_address": f"{host.front}:{PORT}",
            },
            "etcd3": {"hosts": self._etcd},
            "bootstrap": {
                "dcs": _DYNAMIC,
                "initdb": ["no-sync", {"encoding": "UTF8"}, {"locale": "C"}],
            },
            "postgresql": {
                "listen": "0.0.0.0:5432",  # also at an address that comes later
                "connect_address": f"{host.front}:5432",
                "data_dir": str(home / "data"),
                "bin_dir": _BINARIES,
                "pgpass": str(home / "pgpass"),
                "authentication": users,
                "parameters": {"unix_socket_directories": str(home)},
                "pg_hba": ["local all all trust", "host all all 0.0.0.0/0 md5"]
                + ["host replication replicator 0.0.0.0/0 md5"],
            },
        }
