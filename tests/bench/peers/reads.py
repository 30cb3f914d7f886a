"""Reads with `pgbench -S` over a product, and the processor time that they cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.peers.cpu import busy_seconds, host_seconds
from tests.bench.peers.databases import DATABASE, USER
from tests.bench.peers.pgbench import combine, parse
from tests.bench.peers.products import PORT, Bench
from tests.lab.host import VIP
from tests.postgres.server import BIN
from tests.support.processes import checked

CLIENTS = 4  # connections of each of three processes
LIMIT = 60.0  # seconds beyond the duration of a run


class Reads(NamedTuple):
    """The result of a run: loads of all processes together, and milliseconds for a transaction.

    `middle` is the processor time of the processes on the director, and `all` that of the whole
    machine, its kernel included.
    """

    rate: float
    latency: float
    middle: float
    all: float


def measure(bench: Bench, addresses: Sequence[str], seconds: int, rate: float | None) -> Reads:
    """Run a pgbench for each address at the same time, at full speed or at a rate together."""
    director = bench.world.director1.name
    own = [] if rate is None else ["-R", f"{rate / len(addresses):.1f}"]
    options = ["-S", "-n", "-c", str(CLIENTS), "-T", str(seconds), *own]
    middle, everything = host_seconds(director), busy_seconds()
    running = [
        bench.world.client.start(
            [str(BIN / "pgbench"), *options, "-h", at, "-p", str(PORT), "-U", USER, DATABASE]
        )
        for at in addresses
    ]
    completed = [(one.argv, one.wait(seconds + LIMIT)) for one in running]
    everything, middle = busy_seconds() - everything, host_seconds(director) - middle
    load = combine([parse(checked(argv, one).stdout) for argv, one in completed])
    return Reads(
        rate=load.rate,
        latency=load.latency,
        middle=1e3 * middle / load.transactions,
        all=1e3 * everything / load.transactions,
    )


def targets(bench: Bench, direct: bool) -> list[str]:
    """Return an address for each pgbench: its own server's, or three times the virtual one."""
    hosts = bench.databases.hosts
    return [host.address if direct else VIP for host in hosts]


def warm(bench: Bench) -> None:
    """Have each server read its table once."""
    for standby in bench.databases.standbys.values():
        standby.sql("SELECT count(*) FROM pgbench_accounts", DATABASE)
    time.sleep(1.0)


def kernel_name() -> str:
    """Return the kernel, and the fact that it is a slow guest if it is one."""
    release = Path("/proc/sys/kernel/osrelease").read_text().strip()
    if "User Mode Linux" in Path("/proc/cpuinfo").read_text():
        return f"Linux {release}, a slow guest with one processor (User Mode Linux)"
    return f"Linux {release}"
