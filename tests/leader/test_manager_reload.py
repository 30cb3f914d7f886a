"""Reloads of vip-manager's file, and its reports to other programs."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import urllib3

from tests.leader.etcd import KEY, Cluster
from tests.leader.manager import VIP, Manager, has, run_manager
from tests.leader.network import Host
from tests.support.waiting import wait_until

OTHER = "10.78.0.201"
PORT = 9345


class Filed(Manager):
    """A daemon with all its settings in a file."""

    def __init__(self, host: Host, endpoints: list[str], place: Path) -> None:
        super().__init__(host, endpoints, place, {})
        self.file = place.parent / "vip-manager.yml"
        self.settings = self.environ
        self.environ = {"VIP_CONFIG": str(self.file), "VIP_RUN_DIR": str(place)}
        self.write({})

    def write(self, changes: Mapping[str, str]) -> None:
        both = {**self.settings, **changes}
        lines = [f'{name[4:].lower().replace("_", "-")}: "{both[name]}"\n' for name in both]
        self.file.write_text("".join(lines))

    def reload(self, changes: Mapping[str, str]) -> None:
        self.write(changes)
        self.send(signal.SIGHUP)


@pytest.fixture
def one(etcd: Cluster, hosts: dict[str, Host], tmp_path: Path) -> Iterator[Filed]:
    made = Filed(hosts["node1"], etcd.endpoints, tmp_path / "node1")
    with run_manager(made):
        made.begin()
        wait_until(lambda: has(made.host))
        yield made
        made.host.run(["ip", "address", "delete", f"{OTHER}/24", "dev", "front"], check=False)


def test_one_address_more_and_one_less(one: Filed) -> None:
    one.reload({"VIP_IP": f"{VIP},{OTHER}"})
    wait_until(lambda: has(one.host, OTHER))
    assert one.address()["released"] == 0
    one.reload({"VIP_IP": OTHER})
    wait_until(lambda: not has(one.host, VIP))
    assert has(one.host, OTHER)
    assert one.address()["address"] == OTHER
    assert one.address()["released"] == 0
    assert one.end().returncode == 0
    assert not has(one.host, OTHER)


def test_another_prefix(one: Filed) -> None:
    one.reload({"VIP_NETMASK": "25"})
    wait_until(lambda: one.address()["prefix"] == 25 and one.address()["state"] == "held")
    assert one.address()["released"] == 0


def test_another_key(one: Filed, etcd: Cluster) -> None:
    etcd.ctl("put", f"{KEY}2", "node2")
    one.reload({"VIP_TRIGGER_KEY": f"{KEY}2"})
    wait_until(lambda: not has(one.host))
    etcd.ctl("put", f"{KEY}2", "node1")
    wait_until(lambda: has(one.host))


def test_a_file_that_makes_no_sense_changes_nothing(one: Filed) -> None:
    one.reload({"VIP_NETMASK": "33"})
    problem = f"{one.file}: netmask=33: must be from 1 to 32 for {VIP}"
    wait_until(lambda: one.status()["stale"] == problem)
    assert has(one.host)
    one.reload({})
    wait_until(lambda: one.status()["stale"] == "")
    assert one.address()["released"] == 0


@pytest.mark.parametrize("path", ["/metrics"])
def test_metrics(one: Filed, path: str, tmp_path: Path) -> None:
    one.end()
    text = tmp_path / "metrics.prom"
    one.environ.update({"VIP_METRICS_LISTEN": str(PORT), "VIP_METRICS_TEXTFILE": str(text)})
    one.begin()
    wait_until(lambda: has(one.host))
    line = f'vip_manager_address_held{{address="{VIP}",interface="front"}} 1'

    def page() -> str:
        with one.host.entered():
            pool = urllib3.HTTPConnectionPool("127.0.0.1", PORT, timeout=3, retries=False)
            answer = pool.urlopen("GET", path)
            pool.close()
        assert answer.status == 200
        return str(answer.data.decode())

    wait_until(lambda: line in page().splitlines())
    wait_until(lambda: line in text.read_text().splitlines())
    one.end()
    assert not text.exists()


def test_a_port_in_use_costs_the_metrics_and_not_the_address(one: Filed) -> None:
    one.end()
    with one.host.entered(), socket.create_server(("127.0.0.1", PORT)):
        one.environ["VIP_METRICS_LISTEN"] = str(PORT)
        one.begin()
        wait_until(lambda: has(one.host))
        (trouble,) = one.status()["unpublished"]
        assert trouble == f"cannot listen at 127.0.0.1 port {PORT}: Address already in use"
        assert f"not published: {trouble}\n" in one.run("status").stdout
    wait_until(lambda: not one.status()["unpublished"])
    with one.host.entered(), socket.create_connection(("127.0.0.1", PORT), 20.0) as peer:
        peer.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert peer.recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert one.end().stderr.count(" unpublished ") == 1


def test_other_users_may_not_query(one: Filed) -> None:
    (path,) = one.place.glob("*.sock")
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_needs_no_more_than_the_unit_leaves_it(one: Filed) -> None:
    one.end()
    capabilities = "-all,+net_admin,+net_raw"
    one.prefix = ["setpriv", "--no-new-privs", f"--bounding-set={capabilities}"]
    one.begin()
    wait_until(lambda: has(one.host))
    assert one.end().returncode == 0
    assert not has(one.host)


def test_without_them_it_does_not_begin(one: Filed) -> None:
    one.end()
    one.prefix = ["setpriv", "--no-new-privs", "--bounding-set=-net_raw"]
    done = one.start().wait()
    assert done.returncode == 1
    assert done.stderr == (
        "vip-manager: the process lacks CAP_NET_RAW: run it as root, or grant these capabilities\n"
    )


def test_the_service_manager_is_notified(one: Filed, tmp_path: Path) -> None:
    one.end()
    said: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)

        def has_said(words: str) -> bool:
            try:
                while True:
                    said.append(manager.recv(4096).decode())
            except BlockingIOError:
                return any(line.startswith(words) for line in said)

        watchdog = {"WATCHDOG_USEC": "400000"}
        one.environ.update({"NOTIFY_SOCKET": str(tmp_path / "notify"), **watchdog})
        one.begin()
        wait_until(lambda: has_said("READY=1"))
        wait_until(lambda: has_said(f"STATUS=leader: {VIP} held"))
        said.clear()
        wait_until(lambda: has_said("WATCHDOG=1"))
        one.reload({})
        wait_until(lambda: has_said("RELOADING=1\nMONOTONIC_USEC="))
        wait_until(lambda: has_said("READY=1"))
        one.end()
        wait_until(lambda: has_said("STOPPING=1"))
