"""A pool of 1,000 real servers, from an empty table, on a real kernel. Prints JSON.

Two things are timed. One is the agent's work on the table (the difference, ``ipvsadm -R``, reading
it again and comparing), against the bare ``ipvsadm -R`` of the same lines. The other is a whole
start, which includes the cost of Python and crm_mon.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.paths import ROOT

sys.path.insert(0, str(ROOT / "lib"))

from lvsdr.ipvs.table import (
    RealServerConfig,
    RealServerKey,
    ServiceConfig,
    ServiceKey,
    WantedService,
)
from lvsdr.system.ipvs import Kernel
from lvsdr.values.deadline import Deadline

from tests.bench.sample import Command, once
from tests.support import cib

SERVERS = 1000
VIP, PORT = "10.77.0.100", 5432
RUNS = 7


def main() -> None:
    scratch = Path(tempfile.mkdtemp(prefix="lvsdr-bench-"))
    addresses = [f"10.78.{number // 250}.{number % 250 + 1}" for number in range(SERVERS)]
    environ = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "CIB_file": str(cib.write(scratch / "cib.xml", map(cib.Node, ("node1", "node2")))),
        "HA_RSCTMP": str(scratch / "tmp"),
        "OCF_RESOURCE_INSTANCE": "bench",
        "OCF_RESKEY_CRM_meta_timeout": "60000",
        "OCF_RESKEY_vip": VIP,
        "OCF_RESKEY_port": str(PORT),
        "OCF_RESKEY_weight_of_realservers": " ".join(addresses),
    }
    lines = scratch / "lines"
    lines.write_text(
        f"-A -t {VIP}:{PORT} -s rr\n"
        + "".join(f"-a -t {VIP}:{PORT} -r {address}:{PORT} -g -w 1\n" for address in addresses)
    )
    subprocess.run(["modprobe", "ip_vs_rr"], check=True)
    ipvsadm = Command((str(shutil.which("ipvsadm")), "-R"), environ, stdin=str(lines))
    start = Command((str(ROOT / "ocf/lvsdr"), "start"), environ)
    samples = [(_timed(ipvsadm), _reach(addresses), _timed(start)) for _ in range(RUNS + 1)]
    shutil.rmtree(scratch)
    bare, reach, whole = (statistics.median(column) * 1e3 for column in zip(*samples[1:]))
    figures = {
        "servers": SERVERS,
        "ipvsadm": bare,
        "agent": reach,
        "start": whole,
        "ratio": reach / bare,
    }
    print(json.dumps(figures))


def _timed(command: Command) -> float:
    wall = once(command).wall
    subprocess.run(["ipvsadm", "-C"], check=True)
    return wall


def _reach(addresses: list[str]) -> float:
    """Return the seconds of the agent's work from the known pool to the verified table."""
    config = RealServerConfig("gate", 1)
    servers = {RealServerKey(address, PORT): config for address in addresses}
    wanted = WantedService(ServiceConfig(scheduler="rr"), servers)
    begin = time.monotonic()
    Kernel(ServiceKey("tcp", VIP, PORT), "gate", Deadline.after(60.0)).apply_service(wanted)
    wall = time.monotonic() - begin
    subprocess.run(["ipvsadm", "-C"], check=True)
    return wall


if __name__ == "__main__":
    main()
