"""One cycle of the director with the real crm_mon, scripts and address resolver; no kernel."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lvsdr.agents.lvsdr.findings import gather_findings
from lvsdr.agents.lvsdr.parameter_rules import PARAMETERS
from lvsdr.agents.lvsdr.pool_plan import plan_pool
from lvsdr.agents.lvsdr.saved_pool import SavedPool, build_saved_pool
from lvsdr.agents.lvsdr.settings import DirectorSettings, read_settings
from lvsdr.ipvs.table import (
    RealServer,
    RealServerConfig,
    RealServerKey,
    Service,
    ServiceConfig,
    ServiceKey,
)
from lvsdr.pool.director import Findings
from lvsdr.pool.model import Outcome
from lvsdr.values.deadline import Deadline

from tests.unit.crm import cib

KEY = RealServerKey("10.77.0.11", 5432)
LISTED = "10.77.0.11,3 10.77.0.12 10.77.0.13,0"


def meant(**given: str) -> DirectorSettings:
    """Return the settings of these parameters, added to a legal minimum."""
    texts = {"vip": "10.9.0.20", "port": "5432", **given}
    environ = {f"OCF_RESKEY_{name}": text for name, text in texts.items()}
    return read_settings(PARAMETERS.parse(environ))


@pytest.fixture(autouse=True)
def _steady(monkeypatch: pytest.MonkeyPatch) -> None:
    ask(monkeypatch, "steady")


def ask(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Make crm_mon read the recorded cluster of this name."""
    monkeypatch.setenv("CIB_file", str(cib(name)))


def judge(memory: SavedPool | None = None, **given: str) -> Findings:
    """Judge the real servers by these parameters."""
    return gather_findings(meant(**given), memory or SavedPool(), Deadline.after(20.0))


def lines(servers: object) -> list[str]:
    """Return one line for each real server: host, address, weight, outcome."""
    assert isinstance(servers, (list, tuple))
    return [f"{s.host} {s.address} {s.weight} {s.verdict.outcome.value}" for s in servers]


def test_the_listed_hosts_are_candidates_with_their_weights() -> None:
    judged = judge(weight_of_realservers=LISTED)
    assert lines(judged.located) == [
        "10.77.0.11 10.77.0.11 3 in",
        "10.77.0.12 10.77.0.12 1 in",
        "10.77.0.13 10.77.0.13 0 in",
    ]
    assert judged.listed_hosts == {"10.77.0.11", "10.77.0.12", "10.77.0.13"}
    assert judged.unavailable_reason is None


def test_only_hosts_of_a_static_list_count_as_requested() -> None:
    assert judge(realserver_dependent_resource="solo").listed_hosts == frozenset()
    assert judge(realserver_get_real_servers_script="/bin/true").listed_hosts == frozenset()


def test_addresses_from_a_node_attribute() -> None:
    """A node attribute that holds no address leaves its node without an address.

    No recorded attribute holds one, so `pgsql-status` takes that part.
    """
    judged = judge(realserver_address_attribute="pgsql-status", weight_of_realservers="node1")
    assert lines(judged.located) == ["node1 None 1 unknown"]


@pytest.mark.parametrize("value", ["10.77.0.021", "0x0a.77.0.21", "10.77.0.1/24", "-C", "a b"])
def test_the_value_of_an_address_attribute_must_be_a_host(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value such as 10.77.0.021 is refused; the resolver would read it as 10.77.0.17."""
    file = tmp_path / "cib.xml"
    file.write_text(cib("steady").read_text().replace('value="HS:async"', f'value="{value}"'))
    monkeypatch.setenv("CIB_file", str(file))
    judged = judge(realserver_address_attribute="pgsql-status", weight_of_realservers="node1")
    assert lines(judged.located) == ["node1 None 1 unknown"]
    reason = f"no address: pgsql-status: {value!a} is neither a host name nor an address"
    assert judged.located[0].verdict.reason == reason


def test_a_saved_address_stays() -> None:
    memory = SavedPool(addresses={"node1": "10.77.0.1"}, names={"10.77.0.1": "node1"})
    judged = judge(memory, weight_of_realservers="node1", realserver_address_attribute="none-such")
    assert lines(judged.located) == ["node1 10.77.0.1 1 unknown"]
    assert judged.hosts["10.77.0.1"] == "node1"


def test_a_fallback_of_this_host_only_is_reported_from_the_start() -> None:
    """A fallback that resolves only to this host is reported even while it is not needed.

    An entry such as ``127.0.1.1 node1`` in /etc/hosts causes that.
    """
    judged = judge(weight_of_realservers="10.77.0.12", fallback_realservers="localhost")
    decision = plan_pool(meant(), judged, None, {}, 0.0).decision
    assert decision.degraded == (
        "localhost left out: no address: 127.0.0.1 is no address that a real server can have",
    )


def test_a_parameter_without_effect_degrades() -> None:
    judged = judge(
        weight_of_realservers="nod3,0",
        realserver_dependent_resource="pgsql-clone",
        realserver_dependent_attribute_value="HS:sync",
    )
    assert [it.partition(":")[0] for it in judged.complaints] == [
        "realserver_dependent_attribute_value has no effect without "
        "realserver_dependent_attribute_name",
        "weight_of_realservers",
    ]
    decision = plan_pool(meant(), judged, None, {}, 0.0).decision
    assert set(judged.complaints) <= set(decision.degraded)


def test_a_check_withdraws_a_candidate(tmp_path: Path) -> None:
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
    sources = [server.weight_source for server in judged.fallback]
    assert sources == ["fallback_realservers", "default_weight"]


def test_a_fallback_is_judged_by_its_node(monkeypatch: pytest.MonkeyPatch) -> None:
    ask(monkeypatch, "node3-crashed")
    memory = SavedPool(addresses={"node3": "10.77.0.3"})
    judged = judge(memory, weight_of_realservers=LISTED, fallback_realservers="node3")
    assert lines(judged.fallback) == ["node3 10.77.0.3 1 failed"]


def test_a_host_that_no_source_names_is_judged_by_its_node(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = SavedPool(names={"10.77.0.2": "node2", "10.77.0.3": "node3", "10.77.0.9": "outside"})
    assert judge(memory, weight_of_realservers=LISTED).nodes == {}
    ask(monkeypatch, "node3-crashed")
    nodes = judge(memory, weight_of_realservers=LISTED).nodes
    assert {host: verdict.outcome for host, verdict in nodes.items()} == {"node3": Outcome.FAILED}


@pytest.mark.parametrize("resources", ["lvsdr-realsvr-clone", "pgsql-clone,lvsdr-realsvr-clone"])
@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"10.77.0.2": "node2"}, 90.0),
        ({"10.77.0.1": "node1"}, 20.0),  # node2 is not in the table: the CIB is not read
        ({}, 20.0),
    ],
)
def test_the_grace_out_of_sight_is_the_timeout_of_the_probe(
    names: dict[str, str],
    expected: float,
    resources: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The grace of a node out of sight is its probe's timeout if the node is in the table.

    node2 runs no lvsdr-realsvr.
    """
    file = tmp_path / "cib.xml"
    usual = 'timeout="20s" id="lvsdr-realsvr-monitor'
    text = cib("steady").read_text()
    assert usual in text
    file.write_text(text.replace(usual, usual.replace("20", "90")))
    monkeypatch.setenv("CIB_file", str(file))
    memory = SavedPool(addresses={f"node{n}": f"10.77.0.{n}" for n in (1, 2, 3)}, names=names)
    judged = judge(memory, realserver_dependent_resource=resources)
    assert {s.host: s.verdict.grace for s in judged.located}["node2"] == expected


def test_a_failed_crm_mon_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIB_file", "/nowhere/cib.xml")
    memory = SavedPool(names={"10.77.0.1": "node1"})
    judged = judge(memory, weight_of_realservers=LISTED, fallback_realservers="10.77.0.19")
    assert (judged.located, judged.fallback) == ((), ())
    assert judged.hosts == {"10.77.0.1": "node1"}
    assert judged.unavailable_reason is not None
    assert judged.unavailable_reason.startswith("crm_mon: Could not connect to the CIB")


def test_node_states_count_without_an_answer_of_the_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask(monkeypatch, "node3-crashed")
    memory = SavedPool(addresses={f"node{n}": f"10.77.0.{n}" for n in (1, 2, 3)})
    judged = judge(
        memory,
        realserver_get_real_servers_script="/bin/false",
        realserver_address_attribute="no-such",
    )
    assert judged.unavailable_reason == "false: exit status 1"
    assert lines(judged.located) == [
        "node1 10.77.0.1 1 unknown",
        "node2 10.77.0.2 1 unknown",
        "node3 10.77.0.3 1 failed",
    ]


def test_sources_leave_time_to_change_the_table() -> None:
    deadline = Deadline.after(1.0)
    script = "/bin/sh -c 'sleep 60'"
    given = {"realserver_get_real_servers_script": script, "script_timeout": "1min"}
    judged = gather_findings(meant(**given), SavedPool(), deadline)
    assert judged.unavailable_reason is not None
    assert judged.unavailable_reason.startswith("sh: timed out after 0.")
    assert not deadline.is_expired()


def check_script(directory: Path, text: str) -> str:
    """Return the path of a check script with this text."""
    path = directory / "check"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_a_check_that_hangs_costs_its_own_host_only(tmp_path: Path) -> None:
    """A check that hangs fails its own host only.

    The operation's timeout is shorter than script_timeout. Another host is given by name.
    """
    script = check_script(tmp_path, "test $1 = 10.77.0.12 && sleep 60; echo t")
    wanted = meant(
        weight_of_realservers="10.77.0.12 ip6-allnodes localhost",
        realserver_check_active_real_server_script=script,
    )
    early: list[list[str]] = []
    judged = gather_findings(
        wanted,
        SavedPool(),
        Deadline.after(3.0),
        receive_interim=lambda found: early.append(lines(found.located)),
    )
    verdict = judged.located[0].verdict
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.reason.startswith("1 of 3 failures: check: timed out after ")
    assert judged.located[2].verdict.reason == (
        "no address: 127.0.0.1 is no address that a real server can have"
    )
    assert early == [
        [
            "10.77.0.12 10.77.0.12 1 unknown",
            "ip6-allnodes None 1 unknown",
            "localhost None 1 unknown",
        ]
    ]


def test_a_failure_of_the_check_waits_until_all_have_answered(tmp_path: Path) -> None:
    """A failed check counts only after all checks have answered.

    The check may fail for every host, which is no reason to delete a real server.
    """
    script = check_script(tmp_path, "test $1 = 10.77.0.12 && sleep 60; exit 1")
    wanted = meant(
        weight_of_realservers="10.77.0.11 10.77.0.12",
        realserver_check_active_real_server_script=script,
        script_timeout="2s",
    )
    early: list[list[str]] = []
    gather_findings(
        wanted,
        SavedPool(),
        Deadline.after(9.0),
        receive_interim=lambda found: early.append(lines(found.located)),
    )
    assert early == [["10.77.0.11 10.77.0.11 1 unknown", "10.77.0.12 10.77.0.12 1 unknown"]]


def test_the_address_of_an_offline_node_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address of an offline node comes from the saved state.

    Its name does not resolve, which would be reported of a real server that is IN.
    """
    ask(monkeypatch, "node3-crashed")
    judged = judge(SavedPool(addresses={"node3": "10.77.0.3"}), weight_of_realservers="node3")
    assert lines(judged.located) == ["node3 10.77.0.3 1 failed"]


def test_the_saved_pool_has_drains_addresses_and_names() -> None:
    wanted = meant()
    judged = judge(weight_of_realservers="10.77.0.11 10.77.0.12")
    gone, left = RealServerKey("10.77.0.98", 5432), RealServerKey("10.77.0.99", 5432)
    pool = {
        left: RealServer(RealServerConfig("gate", 1)),
        KEY: RealServer(RealServerConfig("gate", 1)),
    }
    before = SavedPool(
        addresses={"left": left.address, "gone": gone.address},
        names={left.address: "left", gone.address: "gone"},
    )
    judged = judged._replace(hosts={**judged.hosts, **before.names})
    planned = plan_pool(wanted, judged, Service(ServiceConfig("rr"), pool), before.drains, 0.0)
    now = build_saved_pool(wanted.key, judged, planned.decision, before)
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


def test_a_cycle_without_a_resource_may_change_the_table() -> None:
    assert judge(weight_of_realservers=LISTED).hands_off_reason is None


def test_the_virtual_ip_is_no_real_server(tmp_path: Path) -> None:
    """The virtual IP is no real server, whichever source names it.

    An entry in the saved state does not make it one either.
    """
    script = tmp_path / "list"
    script.write_text("#!/bin/sh\necho 10.9.0.20 10.77.0.11\n")
    script.chmod(0o755)
    memory = SavedPool(addresses={"10.9.0.20": "10.9.0.20"}, names={"10.9.0.20": "10.9.0.20"})
    judged = judge(memory, realserver_get_real_servers_script=str(script))
    assert lines(judged.located) == ["10.9.0.20 None 1 unknown", "10.77.0.11 10.77.0.11 1 in"]
    assert judged.located[0].verdict.reason == "no address: 10.9.0.20 is the virtual IP itself"


def test_a_drain_of_a_host_outside_outlives_the_node_of_its_attribute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = '<instance_attributes id="nodes-3">'
    pair = '<nvpair id="weight" name="lvsdr-weight@10.77.0.12" value="0"/>'
    text = cib("node3-crashed").read_text()
    assert section in text
    file = tmp_path / "cib.xml"
    file.write_text(text.replace(section, section + pair))
    monkeypatch.setenv("CIB_file", str(file))
    judged = judge(weight_of_realservers="10.77.0.11 10.77.0.12 node1")
    assert [server.weight for server in judged.located] == [1, 0, 1]
    assert judged.complaints == ()

    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "cibadmin").write_text("#!/bin/sh\nexit 1\n")
    (directory / "cibadmin").chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
    judged = judge(weight_of_realservers="10.77.0.11 10.77.0.12 node1")
    outcomes = [server.verdict.outcome.value for server in judged.located]
    assert outcomes[:2] == ["unknown", "unknown"]
    (complaint,) = set(judged.complaints)
    assert complaint.startswith("the attributes of node3, which is offline, cannot be read: cibadm")
