"""lvsdr beside its peers: reaction to faults, and the cost of reads.

Both are measured in the lab, with real PostgreSQL servers. The figures go to docs/peers.json, and
from there to the tables of docs/comparison.md and README.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench import machine
from tests.bench.peers import programs
from tests.debian import suite
from tests.support.paths import ROOT

FIGURES = ROOT / "docs/peers.json"
PARTS = ("reaction", "reads")
TIMEOUT = "3600"  # seconds for a part
DATABASES = Path("/usr/lib/postgresql")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__)
    parser.add_argument("--part", choices=PARTS, action="append", help="measure only this")
    parser.add_argument(
        "--product", action="append", default=[], help="measure only this, and write no table"
    )
    parser.add_argument(
        "--rate", type=float, default=20.0, help="new connections a second (default 20)"
    )
    parser.add_argument(
        "--seconds", type=int, default=10, help="duration of each pgbench (default 10)"
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    try:
        fetched = programs.fetch()
    except (suite.Unavailable, programs.Missing, OSError) as problem:
        print(f"bench-peers: no programs of the peers: {problem}", file=sys.stderr)
        return 1
    try:
        return write(options, fetched)
    except subprocess.CalledProcessError as problem:
        print(f"bench-peers: {problem.cmd[0]} failed ({problem.returncode})", file=sys.stderr)
        return 1


def write(options: argparse.Namespace, fetched: programs.Programs) -> int:
    """Measure, and write the figures and tables unless only some products are wanted."""
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    for part in options.part or PARTS:
        figures[part] = measure(part, fetched, options)
        print(quotations(part, figures[part]), flush=True)
        if not options.product:
            FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    if options.product:
        print(json.dumps({part: figures[part] for part in options.part or PARTS}, indent=1))
        return 0
    subprocess.run([sys.executable, "-IB", ROOT / "docs/generate.py"], check=True)
    print((ROOT / "docs/comparison.md").read_text())
    return 0


def measure(part: str, fetched: programs.Programs, options: argparse.Namespace) -> dict[str, Any]:
    """Run one part in the lab and return its figures, with the date and the machine."""
    here = machine.describe()
    command = [
        *(str(ROOT / "tests/lab/boot"), "--", "env", "PYTHONPATH=lib"),
        f"POSTGRES_BIN={_database_programs()}",
        *("/usr/bin/python3", "-B", "-m", "tests.bench.peers.inside", part, str(fetched.root)),
        *("--rate", str(options.rate), "--seconds", str(options.seconds)),
        *(word for name in options.product for word in ("--product", name)),
    ]
    environ = {"LAB_TIMEOUT": TIMEOUT, **os.environ}
    print(f"bench-peers: {part}, in the lab ...", file=sys.stderr, flush=True)
    done = subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    found["versions"] = {"lvsdr": lvsdr_version(), **found["versions"]}
    here["load_after"] = machine.describe()["load"]
    return {"date": datetime.date.today().isoformat(), "machine": here, **found}


def _database_programs() -> Path:
    """Return the directory of the newest PostgreSQL's programs."""
    found = DATABASES.glob("[1-9][0-9]/bin")
    return max(found, key=lambda path: int(path.parent.name))


def lvsdr_version() -> str:
    """Return the version of this tree, with its commit where git knows it."""
    sys.path.insert(0, str(ROOT / "lib"))
    from lvsdr import __version__

    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"{__version__} ({done.stdout.strip()})" if done.returncode == 0 else __version__


def quotations(part: str, figures: dict[str, Any]) -> str:
    """Return the configurations as text."""
    quoted = (
        f"--- {part}: {name}\n{text.rstrip()}\n" for name, text in figures["configurations"].items()
    )
    return "\n".join(quoted)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
