"""The next move with an address: one by one, and in plays against a model of host and segment."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lvsdr.address.interfaces import Interface
from lvsdr.leader.gate import HoldDecision
from lvsdr.vipmanager.address_machine import (
    Act,
    Finding,
    Move,
    Presence,
    Progress,
    Rules,
    Sight,
    doubted,
    failed,
    move,
    unproven,
)

NOW = 1000.0
RULES = Rules(takeover=5.0, retry=3.0)
FORCE = RULES._replace(force=True)
LEADS = HoldDecision(True, "it leads", not_before=NOW, confirmed_at=inf)
LED = LEADS._replace(confirmed_at=NOW - 1)
EARLY = LEADS._replace(not_before=NOW + 0.3)
KEPT = HoldDecision(True, "kept for a while", degraded=True)
FOLLOWS = HoldDecision(False, "another leads")
UP = Interface("eth0", 2, (), True, True, "02:00:00:00:00:0a", "ether", ())
NO_CARRIER, DOWN = UP._replace(carrier=False), UP._replace(up=False, carrier=False)
MAC = "02:00:00:00:00:99"
FREE, RIVAL = Finding(), Finding(rival=MAC)
HELD = Progress(held=True, told=True)
ASKED = Progress(began=NOW - 1, asking=True)


UNLINKED = Progress(held=True, since=NOW - 2, trouble="interface eth0 has no carrier")
TAKEN = Progress(began=NOW - 1, since=-inf)


def silent(since: float) -> Progress:
    return Progress(held=True, since=since)


def sight(presence: Presence, interface: Interface | None = UP) -> Sight:
    return Sight(interface, presence)


ABSENT, PRESENT = sight(Presence.ABSENT), sight(Presence.PRESENT)


def answered(finding: Finding, began: float = NOW - 1) -> Progress:
    return Progress(began=began, finding=finding)


CASES = {
    "another leads, not here": (Progress(), ABSENT, FOLLOWS, Act.NOTHING, Progress()),
    "another leads, here": (HELD, PRESENT, FOLLOWS, Act.REMOVE, Progress()),
    "another leads, here without a link": (
        HELD,
        sight(Presence.PRESENT, DOWN),
        FOLLOWS,
        Act.REMOVE,
        Progress(),
    ),
    "another leads while asking": (ASKED, ABSENT, FOLLOWS, Act.NOTHING, Progress()),
    "another leads, duplicate": (HELD, sight(Presence.REFUSED), FOLLOWS, Act.REMOVE, Progress()),
    "begin": (Progress(), ABSENT, LEADS, Act.ASK, Progress(began=NOW, asking=True)),
    "begin early": (Progress(), ABSENT, EARLY, Act.ASK, Progress(began=NOW, asking=True)),
    "asking": (ASKED, ABSENT, LEADS, Act.NOTHING, ASKED),
    "free": (answered(FREE), ABSENT, LEADS, Act.TAKE, TAKEN),
    "free, but early": (answered(FREE), ABSENT, EARLY, Act.NOTHING, answered(FREE)),
    "taken": (TAKEN, PRESENT, LED, Act.ANNOUNCE, HELD),
    "held": (HELD, PRESENT, LEADS, Act.NOTHING, HELD),
    "held on ignorance": (HELD, PRESENT, KEPT, Act.NOTHING, HELD),
    "adopted": (Progress(), PRESENT, LEADS, Act.ANNOUNCE, HELD),
    "adopted on an old answer": (Progress(), PRESENT, LED, Act.NOTHING, silent(NOW)),
    "adopted on ignorance": (Progress(), PRESENT, KEPT, Act.NOTHING, silent(NOW)),
    "tentative": (
        answered(FREE),
        sight(Presence.TENTATIVE),
        LEADS,
        Act.NOTHING,
        Progress(began=NOW - 1),
    ),
    "refused by the kernel": (
        Progress(began=NOW - 1),
        sight(Presence.REFUSED),
        LEADS,
        Act.REMOVE,
        answered(Finding(rival="another host", by_the_kernel=True)),
    ),
    "different": (HELD, sight(Presence.DIFFERENT), LEADS, Act.TAKE, HELD),
    "removed by hand": (HELD, ABSENT, LEADS, Act.TAKE, Progress(since=-inf)),
    "removed by hand, ignorant": (
        HELD,
        ABSENT,
        KEPT,
        Act.ASK,
        Progress(began=NOW, asking=True),
    ),
    "no interface": (
        ASKED,
        sight(Presence.ABSENT, None),
        LEADS,
        Act.NOTHING,
        Progress(trouble="interface wanted does not exist"),
    ),
    "interface down": (
        Progress(),
        sight(Presence.ABSENT, DOWN),
        LEADS,
        Act.NOTHING,
        Progress(trouble="interface eth0 is down"),
    ),
    "held without a link": (
        HELD,
        sight(Presence.PRESENT, NO_CARRIER),
        LEADS,
        Act.NOTHING,
        UNLINKED._replace(since=NOW),
    ),
    "the link is back": (UNLINKED, PRESENT, LEADS, Act.ANNOUNCE, HELD),
    "the link is back, the answer is older": (
        UNLINKED,
        PRESENT,
        LEADS._replace(confirmed_at=NOW - 2),
        Act.NOTHING,
        silent(NOW - 2),
    ),
    "the link is back, the answer is newer": (UNLINKED, PRESENT, LED, Act.ANNOUNCE, HELD),
    "the link is back, the store is silent": (
        UNLINKED,
        PRESENT,
        KEPT,
        Act.NOTHING,
        silent(NOW - 2),
    ),
    "in use": (
        answered(RIVAL),
        ABSENT,
        LEADS,
        Act.NOTHING,
        Progress(began=NOW - 1, pause=NOW + 0.2, trouble=f"in use by {MAC}"),
    ),
    "still in use": (
        answered(RIVAL, NOW - 5),
        ABSENT,
        LEADS,
        Act.NOTHING,
        Progress(pause=NOW + 3.0, trouble=f"still in use by {MAC} after 5 s, trying again"),
    ),
    "could not ask": (
        answered(Finding(problem="no socket")),
        ABSENT,
        LEADS,
        Act.NOTHING,
        Progress(pause=NOW + 3.0, trouble="no socket"),
    ),
    "pausing": (
        Progress(pause=NOW + 1.0),
        ABSENT,
        LEADS,
        Act.NOTHING,
        Progress(pause=NOW + 1.0),
    ),
    "after a pause": (
        Progress(pause=NOW, trouble="x"),
        ABSENT,
        LEADS,
        Act.ASK,
        Progress(began=NOW, asking=True, pause=NOW, trouble="x"),
    ),
    "cannot be corrected yet": (
        Progress(pause=NOW + 1.0),
        sight(Presence.DIFFERENT),
        LEADS,
        Act.NOTHING,
        Progress(pause=NOW + 1.0),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_move(name: str) -> None:
    progress, seen, decision, act, after = CASES[name]
    found = move(progress, seen, decision, NOW, RULES, "wanted")
    assert (found.act, found.progress) == (act, after)


def test_the_store_is_asked_before_an_announcement() -> None:
    assert unproven(silent(NOW)) == NOW
    assert unproven(doubted(HELD, NOW)) == NOW
    for settled in (Progress(), HELD, TAKEN, UNLINKED):
        assert unproven(settled) is None


@pytest.mark.parametrize(
    ("finding", "least", "most"),
    [(RIVAL, 0.2, 0.4), (RIVAL._replace(by_the_kernel=True), 0.2, 3.2)],
    ids=["asked", "by the kernel"],
)
def test_hosts_get_out_of_step(finding: Finding, least: float, most: float) -> None:
    def pause(chance: float) -> float:
        found = move(answered(finding), ABSENT, LEADS, NOW, RULES, "eth0", chance)
        return round(found.progress.pause - NOW, 3)

    assert (pause(0.0), pause(1.0)) == (least, most)


def test_by_force() -> None:
    found = move(answered(RIVAL, NOW - 5), ABSENT, LEADS, NOW, FORCE, "eth0")
    assert found.act is Act.FORCE
    assert move(answered(RIVAL), ABSENT, LEADS, NOW, FORCE, "eth0").act is Act.NOTHING


@pytest.mark.parametrize("name", ["free, but early", "in use", "still in use", "pausing"])
def test_who_waits_for_a_time_says_so(name: str) -> None:
    progress, seen, decision, _, _ = CASES[name]
    wake = move(progress, seen, decision, NOW, RULES, "eth0").wake
    assert wake is not None
    assert NOW < wake <= NOW + RULES.retry


class Host:
    """A host with acts that succeed or not, and a segment where a rival may have the address."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.interface: Interface | None = UP
        self.there = self.rival = False
        self.now = NOW
        self.acts: list[Act] = []

    def live(self, decision: HoldDecision, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self._turn(decision)
            self.now += 0.25

    def _turn(self, decision: HoldDecision) -> None:
        for _ in range(6):
            presence = Presence.PRESENT if self.there else Presence.ABSENT
            found: Move = move(
                self.progress, Sight(self.interface, presence), decision, self.now, RULES, "eth0"
            )
            self.progress = found.progress
            self.acts.append(found.act)
            if found.act is Act.ASK:
                finding = Finding(rival=MAC) if self.rival else Finding()
                self.progress = self.progress._replace(asking=False, finding=finding)
            elif found.act is Act.TAKE:
                self.there = True
            elif found.act is Act.REMOVE:
                self.there = False
            elif found.act is Act.NOTHING:
                return
        raise AssertionError(f"no rest: {self.acts[-6:]}")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["leads", "follows", "rival", "alone", "unplugged", "plugged", "deleted"]),
        st.sampled_from([0.25, 1.0, 4.0, 9.0]),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=200)
@given(STEPS)
def test_whatever_happens_in_the_end_it_is_as_wanted(steps: list[tuple[str, float]]) -> None:
    host, decision = Host(), FOLLOWS
    for what, seconds in steps:
        decision = {"leads": LEADS, "follows": FOLLOWS}.get(what, decision)
        host.rival = {"rival": True, "alone": False}.get(what, host.rival)
        host.interface = {"unplugged": NO_CARRIER, "plugged": UP}.get(what, host.interface)
        host.there = host.there and what != "deleted"
        taken = host.acts.count(Act.TAKE)
        host.live(decision, seconds)
        if decision is FOLLOWS:
            assert not host.there
        if host.acts.count(Act.TAKE) > taken:
            assert host.interface is UP
    host.rival, host.interface = False, UP
    host.live(LEADS, 12.0)
    assert host.there
    assert host.progress == HELD


def test_nobody_takes_what_another_has() -> None:
    host = Host()
    host.rival = True
    host.live(LEADS, 30.0)
    assert Act.TAKE not in host.acts
    assert host.acts.count(Act.ASK) > 10


def test_what_failed_is_tried_again_later() -> None:
    after = failed(NOW, RULES, "ip: no")
    assert move(after, ABSENT, LEADS, NOW + 2.9, RULES, "eth0").wake == NOW + 3
    assert move(after, ABSENT, LEADS, NOW + 3, RULES, "eth0").act is Act.ASK
