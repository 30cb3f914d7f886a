"""The products in the place of the director: lvsdr and its peers, started and ended."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from shutil import chown, rmtree
from typing import NamedTuple

from tests.bench.peers import configurations
from tests.bench.peers.databases import CHECKER, PLACE, USER, Databases
from tests.bench.peers.programs import Programs
from tests.lab.host import VIP
from tests.lab.resource import LISTED, OK
from tests.lab.watched import Watched
from tests.lab.world import World
from tests.support.waiting import NotInTime, wait_until

PORT = 5432


class Bench(NamedTuple):
    """The things that a product needs: the hosts, the databases, and the peers' programs."""

    world: World
    databases: Databases
    programs: Programs


class Product(ABC):
    """A product on director1. `configuration` is quoted in the report."""

    configuration: str

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.director = bench.world.director1

    @abstractmethod
    def start(self) -> None:
        """Start the product. It need not serve yet."""

    def stop(self) -> None:
        """End the product, with all of its processes and entries in the kernel's table."""
        self.director.reset()


class Lvsdr(Product):
    """This product, with a watcher and a health check. The cluster's state is a file."""

    def __init__(self, bench: Bench, check: str) -> None:
        super().__init__(bench)
        parameters = {**LISTED, "virtual_service_options": "-s rr", "realserver_check": check}
        if check == "postgres":
            parameters["realserver_check_conninfo"] = f"user={CHECKER} dbname=postgres"
        PLACE.mkdir(exist_ok=True)
        self._resource = Watched(self.director, PLACE, {**parameters, "watch": "true"})
        settings = (f"{name}={_quoted(value)}" for name, value in parameters.items())
        self.configuration = " \\\n    ".join(
            ["pcs resource create lvsdr ocf:lvsdr:lvsdr", *settings]
        )

    def start(self) -> None:
        log = PLACE / "lvsdr.log"
        result = self._resource.run("start", 60.0, HA_LOGFILE=str(log))
        assert result.exit_code == OK, result.reason
        try:
            wait_until(lambda: [*self.director.rsctmp.glob("*.sock")], description="the watcher")
        except NotInTime as problem:
            raise AssertionError(f"{problem}\n{log.read_text()}") from None

    def stop(self) -> None:
        self._resource.stop()
        super().stop()


class Peer(Product):
    """A program with a configuration file."""

    def __init__(self, bench: Bench, name: str, options: Sequence[str], text: str) -> None:
        super().__init__(bench)
        self.place = PLACE / name
        self.configuration = text
        self._argv = [*bench.programs.command(name), *options]

    def start(self) -> None:
        self.place.mkdir(parents=True, exist_ok=True)
        (self.place / "conf").write_text(self.configuration)
        (self.place / "users").write_text(f'"{USER}" ""\n"{CHECKER}" ""\n')
        for path in (self.place, *self.place.iterdir()):
            chown(path, USER, USER)
        environment = {**self.bench.programs.environment(), "HOME": "/root"}
        self._running = self.director.start(self._argv, env=environment)

    def stop(self) -> None:
        completed = self._running.close()
        super().stop()
        rmtree(self.place)
        (PLACE / f"{self.place.name}.log").write_text(completed.stdout + completed.stderr)


def keepalived(bench: Bench, pace: configurations.KeepalivedPace) -> Product:
    """Return keepalived's health checker; its VRRP is not used."""
    text = configurations.keepalived(VIP, PORT, bench.databases.addresses, pace)
    options = ["--check", "--dont-fork", "--log-console", f"--use-file={PLACE}/keepalived/conf"]
    return Peer(bench, "keepalived", options, text)


def haproxy(bench: Bench, pace: configurations.HaproxyPace) -> Product:
    """Return HAProxy in TCP mode."""
    text = configurations.haproxy(VIP, PORT, bench.databases.addresses, pace)
    return Peer(bench, "haproxy", ["-db", "-f", f"{PLACE}/haproxy/conf"], text)


def ldirectord(bench: Bench) -> Product:
    """Return ldirectord, which stays in the foreground as a supervised process."""
    place = f"{PLACE}/ldirectord"
    text = configurations.ldirectord(VIP, PORT, bench.databases.addresses, f"{place}/log")
    return Peer(bench, "ldirectord", [f"{place}/conf", "start"], text)


def pgbouncer(bench: Bench) -> Product:
    """Return PgBouncer, which has no health checks."""
    place = f"{PLACE}/pgbouncer"
    text = configurations.pgbouncer(VIP, PORT, bench.databases.addresses, f"{place}/users")
    return Peer(bench, "pgbouncer", [f"--user={USER}", f"{place}/conf"], text)


def pgpool(bench: Bench) -> Product:
    """Return pgpool-II, which finds the primary by itself."""
    place, databases = f"{PLACE}/pgpool", bench.databases
    text = configurations.pgpool(VIP, PORT, databases.primary.address, databases.addresses, place)
    return Peer(bench, "pgpool", ["-n", "-f", f"{place}/conf"], text)


Make = Callable[[Bench], Product]
"""Function that makes a product, which is not started yet."""

REACTING: Mapping[str, Make] = {
    "lvsdr, tcp": lambda bench: Lvsdr(bench, "tcp"),
    "lvsdr, postgres": lambda bench: Lvsdr(bench, "postgres"),
    "keepalived, TCP_CHECK": lambda bench: keepalived(bench, configurations.KEEPALIVED_USUAL),
    "keepalived, each second": lambda bench: keepalived(bench, configurations.KEEPALIVED_QUICK),
    "HAProxy, pgsql-check": lambda bench: haproxy(bench, configurations.HAPROXY_USUAL),
    "HAProxy, each second": lambda bench: haproxy(bench, configurations.HAPROXY_QUICK),
    "ldirectord, connect": ldirectord,
}
"""The products whose reaction to faults is measured."""

READING: Mapping[str, Make] = {
    "lvsdr": lambda bench: Lvsdr(bench, "tcp"),
    "HAProxy": lambda bench: haproxy(bench, configurations.HAPROXY_USUAL),
    "pgpool-II": pgpool,
    "PgBouncer": pgbouncer,
}
"""The products that reads go through."""


def _quoted(value: object) -> str:
    text = str(value)
    return f'"{text}"' if " " in text else text
