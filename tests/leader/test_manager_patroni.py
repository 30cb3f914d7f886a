"""vip-manager that queries the Patroni of its node: here a server with the same answers."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.leader.manager import VIP, Manager, addresses, has, run_manager
from tests.leader.network import Host
from tests.support.namespaces import sysctl
from tests.support.waiting import wait_until

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
    """Server with its answer to /leader in a file."""

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
    with run_manager(made):
        yield made


def test_the_address_is_where_patroni_leads(one: Manager, patroni: Patroni) -> None:
    one.begin()
    wait_until(lambda: has(one.host))
    patroni.says(503)
    wait_until(lambda: VIP not in addresses(one.host))
    patroni.says(200)
    wait_until(lambda: has(one.host))


def test_a_patroni_that_starts_later_is_waited_for(one: Manager, patroni: Patroni) -> None:
    patroni.stop()
    one.begin()
    assert one.status()["state"] == "stopped"
    patroni.start()
    wait_until(lambda: has(one.host))


def test_a_patroni_that_stops_takes_the_address_with_it(one: Manager, patroni: Patroni) -> None:
    one.environ["VIP_DCS_GRACE"] = "3600"
    one.environ["VIP_ON_DCS_UNREACHABLE"] = "keep"
    one.begin()
    wait_until(lambda: has(one.host))
    patroni.stop()
    wait_until(lambda: VIP not in addresses(one.host))
    assert one.status()["state"] == "stopped"
    assert one.address()["bad"]
    patroni.start()
    wait_until(lambda: has(one.host))


def test_the_silence_of_a_patroni_counts_for_less_than_the_grace(
    one: Manager, patroni: Patroni
) -> None:
    one.environ["VIP_DCS_GRACE"] = "3600"
    one.begin()
    wait_until(lambda: has(one.host))
    patroni.process.kill(signal.SIGSTOP)
    wait_until(lambda: VIP not in addresses(one.host))
    patroni.process.kill(signal.SIGCONT)
    wait_until(lambda: has(one.host))
    said = one.end().stderr
    assert "the grace of 2 s is over" in said
    assert "VIP_DCS_GRACE=3600: patroni gives no lease" in said


@pytest.fixture
def candidates(hosts: dict[str, Host], tmp_path: Path) -> Iterator[list[tuple[Manager, Patroni]]]:
    """Yield three members with the same check, which several can pass."""
    settings = {"VIP_DCS_TYPE": "patroni"}
    made = []
    for name in ("node1", "node2", "node3"):
        place = tmp_path / name
        place.mkdir()
        manager = Manager(hosts[name], [f"http://127.0.0.1:{PORT}"], place / "run", settings)
        del manager.environ["VIP_TRIGGER_KEY"], manager.environ["VIP_TRIGGER_VALUE"]
        made.append((manager, Patroni(hosts[name], place)))
    with run_manager(*(manager for manager, _ in made)):
        for manager, patroni in made:
            patroni.says(503)
            patroni.start()
            manager.begin()
        yield made
    for _, patroni in made:
        patroni.stop()


def test_of_equal_candidates_one_takes_the_address(
    candidates: list[tuple[Manager, Patroni]],
) -> None:
    """The first candidate takes the address: random delays keep them out of step."""
    managers = [manager for manager, _ in candidates]
    for times in range(1, 4):
        for _, patroni in candidates:
            patroni.says(200)
        wait_until(lambda: any(has(manager.host) for manager in managers))
        (winner,) = [manager for manager in managers if has(manager.host)]
        assert not winner.address()["trouble"]
        others = [manager for manager in managers if manager is not winner]
        wait_until(lambda others=others: all(m.address()["conflicts"] for m in others))  # type: ignore[misc]
        assert [manager for manager in managers if has(manager.host)] == [winner]
        for _, patroni in candidates:
            patroni.says(503)
        wait_until(lambda: not any(has(manager.host) for manager in managers))
        assert sum(manager.address()["taken"] for manager in managers) == times
    assert "after 5 s" not in "".join(manager.end().stderr for manager in managers)


def test_a_patroni_elsewhere_is_not_believed(one: Manager, hosts: dict[str, Host]) -> None:
    """A remote Patroni is refused, even if its address could be bound here."""
    assert one.host is hosts["node1"]
    with one.host.entered():
        sysctl("net/ipv4/ip_nonlocal_bind", 1)
    one.environ["VIP_DCS_ENDPOINTS"] = f"http://{hosts['node2'].front}:{PORT}"
    one.begin()
    assert one.status()["state"] == "unknown"
    assert "is not on this host" in one.status()["reason"]
    with one.host.entered():
        sysctl("net/ipv4/ip_nonlocal_bind", 0)
