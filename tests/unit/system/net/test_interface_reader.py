"""Interfaces read through pyroute2, in network namespaces that the tests make."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from lvsdr.errors import LvsdrError
from lvsdr.system.net.interface_reader import InterfaceReader

from tests.support.interface_comparison import read_twice
from tests.support.namespaces import ip_batch, run_in_new_network
from tests.support.paths import ROOT
from tests.support.processes import Running
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs a network namespace")

LONG_NAME = "a-name-that-is-longer-than-fifteen"

# Interfaces with all that an address can have.
EVERYTHING = (
    "link set lo up",
    "address add 10.9.0.20/32 dev lo scope host label lo:vip",
    "address add fd77::20/128 dev lo nodad preferred_lft 0",
    "link add v0 type veth peer name v1",
    "link add v2 type veth peer name v3",
    "link set v0 addrgenmode none",
    "link set v1 addrgenmode none",
    "link set v0 up",
    "link set v1 up",
    "link set v2 up",  # without a carrier, because v3 is down
    "link set v3 arp off",
    "link property add dev v0 altname internal",
    f"link property add dev v0 altname {LONG_NAME}",
    "address add 10.9.0.1/24 dev v0",
    "address add 10.9.0.2/24 dev v0 label v0:second",  # a secondary address
    "address add 10.9.0.3/24 dev v0 valid_lft 9000 preferred_lft 3000",
    "address add 10.9.0.4/24 dev v0 valid_lft 9000 preferred_lft 0",  # a deprecated one
    "address add 10.9.0.5 peer 10.8.0.5 dev v0",
    "address add 10.9.0.6 peer 10.8.0.0/16 dev v0",
    "address add 10.9.0.7/24 dev v0 noprefixroute",
    "address add fd77::1/64 dev v0 nodad",
    "address add fd77::2/64 dev v0 nodad valid_lft 9000 preferred_lft 3000",
    "address add fd77::3/64 dev v0 nodad valid_lft 9000 preferred_lft 0",
    "address add fd77::4/64 dev v0 nodad noprefixroute",
    "address add fd77::5 peer fd78::5 dev v0 nodad",
    "address add fd77::6/64 dev v2",  # tentative for ever, without a carrier
    "address add fd77::7/64 dev v1 nodad",
    "address add fd77::7/64 dev v0",  # refused, because v1 has it
    "link add br0 type bridge",
)


@contextlib.contextmanager
def reader() -> Iterator[InterfaceReader]:
    with contextlib.closing(InterfaceReader()) as found:
        yield found


def run_alone(code: str) -> subprocess.CompletedProcess[str]:
    """Run the code in a Python of its own, which finds the library."""
    library = str(ROOT / "lib")
    head = f"import sys; sys.path.insert(0, {library!r})\n"
    return subprocess.run(
        [sys.executable, "-c", head + code], check=False, capture_output=True, text=True
    )


def test_both_readers_agree() -> None:
    """pyroute2 and ip(8) show the same; each property is there, so each is compared."""

    def work() -> None:
        ip_batch(EVERYTHING)
        wait_until(lambda: any(entry.dadfailed for entry in read_twice()["v0"][0].addresses))
        both = read_twice()
        assert {name: read for name, (read, _) in both.items()} == {
            name: shown for name, (_, shown) in both.items()
        }
        assert set(both) == {"lo", "v0", "v1", "v2", "v3", "br0"}
        read = {name: found for name, (found, _) in both.items()}
        assert set(read["v0"].altnames) == {"internal", LONG_NAME}
        assert {entry.label for entry in read["v0"].addresses} == {"v0", "v0:second", ""}
        assert {entry.peer for entry in read["v0"].addresses} == {
            *("", "10.8.0.5", "10.8.0.0", "fd78::5"),
        }
        assert any(entry.noprefixroute for entry in read["v0"].addresses)
        assert any(entry.deprecated for entry in read["v0"].addresses)
        assert any(entry.preferred_lft for entry in read["v0"].addresses)
        assert any(entry.tentative for entry in read["v2"].addresses)
        assert (read["v2"].up, read["v2"].carrier) == (True, False)
        assert (read["v3"].up, read["v3"].arp) == (False, False)
        assert {name: found.kind for name, found in read.items() if found.kind != "ether"} == {
            "lo": "loopback"
        }

    run_in_new_network(work)


@pytest.mark.parametrize("name", ["nosuch0", LONG_NAME])
def test_there_is_no_such_interface(name: str) -> None:
    with reader() as reading:
        assert reading.read(name) is None


def test_without_a_change_the_last_answer_counts() -> None:
    """The kernel is not asked again, until a link or an address of any interface changes."""

    def work() -> None:
        ip_batch(["link add v0 type veth peer name v1", "link set v0 addrgenmode none"])
        with reader() as reading:
            first = reading.read("v0")
            assert first is not None
            assert reading.read("v0") is first
            assert reading.read("nosuch0") is None
            ip_batch(["link set v1 mtu 1400"])
            second = reading.read("v0")
            assert second is not first
            ip_batch(["link add nosuch0 type veth peer name nosuch1"])
            assert reading.read("nosuch0") is not None
            ip_batch(["link delete nosuch0"])
            assert reading.read("nosuch0") is None

    run_in_new_network(work)


def test_every_change_is_noticed() -> None:
    """A change is visible, and its notice is there, once ip(8) has made it."""

    def work() -> None:
        ip_batch(["link add v0 type veth peer name v1", "link set v0 addrgenmode none"])
        with reader() as reading:
            assert not reading.take_notices()
            for number in range(1, 20):
                ip_batch([f"address add 10.9.0.{number}/24 dev v0"])
                found = reading.read("v0")
                assert found is not None
                assert len(found.addresses) == number
                assert reading.take_notices()
                assert not reading.take_notices()
            ip_batch(["link set v0 mtu 1400"])
            assert reading.take_notices()

    run_in_new_network(work)


@pytest.mark.slow
def test_lost_notices_count_as_one() -> None:
    """More notices than the socket holds are lost (ENOBUFS); later ones are received."""

    def work() -> None:
        ip_batch(["link add v0 type veth peer name v1"])
        with reader() as reading:
            ip_batch(f"address add 10.8.{n // 250}.{n % 250}/32 dev v0" for n in range(8000))
            assert reading.take_notices()
            assert not reading.take_notices()
            found = reading.read("v0")
            assert found is not None
            assert len(found.addresses) == 8000
            ip_batch(["address add 10.9.0.1/24 dev v0"])
            assert reading.take_notices()

    run_in_new_network(work)


@pytest.mark.slow
def test_a_list_that_changed_meanwhile_is_read_again() -> None:
    """The kernel lists by position, so the removal of an address hides a later one."""

    def work() -> None:
        ip_batch(["link add v0 type veth peer name v1"])
        ip_batch(f"address add 10.8.{n // 250}.{n % 250}/32 dev v0" for n in range(1160))
        lasting = {f"10.8.{n // 250}.{n % 250}" for n in range(160, 1160)}
        with reader() as reading:
            for first in range(0, 160, 20):
                going = (f"10.8.{n // 250}.{n % 250}" for n in range(first, first + 20))
                lines = "".join(f"address delete {address}/32 dev v0\n" for address in going)
                changing = Running(["ip", "-batch", "-"], lines)
                while changing.alive:
                    found = reading.read("v0")
                    assert found is not None
                    assert lasting <= {entry.address for entry in found.addresses}
                assert changing.close().returncode == 0

    run_in_new_network(work)


def test_a_failed_reader_leaves_no_descriptor() -> None:
    """With too few descriptors at any stage, the error is clear, and all are closed again."""
    done = run_alone(
        "import os, resource\n"
        "from lvsdr.errors import LvsdrError\n"
        "from lvsdr.system.net.interface_reader import InterfaceReader\n"
        "InterfaceReader().close()\n"
        "def descriptors(): return len(os.listdir('/proc/self/fd')) - 1\n"
        "before, failures = descriptors(), 0\n"
        "for room in range(20):\n"
        "    resource.setrlimit(resource.RLIMIT_NOFILE, (before + room, 4096))\n"
        "    try:\n"
        "        InterfaceReader().close()\n"
        "    except LvsdrError as error:\n"
        "        assert 'Too many open files' in str(error), error\n"
        "        failures += 1\n"
        "    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))\n"
        "    assert descriptors() == before, (room, descriptors(), before)\n"
        "assert 3 < failures < 20, failures\n"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_socket_is_an_error() -> None:
    with reader() as reading:
        with open(os.devnull) as null:
            os.dup2(null.fileno(), reading.fileno())
        with pytest.raises(LvsdrError, match="cannot watch the addresses of this host"):
            reading.take_notices()


def test_messages_of_pyroute2_are_not_in_the_log() -> None:
    done = run_alone(
        "import logging\n"
        "from lvsdr.system.net.interface_reader import InterfaceReader\n"
        "InterfaceReader().close()\n"
        "for name in ('pyroute2.netlink.nlsocket', 'asyncio'):\n"
        "    logging.getLogger(name).error('a message of %s', name)\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
