"""A director without anything to do: its agent, as a user installs it, and its cluster."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.install import install
from tests.bench.sample import Command, once
from tests.support import cib
from tests.support.namespaces import ip_batch
from tests.support.paths import ROOT

_STARTING = 20.0  # seconds for the watcher to listen
VIP, PORT = "10.77.0.100", 5432


@contextmanager
def watching(agent: Path, environ: Mapping[str, str], state: Path) -> Iterator[Command]:
    """Start the service with a watcher; yield its monitor.  The watcher ends with its files."""
    environ = {**environ, "HA_RSCTMP": str(state)}
    subprocess.run([agent, "start"], env=environ, check=True, capture_output=True)
    end = time.monotonic() + _STARTING
    while not list(state.glob("*.sock")):
        assert time.monotonic() < end, "the watcher does not listen"
        time.sleep(0.05)
    fast = Command((str(agent), "monitor"), environ)
    once(fast)  # an ordinary one, because start does not know the timing of monitors
    try:
        yield fast
    finally:
        shutil.rmtree(state)


@contextmanager
def hosts_file(scratch: Path) -> Iterator[Path]:
    """Yield a file that is /etc/hosts in this mount namespace."""
    hosts = scratch / "hosts"
    hosts.touch()
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    try:
        yield hosts
    finally:
        subprocess.run(["umount", "/etc/hosts"], check=True)


def install_agent(scratch: Path, *, stand_in: bool) -> Path:
    """Run ``make install`` of this tree, or of a copy in which two paths are those of stand-ins."""
    source = scratch / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".git", ".venv", "build"))
    if stand_in:
        _repoint(source / "lib/lvsdr/system/ipvs_proc.py", "/proc/net/ip_vs", scratch / "ip_vs")
        _repoint(source / "lib/lvsdr/watcher/quick.py", "/proc/net/ip_vs", scratch / "ip_vs")
        _repoint(source / "lib/lvsdr/system/sysctl.py", "/proc/sys", scratch / "sys")
        setting = scratch / "sys/net/ipv4/vs/expire_nodest_conn"
        setting.parent.mkdir(parents=True)
        setting.write_text("1\n")
    return install(source, scratch / "stand-in" if stand_in else scratch / "real") / "lvsdr"


def _repoint(module: Path, path: str, stand_in: Path) -> None:
    text, count = re.subn(
        f'^([A-Z_]+ = )"{path}"$', rf'\1"{stand_in}"', module.read_text(), flags=re.MULTILINE
    )
    assert count == 1, f"{module} does not name {path} once"
    module.write_text(text)


def describe_cluster(scratch: Path, hosts: Path, nodes: int) -> dict[str, str]:
    """Write a CIB and names that resolve. Return the environment of a recurring monitor."""
    names = [f"node{number}" for number in range(1, nodes + 1)]
    sketch = [cib.Node(names[0]).primary(), *map(cib.Node, names[1:])]
    hosts.write_text(
        "127.0.0.1 localhost\n"
        + "".join(f"10.77.1.{number} {name}\n" for number, name in enumerate(names, start=1))
    )
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "CIB_file": str(cib.write(scratch / "cib.xml", sketch)),
        "HA_RSCTMP": str(scratch / f"tmp-{nodes}"),
        "OCF_RESOURCE_INSTANCE": f"bench-{nodes}",
        "OCF_RESKEY_CRM_meta_interval": "5000",
        "OCF_RESKEY_CRM_meta_timeout": "30000",
        "OCF_RESKEY_vip": VIP,
        "OCF_RESKEY_port": str(PORT),
        "OCF_RESKEY_realserver_dependent_resource": "lvsdr-realsvr-clone",
        "OCF_RESKEY_realserver_dependent_attribute_name": "pgsql-status",
        "OCF_RESKEY_realserver_dependent_attribute_value": "HS:sync|HS:potential|HS:async",
    }


@contextmanager
def servers(nodes: int) -> Iterator[None]:
    """Accept connections at the addresses of all nodes, in the network of the calling thread."""
    addresses = [f"10.77.1.{number}" for number in range(1, nodes + 1)]
    ip_batch(["link set lo up", "link add servers type veth", "link set servers up"])
    ip_batch(f"addr add {address}/32 dev servers" for address in addresses)
    with ExitStack() as stack:
        for address in addresses:
            # The queue is longer than the number of checks in a minute.
            server = socket.create_server((address, PORT), backlog=1000)
            stack.enter_context(server)
        yield


def fill(scratch: Path, nodes: int, real: bool) -> None:
    """Write the table that a start leaves: every standby with weight 1."""
    standbys = range(2, nodes + 1)
    if real:
        lines = [f"-A -t {VIP}:{PORT} -s rr"]
        lines += [f"-a -t {VIP}:{PORT} -r 10.77.1.{number}:{PORT} -g -w 1" for number in standbys]
        subprocess.run(["ipvsadm", "-C"], check=True)
        subprocess.run(["ipvsadm", "-R"], input="\n".join(lines), text=True, check=True)
        return
    lines = [
        "IP Virtual Server version 1.2.1 (size=4096)",
        "Prot LocalAddress:Port Scheduler Flags",
        "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn",
        "TCP  0A4D0064:1538 rr  ",
    ]
    lines += [
        f"  -> 0A4D01{number:02X}:1538      Route   1      0          0" for number in standbys
    ]
    (scratch / "ip_vs").write_text("\n".join(lines) + "\n")
