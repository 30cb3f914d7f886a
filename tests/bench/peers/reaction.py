"""The reaction of a product to a fault of one real server, as the clients see it."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable

from tests.bench.peers.attempts import Attempt, SteadyClient
from tests.bench.peers.databases import CHECKER, Fault
from tests.bench.peers.products import PORT, Bench, Product
from tests.bench.peers.summary import QUIET, Reaction, is_plausible, summarize
from tests.bench.peers.wire import Denied, LastingSession
from tests.lab.host import VIP
from tests.support.waiting import wait_until

SESSIONS = 6
BEFORE = 3.0  # seconds of the client before the fault
AT_LEAST = 15.0  # seconds after the fault
AT_MOST = 45.0  # seconds after the fault
SERVING = 60.0  # seconds until a started product must serve


def measure(
    bench: Bench, product: Product, fault: Fault, rate: float, progress: Callable[[str], None]
) -> Reaction:
    """Start the product, let a server have the fault, and end both again.

    Raises AssertionError if the product does not serve, or if connections fail that the fault does
    not explain.
    """
    client = bench.world.client
    product.start()
    try:
        await_service(bench, everywhere=True)
        with contextlib.ExitStack() as opened:
            sessions = _sessions(bench)
            for session in sessions:
                opened.callback(session.close)
            steady = SteadyClient(client, VIP, PORT, CHECKER, rate)
            with contextlib.ExitStack() as faulty, steady:
                time.sleep(BEFORE)
                before = [one.error for one in list(steady.attempts) if one.error]
                assert not before, f"{len(before)} connections failed before the fault: {before[0]}"
                moment = faulty.enter_context(fault.cause(bench.databases))
                end = _await_end(steady, moment, fault)
                states = [(session.server, session.state()) for session in sessions]
                # The client ends first: the fault goes on until its open connections have a result.
        _show(steady, moment, fault, progress)
        found = summarize(steady.attempts, moment, end, states, fault.is_wrong)
        assert is_plausible(found), f"connections to healthy servers failed, too: {found}"
        return found
    finally:
        product.stop()
        bench.databases.settle()


def _show(
    steady: SteadyClient, moment: float, fault: Fault, progress: Callable[[str], None]
) -> None:
    """Show the results of the connections, and the seconds after which wrong ones began."""
    concerned = [one for one in steady.attempts if one.ended >= moment]
    progress(f"  {dict(Counter(one.error or one.server for one in concerned))}")
    wrong = sorted(one.began - moment for one in concerned if fault.is_wrong(one))
    progress(f"  wrong after {' '.join(f'{second:.1f}' for second in wrong)}")


def _await_end(steady: SteadyClient, moment: float, fault: Fault) -> float:
    """Wait until the fault is handled, or for the longest time. Return the moment."""
    while True:
        time.sleep(0.5)
        now = time.monotonic()
        seen = [one for one in list(steady.attempts) if one.ended >= moment]
        quiet = now - max(map(_began, filter(fault.is_wrong, seen)), default=moment) >= QUIET
        if now - moment >= AT_MOST or (now - moment >= AT_LEAST and quiet):
            return now


def _began(attempt: Attempt) -> float:
    return attempt.began


def _sessions(bench: Bench) -> list[LastingSession]:
    with bench.world.client.entered():
        return [LastingSession(VIP, PORT, CHECKER) for _ in range(SESSIONS)]


def await_service(bench: Bench, *, everywhere: bool) -> None:
    """Wait until no new connection fails, and with `everywhere` until they reach each server.

    A pooler reuses connections to servers, so connections one after the other reach one server.
    """
    servers = {host.name for host in bench.databases.hosts}
    wait_until(
        lambda: _reached(bench, 2 * len(servers)),
        lambda reached: reached == servers if everywhere else "" not in reached,
        "connections to the servers",
        SERVING,
        pause=0.5,
    )


def _reached(bench: Bench, connections: int) -> set[str]:
    """Return the servers that some new connections land on, and "" if one fails."""
    reached = set()
    for _ in range(connections):
        try:
            with bench.world.client.entered():
                session = LastingSession(VIP, PORT, CHECKER)
        except (OSError, Denied):
            return {""}
        reached.add(session.server)
        session.close()
    return reached
