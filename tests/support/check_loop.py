"""A loop that drives the checks of real servers, as the watcher does."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager

from lvsdr.pool.check_history import CheckResult, Reply
from lvsdr.system.checks.running_checks import CheckSettings, RunningChecks

PATIENCE = 30.0  # seconds


class CheckLoop:
    """Running checks with all of their results."""

    def __init__(self, checks: RunningChecks) -> None:
        self.checks = checks
        self.results: dict[str, list[CheckResult]] = {}
        self.longest = 0.0  # seconds that one call of ``advance`` took

    def step(self) -> None:
        """Wait for an event or the next due time, and advance the checks."""
        now, due = time.monotonic(), self.checks.due()
        poll = select.poll()
        for descriptor, events in self.checks.descriptors().items():
            poll.register(descriptor, events)
        pause = 1.0 if due is None else max(0.0, due - now)
        ready = [descriptor for descriptor, _ in poll.poll(pause * 1000)]
        begun = time.monotonic()
        for host, result in self.checks.advance(ready, begun):
            self.results.setdefault(host, []).append(result)
        self.longest = max(self.longest, time.monotonic() - begun)

    def run(self, until: Callable[[], object]) -> None:
        """Drive the checks until a condition holds."""
        limit = time.monotonic() + PATIENCE
        while not until():
            assert time.monotonic() < limit, f"not in time; results: {self.results}"
            self.step()

    def next_results(self, number: int = 1) -> dict[str, list[CheckResult]]:
        """Return this many new results of each host."""
        before = {host: len(results) for host, results in self.results.items()}
        hosts = list(self.checks.hosts)

        def new(host: str) -> list[CheckResult]:
            return self.results.get(host, [])[before.get(host, 0) :]

        self.run(lambda: all(len(new(host)) >= number for host in hosts))
        return {host: new(host)[:number] for host in hosts}

    def next_reply(self, host: str) -> tuple[Reply, str]:
        """Return kind and reason of the next result of a host."""
        before = len(self.results.get(host, []))
        self.run(lambda: len(self.results.get(host, [])) > before)
        result = self.results[host][before]
        return result.reply, result.reason


@contextmanager
def checking(settings: CheckSettings, addresses: Mapping[str, str]) -> Iterator[CheckLoop]:
    """Yield the loop of these checks, and end them."""
    with closing(RunningChecks(settings)) as checks:
        checks.keep(addresses, time.monotonic())
        yield CheckLoop(checks)
