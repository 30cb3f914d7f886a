"""The next move for an address: single moves, and random plays against a model host."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lvsdr.address.interfaces import Interface
from lvsdr.leader.gate import HoldDecision
from lvsdr.vipmanager.address_machine import (
    Act,
    AddressState,
    Move,
    Presence,
    ProbeResult,
    Progress,
    TakeoverRules,
    decide_move,
    find_required_query_start,
    record_failure,
    require_new_answer,
)

NOW = 1000.0
RULES = TakeoverRules(takeover=5.0, retry=3.0)
FORCE = RULES._replace(force=True)
LEADS = HoldDecision(True, "it leads", not_before=NOW, confirmed_at=inf)
OLD_ANSWER = LEADS._replace(confirmed_at=NOW - 1)
LEADS_SOON = LEADS._replace(not_before=NOW + 0.3)
KEPT_IN_GRACE = HoldDecision(True, "kept for a while", degraded=True)
FOLLOWS = HoldDecision(False, "another leads")
UP = Interface("eth0", 2, (), True, True, "02:00:00:00:00:0a", "ether", ())
NO_CARRIER, DOWN = UP._replace(carrier=False), UP._replace(up=False, carrier=False)
MAC = "02:00:00:00:00:99"
FREE, RIVAL = ProbeResult(), ProbeResult(rival=MAC)
HELD = Progress(held=True, announced=True)
PROBING = Progress(attempt_began=NOW - 1, probing=True)


UNLINKED = Progress(held=True, query_after=NOW - 2, trouble="interface eth0 has no carrier")
TAKEN = Progress(attempt_began=NOW - 1, query_after=-inf)


def awaiting_answer(query_after: float) -> Progress:
    return Progress(held=True, query_after=query_after)


def at(presence: Presence, interface: Interface | None = UP) -> AddressState:
    return AddressState(interface, presence)


ABSENT, PRESENT = at(Presence.ABSENT), at(Presence.PRESENT)


def probed(probe_result: ProbeResult, attempt_began: float = NOW - 1) -> Progress:
    return Progress(attempt_began=attempt_began, probe_result=probe_result)


CASES = {
    "another leads, not here": (Progress(), ABSENT, FOLLOWS, Act.NOTHING, Progress()),
    "another leads, here": (HELD, PRESENT, FOLLOWS, Act.REMOVE, Progress()),
    "another leads, here without a link": (
        HELD,
        at(Presence.PRESENT, DOWN),
        FOLLOWS,
        Act.REMOVE,
        Progress(),
    ),
    "another leads during a probe": (PROBING, ABSENT, FOLLOWS, Act.NOTHING, Progress()),
    "another leads, duplicate": (HELD, at(Presence.REFUSED), FOLLOWS, Act.REMOVE, Progress()),
    "begin": (Progress(), ABSENT, LEADS, Act.PROBE, Progress(attempt_began=NOW, probing=True)),
    "begin early": (
        Progress(),
        ABSENT,
        LEADS_SOON,
        Act.PROBE,
        Progress(attempt_began=NOW, probing=True),
    ),
    "probe running": (PROBING, ABSENT, LEADS, Act.NOTHING, PROBING),
    "free": (probed(FREE), ABSENT, LEADS, Act.TAKE, TAKEN),
    "free, but early": (probed(FREE), ABSENT, LEADS_SOON, Act.NOTHING, probed(FREE)),
    "taken": (TAKEN, PRESENT, OLD_ANSWER, Act.ANNOUNCE, HELD),
    "held": (HELD, PRESENT, LEADS, Act.NOTHING, HELD),
    "held without an answer": (HELD, PRESENT, KEPT_IN_GRACE, Act.NOTHING, HELD),
    "adopted": (Progress(), PRESENT, LEADS, Act.ANNOUNCE, HELD),
    "adopted on an old answer": (
        Progress(),
        PRESENT,
        OLD_ANSWER,
        Act.NOTHING,
        awaiting_answer(NOW),
    ),
    "adopted without an answer": (
        Progress(),
        PRESENT,
        KEPT_IN_GRACE,
        Act.NOTHING,
        awaiting_answer(NOW),
    ),
    "tentative": (
        probed(FREE),
        at(Presence.TENTATIVE),
        LEADS,
        Act.NOTHING,
        Progress(attempt_began=NOW - 1),
    ),
    "refused by the kernel": (
        Progress(attempt_began=NOW - 1),
        at(Presence.REFUSED),
        LEADS,
        Act.REMOVE,
        probed(ProbeResult(rival="another host", found_by_kernel=True)),
    ),
    "different": (HELD, at(Presence.DIFFERENT), LEADS, Act.TAKE, HELD),
    "removed by hand": (HELD, ABSENT, LEADS, Act.TAKE, Progress(query_after=-inf)),
    "removed by hand, without an answer": (
        HELD,
        ABSENT,
        KEPT_IN_GRACE,
        Act.PROBE,
        Progress(attempt_began=NOW, probing=True),
    ),
    "no interface": (
        PROBING,
        at(Presence.ABSENT, None),
        LEADS,
        Act.NOTHING,
        Progress(trouble="interface wanted does not exist"),
    ),
    "interface down": (
        Progress(),
        at(Presence.ABSENT, DOWN),
        LEADS,
        Act.NOTHING,
        Progress(trouble="interface eth0 is down"),
    ),
    "held without a link": (
        HELD,
        at(Presence.PRESENT, NO_CARRIER),
        LEADS,
        Act.NOTHING,
        UNLINKED._replace(query_after=NOW),
    ),
    "the link is back": (UNLINKED, PRESENT, LEADS, Act.ANNOUNCE, HELD),
    "the link is back, the answer is older": (
        UNLINKED,
        PRESENT,
        LEADS._replace(confirmed_at=NOW - 2),
        Act.NOTHING,
        awaiting_answer(NOW - 2),
    ),
    "the link is back, the answer is newer": (UNLINKED, PRESENT, OLD_ANSWER, Act.ANNOUNCE, HELD),
    "the link is back, the store is silent": (
        UNLINKED,
        PRESENT,
        KEPT_IN_GRACE,
        Act.NOTHING,
        awaiting_answer(NOW - 2),
    ),
    "in use": (
        probed(RIVAL),
        ABSENT,
        LEADS,
        Act.NOTHING,
        Progress(attempt_began=NOW - 1, paused_until=NOW + 0.2, trouble=f"in use by {MAC}"),
    ),
    "still in use": (
        probed(RIVAL, NOW - 5),
        ABSENT,
        LEADS,
        Act.NOTHING,
        Progress(paused_until=NOW + 3.0, trouble=f"still in use by {MAC} after 5 s, trying again"),
    ),
    "probe failed": (
        probed(ProbeResult(problem="no socket")),
        ABSENT,
        LEADS,
        Act.NOTHING,
        Progress(paused_until=NOW + 3.0, trouble="no socket"),
    ),
    "pausing": (
        Progress(paused_until=NOW + 1.0),
        ABSENT,
        LEADS,
        Act.NOTHING,
        Progress(paused_until=NOW + 1.0),
    ),
    "after a pause": (
        Progress(paused_until=NOW, trouble="x"),
        ABSENT,
        LEADS,
        Act.PROBE,
        Progress(attempt_began=NOW, probing=True, paused_until=NOW, trouble="x"),
    ),
    "cannot be corrected yet": (
        Progress(paused_until=NOW + 1.0),
        at(Presence.DIFFERENT),
        LEADS,
        Act.NOTHING,
        Progress(paused_until=NOW + 1.0),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_move_follows_from_progress_and_state(name: str) -> None:
    progress, state, decision, act, after = CASES[name]
    step = decide_move(progress, state, decision, NOW, RULES, "wanted")
    assert (step.act, step.progress) == (act, after)


def test_an_announcement_requires_a_later_query() -> None:
    assert find_required_query_start(awaiting_answer(NOW)) == NOW
    assert find_required_query_start(require_new_answer(HELD, NOW)) == NOW
    for settled in (Progress(), HELD, TAKEN, UNLINKED):
        assert find_required_query_start(settled) is None


@pytest.mark.parametrize(
    ("probe_result", "least", "most"),
    [(RIVAL, 0.2, 0.4), (RIVAL._replace(found_by_kernel=True), 0.2, 3.2)],
    ids=["by the probe", "by the kernel"],
)
def test_a_random_part_of_the_pause_separates_rivals(
    probe_result: ProbeResult, least: float, most: float
) -> None:
    def pause(chance: float) -> float:
        step = decide_move(probed(probe_result), ABSENT, LEADS, NOW, RULES, "eth0", chance)
        return round(step.progress.paused_until - NOW, 3)

    assert (pause(0.0), pause(1.0)) == (least, most)


def test_force_takes_an_address_in_use_after_the_timeout() -> None:
    step = decide_move(probed(RIVAL, NOW - 5), ABSENT, LEADS, NOW, FORCE, "eth0")
    assert step.act is Act.FORCE
    assert decide_move(probed(RIVAL), ABSENT, LEADS, NOW, FORCE, "eth0").act is Act.NOTHING


@pytest.mark.parametrize("name", ["free, but early", "in use", "still in use", "pausing"])
def test_a_move_that_waits_has_a_wake_time(name: str) -> None:
    progress, state, decision, _, _ = CASES[name]
    wake = decide_move(progress, state, decision, NOW, RULES, "eth0").wake
    assert wake is not None
    assert NOW < wake <= NOW + RULES.retry


class Host:
    """A host with acts that succeed or not, and a segment where a rival may have the address."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.interface: Interface | None = UP
        self.is_present = self.rival = False
        self.now = NOW
        self.acts: list[Act] = []

    def run(self, decision: HoldDecision, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self._make_moves(decision)
            self.now += 0.25

    def _make_moves(self, decision: HoldDecision) -> None:
        for _ in range(6):
            presence = Presence.PRESENT if self.is_present else Presence.ABSENT
            step: Move = decide_move(
                self.progress,
                AddressState(self.interface, presence),
                decision,
                self.now,
                RULES,
                "eth0",
            )
            self.progress = step.progress
            self.acts.append(step.act)
            if step.act is Act.PROBE:
                probe_result = ProbeResult(rival=MAC) if self.rival else ProbeResult()
                self.progress = self.progress._replace(probing=False, probe_result=probe_result)
            elif step.act is Act.TAKE:
                self.is_present = True
            elif step.act is Act.REMOVE:
                self.is_present = False
            elif step.act is Act.NOTHING:
                return
        raise AssertionError(f"no end of the moves: {self.acts[-6:]}")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["leads", "follows", "rival", "alone", "unplugged", "plugged", "deleted"]),
        st.sampled_from([0.25, 1.0, 4.0, 9.0]),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=200)
@given(STEPS)
def test_each_random_play_ends_in_the_wanted_state(steps: list[tuple[str, float]]) -> None:
    host, decision = Host(), FOLLOWS
    for event, seconds in steps:
        decision = {"leads": LEADS, "follows": FOLLOWS}.get(event, decision)
        host.rival = {"rival": True, "alone": False}.get(event, host.rival)
        host.interface = {"unplugged": NO_CARRIER, "plugged": UP}.get(event, host.interface)
        host.is_present = host.is_present and event != "deleted"
        taken = host.acts.count(Act.TAKE)
        host.run(decision, seconds)
        if decision is FOLLOWS:
            assert not host.is_present
        if host.acts.count(Act.TAKE) > taken:
            assert host.interface is UP
    host.rival, host.interface = False, UP
    host.run(LEADS, 12.0)
    assert host.is_present
    assert host.progress == HELD


def test_an_address_in_use_is_not_taken() -> None:
    host = Host()
    host.rival = True
    host.run(LEADS, 30.0)
    assert Act.TAKE not in host.acts
    assert host.acts.count(Act.PROBE) > 10


def test_a_failed_action_is_repeated_after_the_retry_time() -> None:
    after = record_failure(NOW, RULES, "ip: no")
    assert decide_move(after, ABSENT, LEADS, NOW + 2.9, RULES, "eth0").wake == NOW + 3
    assert decide_move(after, ABSENT, LEADS, NOW + 3, RULES, "eth0").act is Act.PROBE
