"""One cycle: real crm_mon, real scripts, real resolver for addresses; no kernel."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.agents.lvsdr import cycle
from lvsdr.agents.lvsdr.legality import PARAMETERS
from lvsdr.agents.lvsdr.memory import Memory
from lvsdr.agents.lvsdr.settings import Settings, settings
from lvsdr.deadline import Deadline
from lvsdr.director import Judged
from lvsdr.ipvs.table import (
    RealServer,
    RealServerConfig,
    RealServerKey,
    Service,
    ServiceConfig,
    ServiceKey,
)
from lvsdr.model import Located, Outcome, Verdict

from tests.unit.crm import cib

LISTED = "10.77.0.11,3 10.77.0.12 10.77.0.13,0"


def meant(**given: str) -> Settings:
    """The settings that these parameters make, on top of a legal minimum."""
    texts = {"vip": "10.9.0.20", "port": "5432", **given}
    return settings(PARAMETERS.parse({f"OCF_RESKEY_{name}": text for name, text in texts.items()}))


@pytest.fixture(autouse=True)
def _steady(monkeypatch: pytest.MonkeyPatch) -> None:
    ask(monkeypatch, "steady")


def ask(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """From now on this is the cluster that crm_mon looks at."""
    monkeypatch.setenv("CIB_file", str(cib(name)))


def judge(memory: Memory | None = None, **given: str) -> Judged:
    """What is found out about the real servers, by these parameters."""
    return cycle.judge(meant(**given), memory or Memory(), Deadline.after(20.0))


def lines(servers: object) -> list[str]:
    """One line for each of them."""
    assert isinstance(servers, (list, tuple))
    return [f"{s.host} {s.address} {s.weight} {s.verdict.outcome.value}" for s in servers]


def test_a_static_list() -> None:
    judged = judge(weight_of_realservers=LISTED)
    assert lines(judged.located) == [
        "10.77.0.11 10.77.0.11 3 in",
        "10.77.0.12 10.77.0.12 1 in",
        "10.77.0.13 10.77.0.13 0 in",
    ]
    assert judged.asked == {"10.77.0.11", "10.77.0.12", "10.77.0.13"}
    assert judged.unavailable is None


def test_only_a_static_list_is_asked_for() -> None:
    assert judge(realserver_dependent_resource="solo").asked == frozenset()
    assert judge(realserver_get_real_servers_script="/bin/true").asked == frozenset()


def test_addresses_from_a_node_attribute() -> None:
    """Of the recorded attributes one serves as if it were an address: it is none."""
    judged = judge(realserver_address_attribute="pgsql-status", weight_of_realservers="node1")
    assert lines(judged.located) == ["node1 None 1 unknown"]


def test_an_address_that_was_known_before_stays() -> None:
    memory = Memory(addresses={"node1": "10.77.0.1"}, names={"10.77.0.1": "node1"})
    judged = judge(memory, weight_of_realservers="node1", realserver_address_attribute="none-such")
    assert lines(judged.located) == ["node1 10.77.0.1 1 unknown"]
    assert judged.hosts["10.77.0.1"] == "node1"


def test_the_check_narrows(tmp_path: Path) -> None:
    script = tmp_path / "check"
    script.write_text("#!/bin/sh\ntest $1 = 10.77.0.12 && echo f || echo t\n")
    script.chmod(0o755)
    judged = judge(
        weight_of_realservers=LISTED, realserver_check_active_real_server_script=str(script)
    )
    assert [s.verdict.outcome for s in judged.located] == [
        Outcome.IN,
        Outcome.WITHDRAWN,
        Outcome.IN,
    ]


def test_a_fallback_has_a_weight_of_its_own() -> None:
    judged = judge(weight_of_realservers=LISTED, fallback_realservers="10.77.0.11,9 10.77.0.12")
    assert lines(judged.fallback) == ["10.77.0.11 10.77.0.11 9 in", "10.77.0.12 10.77.0.12 1 in"]


def test_a_fallback_is_judged_by_its_node(monkeypatch: pytest.MonkeyPatch) -> None:
    ask(monkeypatch, "node3-crashed")
    memory = Memory(addresses={"node3": "10.77.0.3"})
    judged = judge(memory, weight_of_realservers=LISTED, fallback_realservers="node3")
    assert lines(judged.fallback) == ["node3 10.77.0.3 1 failed"]


def test_one_that_nobody_names_is_judged_by_its_node(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory(names={"10.77.0.2": "node2", "10.77.0.3": "node3", "10.77.0.9": "outside"})
    assert judge(memory, weight_of_realservers=LISTED).nodes == {}
    ask(monkeypatch, "node3-crashed")
    nodes = judge(memory, weight_of_realservers=LISTED).nodes
    assert {host: verdict.outcome for host, verdict in nodes.items()} == {"node3": Outcome.FAILED}


def test_a_cluster_that_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIB_file", "/nowhere/cib.xml")
    memory = Memory(names={"10.77.0.1": "node1"})
    judged = judge(memory, weight_of_realservers=LISTED, fallback_realservers="10.77.0.19")
    assert (judged.located, judged.fallback) == ((), ())
    assert judged.hosts == {"10.77.0.1": "node1"}
    assert judged.unavailable is not None
    assert judged.unavailable.startswith("crm_mon: Could not connect to the CIB")


def test_a_source_that_does_not_answer_leaves_what_the_cluster_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask(monkeypatch, "node3-crashed")
    memory = Memory(addresses={f"node{n}": f"10.77.0.{n}" for n in (1, 2, 3)})
    judged = judge(
        memory,
        realserver_get_real_servers_script="/bin/false",
        realserver_address_attribute="no-such",
    )
    assert judged.unavailable == "false: exit status 1"
    assert lines(judged.located) == [
        "node1 10.77.0.1 1 unknown",
        "node2 10.77.0.2 1 unknown",
        "node3 10.77.0.3 1 failed",
    ]


def test_sources_leave_time_to_change_the_table() -> None:
    deadline = Deadline.after(1.0)
    script = "/bin/sh -c 'sleep 60'"
    given = {"realserver_get_real_servers_script": script, "script_timeout": "1min"}
    judged = cycle.judge(meant(**given), Memory(), deadline)
    assert judged.unavailable is not None
    assert judged.unavailable.startswith("sh: timed out after 0.")
    assert not deadline.expired()


def server(outcome: Outcome, address: str | None = "10.77.0.1") -> Located:
    return Located("node1", address, 1, Verdict(outcome, "so"))


@pytest.mark.parametrize(
    ("judged", "reason"),
    [
        (Judged((), (), {}), None),
        (Judged((), (), {}, unavailable="crm_mon: no"), "crm_mon: no"),
        (Judged([server(Outcome.IN)], (), {}), None),
        (Judged([server(Outcome.FAILED)], (), {}), None),
        (Judged([server(Outcome.WITHDRAWN, None)], (), {}), None),
        (Judged([server(Outcome.UNKNOWN)], (), {}), "node1: so"),
        (Judged([server(Outcome.UNKNOWN, None), server(Outcome.IN)], (), {}), None),
        (Judged([server(Outcome.UNKNOWN), server(Outcome.FAILED)], (), {}), None),
        (Judged([server(Outcome.UNKNOWN, None), server(Outcome.FAILED)], (), {}), "node1: so"),
    ],
)
def test_whether_a_start_would_know_what_it_does(judged: Judged, reason: str | None) -> None:
    assert cycle.nothing_known(judged) == reason


KEY = RealServerKey("10.77.0.11", 5432)


def test_a_plan_for_a_service_that_is_not_there() -> None:
    wanted = meant(weight_of_realservers="10.77.0.11,3", virtual_service_options="-s wrr -p 60")
    judged = judge(weight_of_realservers="10.77.0.11,3")
    planned = cycle.plan(wanted, judged, None, Memory())
    assert planned.wanted.config == ServiceConfig("wrr", 60)
    assert planned.wanted.real_servers == {KEY: RealServerConfig("gate", 3)}


def test_a_plan_for_one_that_is_there() -> None:
    service = Service(ServiceConfig("rr"), {KEY: RealServer(RealServerConfig("gate", 7))})
    judged = judge(weight_of_realservers="10.77.0.11,3")
    planned = cycle.plan(meant(), judged, service, Memory())
    (row,) = planned.decision.rows
    assert (row.before, row.after) == (7, 3)


def test_what_is_remembered() -> None:
    wanted = meant()
    judged = judge(weight_of_realservers="10.77.0.11 10.77.0.12")
    gone, left = RealServerKey("10.77.0.98", 5432), RealServerKey("10.77.0.99", 5432)
    pool = {
        left: RealServer(RealServerConfig("gate", 1)),
        KEY: RealServer(RealServerConfig("gate", 1)),
    }
    before = Memory(
        addresses={"left": left.address, "gone": gone.address},
        names={left.address: "left", gone.address: "gone"},
    )
    judged = judged._replace(hosts={**judged.hosts, **before.names})
    planned = cycle.plan(wanted, judged, Service(ServiceConfig("rr"), pool), before)
    now = cycle.remembered(wanted, judged, planned.decision, before)
    assert now.service == ServiceKey("tcp", "10.9.0.20", 5432)
    assert set(now.drains) == {left}
    assert now.addresses == {
        "10.77.0.11": "10.77.0.11",
        "10.77.0.12": "10.77.0.12",
        "left": left.address,
    }
    assert now.names == {
        "10.77.0.11": "10.77.0.11",
        "10.77.0.12": "10.77.0.12",
        left.address: "left",
    }
    assert now.degraded == ()


def test_reasons_are_remembered_as_single_lines() -> None:
    judged = Judged((), (), {}, unavailable="crm_mon: two\n  lines")
    decision = cycle.plan(meant(), judged, None, Memory()).decision
    now = cycle.remembered(meant(), judged, decision, Memory())
    assert now.degraded[0] == "pool kept as it is: crm_mon: two lines"
