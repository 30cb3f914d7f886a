"""The daemon's reports: for people, and for Prometheus."""

from __future__ import annotations

import re
import time

import pytest
from lvsdr.address.interfaces import Interface
from lvsdr.leader.gate import Answer, HoldDecision, LeaderHistory, LeaderPolicy, Leadership, State
from lvsdr.vipmanager.address_machine import Presence, Progress, Sight
from lvsdr.vipmanager.configuration import Wanted
from lvsdr.vipmanager.holder import Holder, Threads
from lvsdr.vipmanager.log import Log
from lvsdr.vipmanager.status_document import Document, Heard, aged, document, metrics, summary, text

UP = Interface("eth0", 2, (), True, True, "02:00:00:00:00:0a", "ether", ())
THREADS = Threads(lambda _asking: None, lambda _guard: None)
LEADER = Leadership(State.LEADER, "/leader is node1 in etcd", "node1")


def holder(address: str, presence: Presence, decision: HoldDecision, trouble: str = "") -> Holder:
    made = Holder(Wanted(address, 24, 'e"h0'), "/nosuch", Log(), THREADS)
    made.sight = Sight(UP, presence)
    made.decision = decision
    made.progress = Progress(trouble=trouble)
    return made


def told(stale: str = "", age: float = 0.0) -> Document:
    held = holder("10.9.0.20", Presence.PRESENT, HoldDecision(True, "it leads"))
    waiting = holder("10.9.0.21", Presence.ABSENT, HoldDecision(True, "it leads"), "in use by x")
    now = time.monotonic()
    standing = LeaderHistory(Answer(LEADER, now - age, now - age))
    found = document("etcd", standing, Heard(7, 1, None), LeaderPolicy(), [held, waiting])
    return aged({**found, "pid": 4711, "stale": stale})


def test_for_people() -> None:
    lines = text(told("x: y")).splitlines()
    assert lines[0].endswith(", process 4711")
    assert lines[1:] == [
        "etcd: leader (/leader is node1 in etcd), answered never",
        '10.9.0.20/24 on e"h0: held (it leads)',
        '10.9.0.21/24 on e"h0: waiting (in use by x)',
        "the configuration is still the old one: x: y",
    ]


def test_in_a_few_words() -> None:
    assert summary(told()) == "leader: 10.9.0.20 held, 10.9.0.21 waiting"


def test_a_follower_without_its_interface_is_not_well() -> None:
    """A follower without its interface is reported as bad.

    Otherwise the defect would be noticed at the next takeover, and not before.
    """
    follower = holder("10.9.0.20", Presence.ABSENT, HoldDecision(False, "another leads"))
    follower.sight, follower.looked = Sight(None, Presence.ABSENT), True
    found = document("etcd", LeaderHistory(), Heard(), LeaderPolicy(), [follower])
    (address,) = found["addresses"]
    assert address["bad"]
    assert address["trouble"] == 'interface e"h0 does not exist'
    shown = text(aged({**found, "pid": 1, "stale": ""}))
    assert 'released (interface e"h0 does not exist)' in shown


def test_an_old_answer_says_nothing() -> None:
    """An old answer is not reported as the present state.

    A thread that no longer queries must not leave its last leader in the report for ever.
    """
    found = told(age=60.0)
    assert (found["state"], found["leader"]) == ("unknown", None)
    assert "vip_manager_leader 0" in metrics(found)
    assert "vip_manager_store_up 0" in metrics(found)
    assert "no answer for 60." in text(found)


def test_before_anything_was_heard() -> None:
    found = aged(
        {**document("etcd", LeaderHistory(), Heard(), LeaderPolicy(), []), "pid": 1, "stale": ""}
    )
    assert found["state"] == "not asked yet"
    assert "vip_manager_store_up 0" in metrics(found)
    assert "answer_age" not in metrics(found)
    assert "no answer yet" in text(found)


@pytest.mark.parametrize(
    "line",
    [
        "vip_manager_leader 1",
        "vip_manager_store_up 1",
        "vip_manager_stale 0",
        "vip_manager_store_answers_total 7",
        "vip_manager_store_failures_total 1",
        r'vip_manager_address_held{address="10.9.0.20",interface="e\"h0"} 1',
        r'vip_manager_address_held{address="10.9.0.21",interface="e\"h0"} 0',
        r'vip_manager_address_wanted{address="10.9.0.21",interface="e\"h0"} 1',
        r'vip_manager_address_degraded{address="10.9.0.21",interface="e\"h0"} 1',
        r'vip_manager_address_taken_total{address="10.9.0.20",interface="e\"h0"} 0',
    ],
)
def test_a_metric(line: str) -> None:
    assert line in metrics(told()).splitlines()


def test_the_format_of_metrics() -> None:
    """Each family has its help and its type once, before its samples; there is no other line."""
    families: list[str] = []
    sample = re.compile(
        r'([a-z_]+)(\{[a-z_]+="(?:[^"\\]|\\.)*"(,[a-z_]+="(?:[^"\\]|\\.)*")*\})? \S+'
    )
    page = metrics(told("x"))
    assert page.endswith("\n")
    for line in page.splitlines():
        if line.startswith("# HELP "):
            families.append(line.split()[2])
        elif line.startswith("# TYPE "):
            assert line.split()[2] == families[-1]
            assert line.split()[3] in ("gauge", "counter")
            assert (line.split()[3] == "counter") == families[-1].endswith("_total")
        else:
            found = sample.fullmatch(line)
            assert found is not None, line
            assert found[1] == families[-1]
    assert len(families) == len(set(families))
