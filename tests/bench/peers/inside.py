"""The measurement in the lab. Its last line of output is the result, as JSON."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.peers import reaction, reads
from tests.bench.peers.databases import FAULTS, Databases
from tests.bench.peers.products import REACTING, READING, Bench, Product
from tests.bench.peers.programs import PROGRAMS, Programs
from tests.lab.world import World
from tests.postgres.server import BIN

DIRECT = "directly"
Row = dict[str, Any]
"""A row of a table: a product, and its figures."""

SETTLING = 5.0  # seconds between two runs of pgbench


def progress(text: str) -> None:
    print(f"bench-peers: {text}", file=sys.stderr, flush=True)


@contextmanager
def laid(programs: Programs) -> Iterator[Bench]:
    """Yield the hosts with the databases."""
    with World.create() as world:
        for host in world.nodes:
            world.servers.hang_up(host.name)  # PostgreSQL takes its port
        databases = Databases(world, progress)
        try:
            databases.start()
            yield Bench(world, databases, programs)
        finally:
            databases.close()


def measure_reactions(bench: Bench, names: Sequence[str], rate: float) -> dict[str, Any]:
    """Return the reaction of each product to each fault."""
    made = {name: REACTING[name](bench) for name in names}

    def react(name: str, title: str) -> Row:
        progress(f"{name}: {title}")
        found = reaction.measure(bench, made[name], FAULTS[title], rate, progress)
        progress(f"  {found}")
        return {"product": name, "fault": title, **found._asdict()}

    rows, missing = _each({f"{n}: {f}": partial(react, n, f) for n in made for f in FAULTS})
    return {"rate": rate, "rows": rows, "missing": missing, **_quoted(made)}


def measure_reads(bench: Bench, names: Sequence[str], seconds: int) -> dict[str, Any]:
    """Return the cost of reads over each product: first at full speed, then at a common rate."""
    made = {name: READING[name](bench) for name in names}
    reads.warm(bench)
    full, missing = _each_path(bench, made, seconds, None)
    # Half of what the slowest one reached, so that each one can keep up.
    rate = float(f"{min(row['rate'] for row in full) / 2:.2g}")
    working = {name: product for name, product in made.items() if name not in missing}
    fixed, failed = _each_path(bench, working, seconds, rate)
    return {
        "seconds": seconds,
        "rate": rate,
        "full": [row for row in full if row["product"] not in failed],
        "fixed": fixed,
        "missing": {**missing, **failed},
        **_quoted(made),
    }


def _each_path(
    bench: Bench, made: Mapping[str, Product], seconds: int, rate: float | None
) -> tuple[list[Row], dict[str, str]]:
    """Return the reads directly and over each product, and the products that failed."""

    def read(name: str, product: Product) -> Row:
        product.start()
        try:
            reaction.await_service(bench, everywhere=False)
            return _row(name, bench, seconds, rate)
        finally:
            product.stop()

    direct = _row(DIRECT, bench, seconds, rate)
    rows, missing = _each({name: partial(read, name, one) for name, one in made.items()})
    return [direct, *rows], missing


def _each(jobs: Mapping[str, Callable[[], Row]]) -> tuple[list[Row], dict[str, str]]:
    """Return the rows of all jobs, and the reasons for those that failed: the others go on."""
    found = {name: _try_job(name, job) for name, job in jobs.items()}
    rows = [row for row in found.values() if not isinstance(row, str)]
    return rows, {name: reason for name, reason in found.items() if isinstance(reason, str)}


def _try_job(name: str, job: Callable[[], Row]) -> Row | str:
    """Return the row of a job, or the reason why there is none."""
    try:
        return job()
    except (AssertionError, OSError, ValueError) as problem:
        progress(f"{name} is not measured: {problem}")
        return str(problem).splitlines()[0][:200]


def _quoted(made: Mapping[str, Product]) -> dict[str, dict[str, str]]:
    return {"configurations": {name: product.configuration for name, product in made.items()}}


def _row(name: str, bench: Bench, seconds: int, rate: float | None) -> Row:
    progress(f"reads: {name}, {f'{rate:g} a second' if rate else 'at full speed'}")
    time.sleep(SETTLING)
    found = reads.measure(bench, reads.targets(bench, name == DIRECT), seconds, rate)
    progress(f"  {found}")
    return {"product": name, **found._asdict()}


def versions(programs: Programs) -> dict[str, str]:
    """Return the versions of the programs and of PostgreSQL."""
    found = {name: programs.version(name) for name in PROGRAMS}
    return {"PostgreSQL": BIN.parent.name, **found}


def chosen(given: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the products to measure: those whose name begins with a given one, or all."""
    return [name for name in known if not given or any(name.startswith(one) for one in given)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("reaction", "reads"))
    parser.add_argument("programs", type=Path)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--product", action="append", default=[])
    options = parser.parse_args()
    programs = Programs(options.programs)
    work: dict[str, Callable[[Bench], dict[str, Any]]] = {
        "reaction": lambda bench: measure_reactions(
            bench, chosen(options.product, [*REACTING]), options.rate
        ),
        "reads": lambda bench: measure_reads(
            bench, chosen(options.product, [*READING]), options.seconds
        ),
    }
    with laid(programs) as bench:
        figures = work[options.part](bench)
    result = {"kernel": reads.kernel_name(), "versions": versions(programs), **figures}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
