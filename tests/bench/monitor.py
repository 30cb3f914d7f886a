"""A monitor without changes, installed as a user installs it, against bare crm_mon."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.bench import idle
from tests.bench.director import (
    describe_cluster,
    fill,
    hosts_file,
    install_agent,
    servers,
    watching,
)
from tests.bench.sample import Command, Cost, in_turn
from tests.support.namespaces import run_in_new_network

SIZES = (3, 16, 64)


def measure(scratch: Path, runs: int) -> dict[str, Any]:
    """Return the figures of all sizes, in milliseconds.

    On a kernel without IPVS the table is a file with the kernel's format. Reading it is the same
    work, and the guest with a real table has only one slow processor.
    """
    real = Path("/proc/net/ip_vs").exists()
    table = "the kernel's own table" if real else "table read from a file, as this kernel has none"
    agent = install_agent(scratch, stand_in=not real)
    with hosts_file(scratch) as hosts:
        sizes = [_size(scratch, agent, hosts, nodes, real, runs) for nodes in SIZES]
        programs = _programs(agent, describe_cluster(scratch, hosts, SIZES[-1]), scratch)
        minutes = _minutes(scratch, agent, hosts, real)
    return {"table": table, "sizes": sizes, "minutes": minutes, "programs": programs}


def _size(
    scratch: Path, agent: Path, hosts: Path, nodes: int, real: bool, runs: int
) -> dict[str, Any]:
    print(f"bench: lvsdr monitor and crm_mon, {nodes} nodes ...", file=sys.stderr)
    environ = describe_cluster(scratch, hosts, nodes)
    crm_mon = Command((str(shutil.which("crm_mon")), "-1", "--output-as=xml"), environ)
    lvsdr = Command((str(agent), "monitor"), {**environ, "OCF_RESKEY_watch": "false"})
    fill(scratch, nodes, real)
    with watching(agent, environ, scratch / f"watched-{nodes}") as fast:
        bare, ours, watched = in_turn((crm_mon, lvsdr, fast), runs)
    return {
        "nodes": nodes,
        "crm_mon": _milliseconds(bare),
        "lvsdr": _milliseconds(ours),
        "watched": _milliseconds(watched),
        "ratio": {"wall": ours.wall / bare.wall, "cpu": ours.cpu / bare.cpu},
        "watched_ratio": {"wall": watched.wall / bare.wall, "cpu": watched.cpu / bare.cpu},
    }


def _minutes(scratch: Path, agent: Path, hosts: Path, real: bool) -> dict[str, Any]:
    """Return the figures of an idle minute without checks, and of one with them."""
    environ = describe_cluster(scratch, hosts, SIZES[0])
    print("bench: an idle minute of a director, with a watcher and without ...", file=sys.stderr)
    fill(scratch, SIZES[0], real)
    figures = {"": idle.measure(agent, environ, scratch / "minute")}
    print("bench: the same with a check of each real server every second ...", file=sys.stderr)

    def measure_checked() -> None:
        with servers(SIZES[0]):
            fill(scratch, SIZES[0], real)
            figures["tcp"] = idle.measure(
                agent, {**environ, "OCF_RESKEY_realserver_check": "tcp"}, scratch / "checked"
            )

    run_in_new_network(measure_checked)
    return figures


def _milliseconds(cost: Cost) -> dict[str, float]:
    return {"wall": cost.wall * 1e3, "cpu": cost.cpu * 1e3}


def _programs(agent: Path, environ: dict[str, str], scratch: Path) -> list[str]:
    """Return the programs that such a monitor executes, itself excluded."""
    trace = scratch / "trace"
    subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=execve", "-o", trace, agent, "monitor"],
        env={**environ, "OCF_RESKEY_watch": "false"},
        check=True,
    )
    executed = re.findall(r'execve\("([^"]+)".* = 0$', trace.read_text(), flags=re.MULTILINE)
    return [os.path.basename(path) for path in executed[1:]]
