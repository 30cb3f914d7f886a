"""Monitors of addresses that are in order, against that of ocf:heartbeat:IPaddr2. Prints JSON.

It runs in its own network namespace, on one end of a veth pair; no packet leaves it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.sample import Command, Cost, in_turn, once

IPADDR2 = "/usr/lib/ocf/resource.d/heartbeat/IPaddr2"
VIP, NETWORK = "10.77.0.100", "10.77.0.11/24"


def main(agents: Path, runs: int) -> None:
    scratch = Path(tempfile.mkdtemp(prefix="lvsdr-bench-"))
    for line in (
        "link add eth0 type veth peer name peer0",
        "link set lo up",
        "link set peer0 up",
        "link set eth0 up",
        f"addr add {NETWORK} dev eth0",
    ):
        subprocess.run(["ip", *line.split()], check=True)
    figures = {}
    for name, parameters in (
        ("vip", {"ip": VIP, "nic": "eth0", "cidr_netmask": "24", "duplicate_check": "false"}),
        ("lvsdr-realsvr", {"vip": VIP}),
    ):
        ours = Command((str(agents / name), "monitor"), _environ(scratch, name, parameters))
        once(ours._replace(argv=(ours.argv[0], "start")))
        if name == "vip":
            theirs = _environ(scratch, "IPaddr2", {"ip": VIP, "nic": "eth0", "cidr_netmask": "24"})
            reference = Command((IPADDR2, "monitor"), theirs)
        bare, cost = in_turn((reference, ours), runs)
        figures[name] = {
            "IPaddr2": _figures(bare),
            "ours": _figures(cost),
            "ratio": {"wall": cost.wall / bare.wall, "cpu": cost.cpu / bare.cpu},
        }
    shutil.rmtree(scratch)
    print(json.dumps(figures))


def _environ(scratch: Path, name: str, parameters: dict[str, str]) -> dict[str, str]:
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "OCF_ROOT": "/usr/lib/ocf",
        "OCF_RESOURCE_INSTANCE": name,
        "OCF_RESOURCE_TYPE": name,
        "HA_RSCTMP": str(scratch),
        "HA_LOGFACILITY": "none",
        "OCF_RESKEY_CRM_meta_interval": "10000",
        "OCF_RESKEY_CRM_meta_timeout": "20000",
        **{f"OCF_RESKEY_{parameter}": value for parameter, value in parameters.items()},
    }


def _figures(cost: Cost) -> dict[str, float]:
    return {"wall": cost.wall * 1e3, "cpu": cost.cpu * 1e3}


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
