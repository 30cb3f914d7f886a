"""A node that holds an address by the policy's decisions on answers of a real store."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lvsdr import leader
from lvsdr.leader.following import follow
from lvsdr.leader.gate import (
    Answer,
    HoldDecision,
    LeaderHistory,
    LeaderPolicy,
    decide,
    record_answer,
)
from lvsdr.system.net.first_answer import Bell

from tests.leader.network import Host
from tests.support.waiting import PATIENCE


class PolicyHolder:
    """A daemon without a real address: the address is a flag, with the times of its changes."""

    def __init__(self, host: Host, store: leader.Store, policy: LeaderPolicy) -> None:
        self.up = False
        self.changes: list[float] = []
        self._host, self._store, self._policy = host, store, policy
        self._bell = Bell()
        self._answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._ask, self._decide)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._bell.stop()
        self._answers.put(None)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def _ask(self) -> None:
        with self._host.entered():
            for answer in follow(self._store, self._policy, self._bell):
                self._answers.put(answer)

    def _decide(self) -> None:
        standing, until = LeaderHistory(), time.monotonic() + PATIENCE
        while not self._bell.is_stopped():
            try:
                answer = self._answers.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                answer = None
            if answer is not None:
                standing = record_answer(standing, answer, self._policy)
            now = time.monotonic()
            decision = decide(standing, holding=self.up, now=now, policy=self._policy)
            self._act(decision, now)
            times = (decision.review, decision.not_before if not self.up else None)
            until = min((at for at in times if at is not None and at > now), default=now + 1.0)

    def _act(self, decision: HoldDecision, now: float) -> None:
        early = decision.not_before is not None and now < decision.not_before
        wanted = decision.hold and (self.up or not early)
        if wanted is not self.up:
            self.up = wanted
            self.changes.append(time.monotonic())


@contextmanager
def holding(host: Host, store: leader.Store, policy: LeaderPolicy) -> Iterator[PolicyHolder]:
    """Run a holder until the end of the block."""
    made = PolicyHolder(host, store, policy)
    try:
        yield made
    finally:
        made.stop()
