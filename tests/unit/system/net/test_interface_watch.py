"""The thread that reads interfaces for others, and reports changes."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator

import pytest
from lvsdr.errors import LvsdrError
from lvsdr.system.net.interface_watch import InterfaceWatch

from tests.support.namespaces import ip_batch, run_in_new_network
from tests.support.waiting import wait_until


@contextlib.contextmanager
def watching(ring: Callable[[], None], patience: float = 30.0) -> Iterator[InterfaceWatch]:
    """Run a watch in a thread, which lives as long as the process of the tests."""
    watch = InterfaceWatch(patience)
    threading.Thread(target=watch.run, args=(ring,), daemon=True).start()
    yield watch


def test_a_question_before_the_start_is_answered() -> None:
    with watching(lambda: None) as watch:
        found = watch.read("lo")
        assert found is not None
        assert (found.name, found.loopback) == ("lo", True)
        assert watch.read("nosuch0") is None


def test_the_start_rings() -> None:
    """A change that precedes the subscription to notices is not lost."""
    rung = threading.Event()
    with watching(rung.set):
        assert rung.wait(30)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a network namespace")
def test_changes_ring_and_are_read() -> None:
    """Each change rings, also one whose notice a question has taken from the socket."""

    def work() -> None:
        ip_batch(["link add v0 type veth peer name v1"])
        rung = threading.Event()
        with watching(rung.set) as watch:
            assert rung.wait(30)
            for number in range(1, 30):
                rung.clear()
                ip_batch([f"address add 10.9.0.{number}/24 dev v0"])
                found = watch.read("v0") if number % 2 else None
                assert found is None or len(found.addresses) == number
                assert rung.wait(30)
            rung.clear()
            ip_batch(["link delete v0"])
            assert rung.wait(30)
            wait_until(lambda: watch.read("v0") is None)

    run_in_new_network(work)


def test_a_blocked_thread_blocks_no_other() -> None:
    """A question has a time limit; those after it fail at once, until the thread goes on."""
    entered, go_on = threading.Event(), threading.Event()

    def ring() -> None:
        entered.set()
        go_on.wait()

    with watching(ring, patience=0.2) as watch:
        assert entered.wait(30)
        for _ in range(3):
            with pytest.raises(LvsdrError, match=r"does not describe lo within 0\.2 s"):
                watch.read("lo")
        go_on.set()

        def answers() -> bool:
            with contextlib.suppress(LvsdrError):
                return watch.read("lo") is not None
            return False

        wait_until(answers)


def test_after_a_failure_ip_answers_until_the_next_start() -> None:
    """The daemon can remove its address whatever happens to pyroute2."""

    def fail() -> None:
        raise LvsdrError("the bell is broken")

    watch = InterfaceWatch()
    with pytest.raises(LvsdrError, match="the bell is broken"):
        watch.run(fail)
    found = watch.read("lo")
    assert found is not None
    assert found.loopback
    assert watch.read("nosuch0") is None
    rung = threading.Event()
    threading.Thread(target=watch.run, args=(rung.set,), daemon=True).start()
    assert rung.wait(30)
    assert watch.read("lo") == found
