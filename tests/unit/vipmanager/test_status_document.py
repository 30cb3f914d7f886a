"""Reports of the state of the daemon: text, and metrics for Prometheus."""

from __future__ import annotations

import re
import time

import pytest
from lvsdr.address.interfaces import Interface
from lvsdr.leader.gate import Answer, HoldDecision, LeaderHistory, LeaderPolicy, Leadership, State
from lvsdr.vipmanager.address_machine import AddressState, Presence, Progress
from lvsdr.vipmanager.log import DaemonLog
from lvsdr.vipmanager.managed_address import BackgroundWork, ManagedAddress
from lvsdr.vipmanager.status_document import (
    AnswerCounts,
    StatusDocument,
    add_ages,
    describe_state,
    format_metrics,
    format_text,
    summarize,
)
from lvsdr.vipmanager.wanted_addresses import WantedAddress

UP = Interface("eth0", 2, (), True, True, "02:00:00:00:00:0a", "ether", ())
WORK = BackgroundWork(lambda _probe: None, lambda _guard: None, lambda _name: None)
LEADER = Leadership(State.LEADER, "/leader is node1 in etcd", "node1")


def make_address(
    address: str, presence: Presence, decision: HoldDecision, trouble: str = ""
) -> ManagedAddress:
    managed = ManagedAddress(WantedAddress(address, 24, 'e"h0'), "/nosuch", DaemonLog(), WORK)
    managed.state = AddressState(UP, presence)
    managed.decision = decision
    managed.progress = Progress(trouble=trouble)
    return managed


def make_document(stale: str = "", age: float = 0.0) -> StatusDocument:
    held = make_address("10.9.0.20", Presence.PRESENT, HoldDecision(True, "it leads"))
    waiting = make_address(
        "10.9.0.21", Presence.ABSENT, HoldDecision(True, "it leads"), "in use by x"
    )
    now = time.monotonic()
    history = LeaderHistory(Answer(LEADER, now - age, now - age))
    document = describe_state(
        "etcd", history, AnswerCounts(7, 1, None), LeaderPolicy(), [held, waiting]
    )
    return add_ages({**document, "pid": 4711, "stale": stale})


def test_the_text_has_a_line_for_each_address() -> None:
    lines = format_text(make_document("x: y")).splitlines()
    assert lines[0].endswith(", process 4711")
    assert lines[1:] == [
        "etcd: leader (/leader is node1 in etcd), answered never",
        '10.9.0.20/24 on e"h0: held (it leads)',
        '10.9.0.21/24 on e"h0: waiting (in use by x)',
        "the reload failed, the previous configuration is in effect: x: y",
    ]


def test_the_summary_has_the_state_of_each_address() -> None:
    assert summarize(make_document()) == "leader: 10.9.0.20 held, 10.9.0.21 waiting"


def test_a_follower_without_its_interface_is_bad() -> None:
    """A follower without its interface is reported as bad.

    Otherwise the defect would be noticed at the next takeover, and not before.
    """
    follower = make_address("10.9.0.20", Presence.ABSENT, HoldDecision(False, "another leads"))
    follower.state, follower.state_read = AddressState(None, Presence.ABSENT), True
    document = describe_state("etcd", LeaderHistory(), AnswerCounts(), LeaderPolicy(), [follower])
    (address,) = document["addresses"]
    assert address["bad"]
    assert address["trouble"] == 'interface e"h0 does not exist'
    shown = format_text(add_ages({**document, "pid": 1, "stale": ""}))
    assert 'released (interface e"h0 does not exist)' in shown


def test_an_expired_answer_counts_as_unknown() -> None:
    """An old answer is not reported as the present state.

    A thread that no longer queries must not leave its last leader in the report for ever.
    """
    found = make_document(age=60.0)
    assert (found["state"], found["leader"]) == ("unknown", None)
    assert "vip_manager_leader 0" in format_metrics(found)
    assert "vip_manager_store_up 0" in format_metrics(found)
    assert "no answer for 60." in format_text(found)


def test_the_state_before_the_first_answer_is_unknown() -> None:
    found = add_ages(
        {
            **describe_state("etcd", LeaderHistory(), AnswerCounts(), LeaderPolicy(), []),
            "pid": 1,
            "stale": "",
        }
    )
    assert found["state"] == "not asked yet"
    assert "vip_manager_store_up 0" in format_metrics(found)
    assert "answer_age" not in format_metrics(found)
    assert "no answer yet" in format_text(found)


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
def test_a_metric_has_its_labels_and_value(line: str) -> None:
    assert line in format_metrics(make_document()).splitlines()


def test_each_family_of_metrics_has_its_help_and_type_once() -> None:
    """Each family has its help and its type once, before its samples; there is no other line."""
    families: list[str] = []
    sample = re.compile(
        r'([a-z_]+)(\{[a-z_]+="(?:[^"\\]|\\.)*"(,[a-z_]+="(?:[^"\\]|\\.)*")*\})? \S+'
    )
    page = format_metrics(make_document("x"))
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
