"""vip-manager and a gate with a real etcd: delay of the address after the key, and cost when idle.

Prints JSON. `measure` starts it in its own namespaces; no packet leaves them.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.paths import ENTER_NAMESPACES, ROOT

sys.path.insert(0, str(ROOT / "lib"))

import urllib3

from tests.bench import gate
from tests.leader.etcd import KEY, Cluster, Member
from tests.leader.manager import VIP, Manager
from tests.leader.network import Host, network
from tests.leader.segment import Segment, observed
from tests.leader.slow_relay import Relay, relays
from tests.support.processes import Running, with_variables
from tests.support.waiting import wait_until

ETCD = ("etcd1", "etcd2", "etcd3")
NUMBERS = {"etcd1": 11, "etcd2": 12, "etcd3": 13, "node1": 21, "node2": 22, "elsewhere": 31}
MOST_RESIDENT = 55.0  # MiB: the limit of the daemon
BEAT = 0.01  # seconds: the resolution of the times
_TICKS = os.sysconf("SC_CLK_TCK")
_NAMESPACES = (str(ENTER_NAMESPACES), "--net", "--uts", "--ipc", "--")
_INSIDE = """root=$PWD
(set -- && . tests/support/private_directories)
hostname leader
ip link set lo up
exec /usr/bin/python3 -B -m tests.bench.leader "$@"
"""


class Scene(NamedTuple):
    """The two nodes, a client of the address, and the store."""

    nodes: Sequence[Host]
    client: Host
    etcd: Cluster


class Use(NamedTuple):
    """Resources of a process: processor seconds so far, and present mebibytes."""

    cpu: float
    resident: float
    own: float
    """Memory that no other process shares."""


def measure(installed: Path, switchovers: int, seconds: float, runs: int) -> dict[str, Any]:
    """Return the figures of the installation there."""
    argv = [*_NAMESPACES, "tini", "--"]
    argv += ["/bin/sh", "-euc", _INSIDE, "bench", str(installed)]
    argv += [str(switchovers), str(seconds), str(runs)]
    environ = {**os.environ, "LEADER_TESTS": "1", "TMPDIR": "/run/tmp"}
    measured = subprocess.run(argv, cwd=ROOT, env=environ, stdout=subprocess.PIPE, check=True)
    figures: dict[str, Any] = json.loads(measured.stdout)
    return figures


def main(installed: Path, switchovers: int, seconds: float, runs: int) -> None:
    tool = str(installed / "usr/bin/vip-manager")
    place = Path(tempfile.mkdtemp(prefix="lvsdr-bench-"))
    with network(NUMBERS) as hosts:
        homes = [hosts[name] for name in ETCD]
        members = [Member(host, homes, place / host.name) for host in homes]
        etcd = Cluster(members, hosts["elsewhere"])
        scene = Scene([hosts["node1"], hosts["node2"]], hosts["elsewhere"], etcd)
        with serving(tool, scene, place, deaf=False) as (managers, segment):
            watch = times(scene, segment, switchovers)
        with serving(tool, scene, place, deaf=True) as (managers, segment):
            polling = times(scene, segment, switchovers)
        with serving(tool, scene, place, deaf=False) as (managers, segment):
            segment.stop()
            idle = idling(managers, seconds)
        put(scene, scene.nodes[0])
        agent = installed / "ocf/resource.d/lvsdr/vip"
        gated = gate.measure(agent, scene.nodes[0], etcd.endpoints, place, runs)
    ratio = polling["median"] / watch["median"]
    figures = {"watch": watch, "polling": polling, "ratio": ratio, "idle": idle, "gate": gated}
    print(json.dumps(figures))


class Installed(Manager):
    """An installed daemon, with its defaults."""

    tool = ""

    def start(self, *arguments: str) -> Running:
        self.process = self.host.start([self.tool, *arguments], env=with_variables(self.environ))
        return self.process


@contextmanager
def serving(
    tool: str, scene: Scene, place: Path, *, deaf: bool
) -> Iterator[tuple[list[Manager], Segment]]:
    """Run a daemon on each node, with the address on the first; ``deaf`` disables watches."""
    put(scene, scene.nodes[0])
    with ExitStack() as stack:
        managers: list[Manager] = []
        for host in scene.nodes:
            ways = stack.enter_context(relays(host, scene.etcd.endpoints)) if deaf else []
            for way in ways:
                way.deaf = True
            manager = Installed(host, asked(scene, ways), place / "run" / host.name, {})
            manager.tool = tool
            managers.append(manager)
            stack.callback(manager.end)
            manager.begin()
        by_name = {host.name: host for host in scene.nodes}
        segment = stack.enter_context(observed(scene.client, by_name, VIP, BEAT))
        wait_until(lambda: segment.serves(scene.nodes[0]))
        yield managers, segment


def asked(scene: Scene, ways: Sequence[Relay]) -> list[str]:
    return [way.url for way in ways] or scene.etcd.endpoints


def put(scene: Scene, host: Host) -> float:
    """Write the name of a host into the key. Return the time of the request."""
    names = {"key": KEY, "value": host.name}
    body = json.dumps({name: b64encode(text.encode()).decode() for name, text in names.items()})
    with scene.client.entered():
        pool = urllib3.connection_from_url(scene.etcd.endpoints[0], timeout=5, retries=False)
        at = time.monotonic()
        answer = pool.urlopen("POST", "/v3/kv/put", body=body.encode())
        pool.close()
    assert answer.status == 200, answer.data
    return at


def times(scene: Scene, segment: Segment, switchovers: int) -> dict[str, float]:
    """Return the seconds from a change of the key until a client reaches the address there."""
    chance, found = random.Random(1), []
    for number in range(switchovers):
        time.sleep(chance.random())  # not in step with a polling daemon
        host = scene.nodes[(number + 1) % 2]
        at = put(scene, host)
        found.append(took(segment, host, at))
    assert segment.doubled == 0
    return {"median": statistics.median(found), "worst": max(found), "without": segment.longest}


def took(segment: Segment, host: Host, at: float) -> float:
    usable = wait_until(lambda: segment.usable(host, at))
    assert usable is not None
    return usable - at


def idling(managers: Sequence[Manager], seconds: float) -> dict[str, Any]:
    """Return the use of idle daemons, and of an interpreter that only sleeps."""
    sleep = f"import time; time.sleep({seconds + 600})"
    bare = managers[0].host.start(["/usr/bin/python3", "-IS", "-c", sleep])
    processes = [process for manager in managers if (process := manager.process)]
    before = [use(process.pid) for process in processes]
    time.sleep(seconds)
    after = [use(process.pid) for process in processes]
    interpreter = use(bare.pid)
    bare.close()
    names = ("leader", "follower")
    return {
        "seconds": seconds,
        "interpreter": interpreter.resident,
        **{
            name: {
                "cpu": now.cpu - then.cpu,
                "share": (now.cpu - then.cpu) / seconds,
                "resident": now.resident,
                "own": now.own,
                "ratio": now.resident / interpreter.resident,
            }
            for name, then, now in zip(names, before, after)
        },
    }


def use(pid: int) -> Use:
    """Return the use of a process; see proc(5): stat, smaps_rollup."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kib = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    cpu = (int(stat[11]) + int(stat[12])) / _TICKS
    return Use(cpu, kib["Rss"] / 1024, (kib["Private_Clean"] + kib["Private_Dirty"]) / 1024)


def lines(figures: dict[str, Any]) -> list[str]:
    """Return the report."""
    idle = figures["idle"]
    heads = (("watch", "etcd is watched"), ("polling", "queried every second"))
    return [
        "",
        "vip-manager: from a change of the key in etcd to an address that a client reaches",
        *(
            f"  {words:20} median {figures[name]['median']:5.2f} s"
            f"   worst {figures[name]['worst']:5.2f} s"
            f"   client without, worst {figures[name]['without']:5.2f} s"
            for name, words in heads
        ),
        f"  ratio of the medians {figures['ratio']:.2f}; 0.6 s of each are settle",
        f"vip-manager, idle for {idle['seconds']:.0f} s",
        *(
            f"  {name:9} CPU {idle[name]['cpu'] * 1e3:5.0f} ms ({idle[name]['share']:.2%})"
            f"   resident {idle[name]['resident']:5.1f} MiB (<= {MOST_RESIDENT:g})"
            f" {'ok  ' if idle[name]['resident'] <= MOST_RESIDENT else 'OVER'}"
            f" its own {idle[name]['own']:5.1f} MiB"
            f"   ratio to a bare interpreter {idle[name]['ratio']:.2f}"
            for name in ("leader", "follower")
        ),
        *gate.lines(figures["gate"]),
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
