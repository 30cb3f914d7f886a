"""Cost of monitors without changes, of a watcher, of a big pool, and of vip-manager."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench import idle, leader, machine, monitor, watcher
from tests.bench.install import install
from tests.support.paths import ROOT


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--runs", type=int, default=21, help="runs of each command (default 21)")
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="lvsdr-bench-"))
    try:
        results = {
            "machine": machine.describe(),
            "monitor": monitor.measure(scratch, options.runs),
            "watcher": _watcher(scratch),
            "address": _addresses(install(ROOT, scratch / "plain"), options.runs),
            "leader": _leader(scratch / "plain", options.runs),
            "pool": _pool(scratch),
        }
    finally:
        shutil.rmtree(scratch)
    print(json.dumps(results, indent=2) if options.json else _report(results))


def _watcher(scratch: Path) -> dict[str, Any]:
    print(f"bench: {watcher.RINGS:,} rings of a watcher ...", file=sys.stderr)
    return watcher.measure(scratch)


def _addresses(agents: Path, runs: int) -> dict[str, Any]:
    print("bench: monitors of addresses, against IPaddr2's ...", file=sys.stderr)
    argv = ["unshare", "--net", "/usr/bin/python3", "-B", "-m", "tests.bench.address"]
    measured = subprocess.run(
        [*argv, str(agents), str(runs)], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    figures: dict[str, Any] = json.loads(measured.stdout)
    return figures


def _leader(installed: Path, runs: int) -> dict[str, Any]:
    print("bench: vip-manager, 40 switchovers and an idle minute ...", file=sys.stderr)
    return leader.measure(installed, 20, 60, runs)


def _pool(scratch: Path) -> dict[str, Any]:
    """Measure the pool on the kernel of the lab, because it needs IPVS."""
    out = scratch / "pool.json"
    print("bench: a pool of 1,000 real servers on a kernel with IPVS ...", file=sys.stderr)
    subprocess.run(
        [ROOT / "tests/lab/boot", "--", "/usr/bin/python3", "-B", "-m", "tests.bench.pool"],
        cwd=ROOT,
        stdout=out.open("w"),
        check=True,
    )
    figures: dict[str, Any] = json.loads(out.read_text().splitlines()[-1])
    return figures


def _report(results: dict[str, Any]) -> str:
    lines = [
        "",
        *machine.lines(results["machine"]),
        f"lvsdr monitor without a watcher, against bare crm_mon ({results['monitor']['table']})",
        "  nodes   crm_mon wall   CPU   lvsdr wall    CPU   ratio wall (<= 2.0)   CPU (<= 3.2)",
    ]
    lines += [
        f"  {row['nodes']:5} {row['crm_mon']['wall']:11.1f} ms {row['crm_mon']['cpu']:5.1f}"
        f" {row['lvsdr']['wall']:9.1f} ms {row['lvsdr']['cpu']:6.1f}"
        f" {row['ratio']['wall']:14.2f} {_mark(row['ratio']['wall'], 2.0)}"
        f" {row['ratio']['cpu']:15.2f} {_mark(row['ratio']['cpu'], 3.2)}"
        for row in results["monitor"]["sizes"]
    ]
    lines += [
        "the same monitor beside a watcher",
        "  nodes   crm_mon wall   CPU   lvsdr wall    CPU   ratio wall (<= 0.5)   CPU (<= 0.5)",
    ]
    lines += [
        f"  {row['nodes']:5} {row['crm_mon']['wall']:11.1f} ms {row['crm_mon']['cpu']:5.1f}"
        f" {row['watched']['wall']:9.1f} ms {row['watched']['cpu']:6.1f}"
        f" {row['watched_ratio']['wall']:14.2f} {_mark(row['watched_ratio']['wall'], 0.5)}"
        f" {row['watched_ratio']['cpu']:15.2f} {_mark(row['watched_ratio']['cpu'], 0.5)}"
        for row in results["monitor"]["sizes"]
    ]
    lines.append(
        f"  programs run by the monitor without one: {', '.join(results['monitor']['programs'])}"
    )
    rings = results["watcher"]
    lines += [
        "",
        *idle.lines(results["monitor"]["minutes"]),
        f"a watcher over {rings['rings']:,} rings ({rings['seconds']:.0f} s), at each tenth",
        f"  resident KiB: {' '.join(map(str, rings['kib']))}",
        f"  descriptors: {' '.join(map(str, rings['descriptors']))} (a running cycle has three)",
    ]
    lines += [
        "",
        "monitors of an address that is in order, against that of ocf:heartbeat:IPaddr2",
        "  agent        IPaddr2 wall   CPU     our wall    CPU   ratio wall (<= 1.0)  CPU (<= 1.0)",
    ]
    lines += [
        f"  {name:13} {row['IPaddr2']['wall']:11.1f} ms {row['IPaddr2']['cpu']:5.1f}"
        f" {row['ours']['wall']:9.1f} ms {row['ours']['cpu']:6.1f}"
        f" {row['ratio']['wall']:14.2f} {_mark(row['ratio']['wall'], 1.0)}"
        f" {row['ratio']['cpu']:15.2f} {_mark(row['ratio']['cpu'], 1.0)}"
        for name, row in results["address"].items()
    ]
    lines += leader.lines(results["leader"])
    pool = results["pool"]
    lines += [
        "",
        f"{pool['servers']} real servers into an empty table, against ipvsadm -R of the same lines",
        f"  ipvsadm -R {pool['ipvsadm']:.0f} ms   lvsdr, plan to verified table"
        f" {pool['agent']:.0f} ms   ratio {pool['ratio']:.2f} (<= 1.5) {_mark(pool['ratio'], 1.5)}",
        f"  the whole start, Python and crm_mon included: {pool['start']:.0f} ms",
    ]
    return "\n".join(lines)


def _mark(ratio: float, target: float) -> str:
    return "ok  " if ratio <= target else "OVER"


if __name__ == "__main__":
    main()
