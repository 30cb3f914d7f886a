"""vip-manager that asks the Patroni of its node: here a server that answers as that one does."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.namespace import sysctl
from tests.leader.managing import VIP, Manager, addresses, has, managed
from tests.leader.network import Host
from tests.leader.waiting import until

PORT = 8008
SERVER = """
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        status = int(open(sys.argv[1]).read()) if self.path == "/leader" else 404
        self.send_response(status)
        self.end_headers()

    def log_message(self, *words):
        pass

HTTPServer(("127.0.0.1", int(sys.argv[2])), Health).serve_forever()
"""


class Patroni:
    """What /leader answers is in a file."""

    def __init__(self, host: Host, place: Path) -> None:
        self._host = host
        self._file = place / "status"
        self.says(200)

    def says(self, status: int) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(str(status))
        new.replace(self._file)

    def start(self) -> None:
        argv = [sys.executable, "-c", SERVER, str(self._file), str(PORT)]
        self.process = self._host.start(argv)

    def stop(self) -> None:
        self.process.close()


@pytest.fixture
def patroni(hosts: dict[str, Host], tmp_path: Path) -> Iterator[Patroni]:
    made = Patroni(hosts["node1"], tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def one(hosts: dict[str, Host], tmp_path: Path) -> Iterator[Manager]:
    settings = {"VIP_DCS_TYPE": "patroni", "VIP_DCS_GRACE": "2"}
    made = Manager(hosts["node1"], [f"http://127.0.0.1:{PORT}"], tmp_path / "run", settings)
    del made.environ["VIP_TRIGGER_KEY"], made.environ["VIP_TRIGGER_VALUE"]
    with managed(made):
        yield made


def test_the_address_is_where_patroni_leads(one: Manager, patroni: Patroni) -> None:
    one.begin()
    until(lambda: has(one.host))
    patroni.says(503)
    until(lambda: VIP not in addresses(one.host))
    patroni.says(200)
    until(lambda: has(one.host))


def test_a_patroni_that_starts_later_is_waited_for(one: Manager, patroni: Patroni) -> None:
    patroni.stop()
    one.begin()
    assert one.status()["state"] == "stopped"
    patroni.start()
    until(lambda: has(one.host))


def test_a_patroni_that_stops_takes_the_address_with_it(one: Manager, patroni: Patroni) -> None:
    one.environ["VIP_DCS_GRACE"] = "3600"
    one.environ["VIP_ON_DCS_UNREACHABLE"] = "keep"
    one.begin()
    until(lambda: has(one.host))
    patroni.stop()
    until(lambda: VIP not in addresses(one.host))
    assert one.status()["state"] == "stopped"
    assert one.address()["bad"]
    patroni.start()
    until(lambda: has(one.host))


def test_the_silence_of_a_patroni_counts_for_less_than_the_grace(
    one: Manager, patroni: Patroni
) -> None:
    one.environ["VIP_DCS_GRACE"] = "3600"
    one.begin()
    until(lambda: has(one.host))
    patroni.process.kill(signal.SIGSTOP)
    until(lambda: VIP not in addresses(one.host))
    patroni.process.kill(signal.SIGCONT)
    until(lambda: has(one.host))
    said = one.end().stderr
    assert "the grace of 2 s is over" in said
    assert "VIP_DCS_GRACE=3600: patroni gives no lease" in said


def test_a_patroni_elsewhere_is_not_believed(one: Manager, hosts: dict[str, Host]) -> None:
    """Even if its address could be bound here."""
    assert one.host is hosts["node1"]
    with one.host.entered():
        sysctl("net/ipv4/ip_nonlocal_bind", 1)
    one.environ["VIP_DCS_ENDPOINTS"] = f"http://{hosts['node2'].front}:{PORT}"
    one.begin()
    assert one.status()["state"] == "unknown"
    assert "is not on this host" in one.status()["reason"]
    with one.host.entered():
        sysctl("net/ipv4/ip_nonlocal_bind", 0)
