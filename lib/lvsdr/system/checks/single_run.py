"""One check of each host, at once, for an operator who validates a configuration."""

from __future__ import annotations

import select
import time
from collections.abc import Mapping
from contextlib import closing

from ...pool.check_history import CheckResult, Reply
from ...values.deadline import Deadline
from .running_checks import CheckSettings, RunningChecks


def run_once(
    settings: CheckSettings, addresses: Mapping[str, str], deadline: Deadline
) -> dict[str, CheckResult]:
    """Return the result of one check of each host, in the order of ``addresses``.

    Raise InvalidParameters or NotInstalled if no check can be made.
    """
    results: dict[str, CheckResult] = {}
    with closing(RunningChecks(settings)) as checks:
        checks.keep(addresses, time.monotonic())
        while len(results) < len(addresses) and not deadline.is_expired():
            for host, result in checks.advance(_wait(checks, deadline), time.monotonic()):
                results.setdefault(host, result)
    now = time.monotonic()
    late = CheckResult(Reply.NONE, "no result in the time of the action", now, now)
    return {host: results.get(host, late) for host in addresses}


def _wait(checks: RunningChecks, deadline: Deadline) -> list[int]:
    """Wait for an event or the next due time; return the descriptors with an event."""
    poll = select.poll()
    for descriptor, events in checks.descriptors().items():
        poll.register(descriptor, events)
    due = checks.due()
    pause = 0.0 if due is None else max(0.0, due - time.monotonic())
    return [descriptor for descriptor, _ in poll.poll(min(pause, deadline.remaining()) * 1000)]
