"""The agent vip on three hosts, with a real etcd that names the leader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.leader.certificates import Authority
from tests.leader.conftest import PASSWORD
from tests.leader.etcd import KEY, Cluster
from tests.leader.network import Host
from tests.leader.vip_gate import (
    ADDRESS,
    DEGRADED,
    DEGRADED_PROMOTED,
    FAILED,
    FAILED_PROMOTED,
    PROMOTED,
    STARTED,
    STOPPED,
    Instance,
    Run,
    gated,
)
from tests.support.waiting import wait_until

NODES = ("node1", "node2", "node3")
GRACE = "6s"

Instances = dict[str, Instance]


@pytest.fixture
def more() -> dict[str, str]:
    """Return further parameters."""
    return {}


@pytest.fixture
def instances(
    etcd: Cluster, hosts: dict[str, Host], tmp_path: Path, more: dict[str, str]
) -> Iterator[Instances]:
    """Yield started instances on all three hosts. The store names node1."""
    settings = gated(etcd.endpoints, dcs_grace=GRACE, **more)
    made = {name: Instance(hosts[name], tmp_path, settings) for name in NODES}
    for instance in made.values():
        instance.must("start")
    yield made
    for instance in made.values():
        instance.host.plug()
        instance.must("stop")
        assert not instance.holds


def holders(instances: Instances) -> list[str]:
    return [name for name, instance in instances.items() if instance.holds]


def scores(instances: Instances) -> dict[str, int | None]:
    return {name: instance.score for name, instance in instances.items()}


def lose_all(etcd: Cluster) -> None:
    for index in range(3):
        etcd.kill(index)


@pytest.mark.parametrize("more", [{"arp_count_refresh": "1", "arp_count": "1"}], ids=["refresh"])
def test_nothing_is_announced_on_ignorance(
    instances: Instances, etcd: Cluster, hosts: dict[str, Host]
) -> None:
    """Without an answer of the store another node may have the address, so none is announced."""
    one, witness = instances["node1"], hosts["elsewhere"]
    one.must("promote")
    nowhere = "02:00:00:00:00:99"
    words = f"neighbour replace {ADDRESS} lladdr {nowhere} dev back nud stale".split()

    def believed() -> str:
        return witness.run(["ip", "neighbour", "show", ADDRESS, "dev", "back"]).stdout

    witness.run(["ip", *words])
    assert one.monitor().code == PROMOTED
    wait_until(lambda: nowhere not in believed())
    lose_all(etcd)
    witness.run(["ip", *words])
    assert one.monitor().code == DEGRADED_PROMOTED
    assert nowhere in believed()


def test_from_start_to_stop(instances: Instances) -> None:
    one, two = instances["node1"], instances["node2"]
    assert scores(instances) == {"node1": 1000, "node2": None, "node3": None}
    assert holders(instances) == []
    assert (one.probe(), one.monitor().code, two.monitor().code) == (STARTED, STARTED, STARTED)
    for _ in range(2):
        one.must("promote")
        assert holders(instances) == ["node1"]
        assert (one.probe(), one.monitor().code, one.monitor().reason) == (PROMOTED, PROMOTED, "")
    for _ in range(2):
        one.must("demote")
        assert holders(instances) == []
        assert (one.probe(), one.monitor().code) == (STARTED, STARTED)
    one.must("promote")
    one.must("stop")
    assert holders(instances) == []
    assert scores(instances) == {"node1": None, "node2": None, "node3": None}
    assert (one.probe(), one.monitor().code) == (STOPPED, STOPPED)
    assert (one.run("promote").code, one.run("demote").code) == (STOPPED, STOPPED)
    one.must("start")
    one.must("promote")
    one.must("start")
    assert holders(instances) == []


def test_another_leads(instances: Instances, etcd: Cluster) -> None:
    """The holder learns of a new leader at its next monitor, and releases the address."""
    one, two = instances["node1"], instances["node2"]
    one.must("promote")
    etcd.put("node2")
    assert two.monitor().code == STARTED
    done = one.monitor()
    assert done.code == DEGRADED_PROMOTED
    assert done.reason == f"address released: {KEY} is node2 in etcd"
    assert holders(instances) == []
    assert scores(instances) == {"node1": None, "node2": 1000, "node3": None}
    two.must("promote")
    one.must("demote")
    assert holders(instances) == ["node2"]
    assert (one.monitor().code, two.monitor().code) == (STARTED, PROMOTED)
    assert f"ERROR: {done.reason}" in one.log


def test_another_leads_and_that_cannot_be_written_down(instances: Instances, etcd: Cluster) -> None:
    one = instances["node1"]
    one.must("promote")
    (memory,) = one.place.glob("lvsdr-vip.gate")
    memory.unlink()
    memory.mkdir()
    etcd.put("node2")
    done = one.monitor()
    assert (done.code, one.holds) == (DEGRADED_PROMOTED, False), done
    assert "cannot write" in one.log
    memory.rmdir()


def test_no_promotion_of_another(instances: Instances) -> None:
    two = instances["node2"]
    done = two.run("promote")
    assert (done.code, done.reason) == (FAILED, f"not promoted: {KEY} is node1 in etcd")
    assert holders(instances) == []
    assert two.monitor().code == STARTED


def test_no_promotion_without_the_store(instances: Instances) -> None:
    """A promotion needs the store's answer, even for the last leader.

    on_dcs_unreachable only applies to an address that is held.
    """
    one = instances["node1"]
    one.host.unplug("front")
    done = one.run("promote")
    assert done.code == FAILED
    assert done.reason.startswith("not promoted: http://")
    assert holders(instances) == []
    assert one.score is None
    assert one.monitor().code == DEGRADED


def test_a_promotion_fails_while_the_old_leader_has_the_address(
    instances: Instances, etcd: Cluster
) -> None:
    """A promotion fails while the old leader still has the address, before its next monitor."""
    one, two = instances["node1"], instances["node2"]
    one.must("promote")
    etcd.put("node2")
    done = two.run("promote")
    assert done.code == FAILED
    assert "is in use by" in done.reason
    assert holders(instances) == ["node1"]
    assert two.score is None
    assert one.monitor().code == DEGRADED_PROMOTED
    assert two.monitor().code == STARTED
    assert two.score == 1000
    two.must("promote")


UNREACHABLE = [
    pytest.param({"on_dcs_unreachable": "release"}, id="release"),
    pytest.param({"on_dcs_unreachable": "keep"}, id="keep"),
]


@pytest.mark.parametrize("more", UNREACHABLE)
def test_the_store_is_gone_for_a_moment(instances: Instances, etcd: Cluster) -> None:
    one, two = instances["node1"], instances["node2"]
    one.must("promote")
    assert one.monitor().code == PROMOTED
    lose_all(etcd)
    kept = one.monitor()
    assert kept.code == DEGRADED_PROMOTED
    assert "the address is kept for" in kept.reason
    assert two.monitor().code == DEGRADED
    assert (one.score, two.score) == (10, None)
    assert holders(instances) == ["node1"]
    etcd.mend()
    assert one.run("reload-agent").code == 0
    assert one.monitor().code in (PROMOTED, DEGRADED_PROMOTED)


@pytest.mark.parametrize("more", [UNREACHABLE[0]])
def test_the_store_is_gone_for_longer(instances: Instances, etcd: Cluster) -> None:
    one = instances["node1"]
    one.must("promote")
    lose_all(etcd)
    seen = after_the_grace(one)
    assert "the address is kept for" in seen[0].reason
    assert seen[-1].reason.endswith("and the grace of 6 s is over")
    assert {run.code for run in seen} == {DEGRADED_PROMOTED}
    assert (holders(instances), one.score) == ([], None)
    one.must("demote")
    assert one.monitor().code == DEGRADED
    etcd.mend()
    assert wait_until(lambda: one.monitor().code == STARTED)
    assert one.score == 1000
    one.must("promote")


@pytest.mark.parametrize("more", [UNREACHABLE[1]])
def test_it_is_kept_for_as_long_as_that_lasts(instances: Instances, etcd: Cluster) -> None:
    one = instances["node1"]
    one.must("promote")
    lose_all(etcd)
    wait_until(lambda: one.monitor().reason.endswith("; the address is kept"))
    assert holders(instances) == ["node1"]
    etcd.mend()
    etcd.put("node2")
    wait_until(lambda: one.monitor().reason == f"address released: {KEY} is node2 in etcd")
    assert holders(instances) == []


def test_without_a_leader_the_address_is_released(instances: Instances, etcd: Cluster) -> None:
    one, two = instances["node1"], instances["node2"]
    one.must("promote")
    assert one.monitor().code == PROMOTED
    etcd.delete()
    assert "the address is kept for" in one.monitor().reason
    assert (two.monitor().code, two.run("promote").code) == (STARTED, FAILED)
    seen = after_the_grace(one)
    assert seen[-1].reason.startswith(f"address released: {KEY} does not exist in etcd")
    assert holders(instances) == []


def after_the_grace(instance: Instance) -> list[Run]:
    """Run monitors until the address is released, and return their results."""
    seen: list[Run] = []

    def released() -> bool:
        seen.append(instance.monitor())
        return not instance.holds

    wait_until(released)
    return seen


def test_a_parameter_error_counts_as_no_answer(instances: Instances) -> None:
    """Wrong parameters and missing files cost the address after the grace, not at once."""
    one = instances["node1"]
    one.must("promote")
    sound = dict(one.settings)
    one.settings["dcs_grace"] = "soon"
    assert "dcs_grace=soon: must be" in one.monitor().reason
    assert holders(instances) == ["node1"]
    one.settings.update(sound, dcs_user="reader", dcs_password_file="/no/such/file")
    assert "cannot be read" in one.monitor().reason
    assert holders(instances) == ["node1"]
    one.settings.clear()
    one.settings.update(sound)
    assert one.monitor().code == PROMOTED


def test_an_address_removed_by_hand_is_a_failure(instances: Instances) -> None:
    one = instances["node1"]
    one.must("promote")
    one.host.run(["ip", "address", "delete", "10.78.1.100/24", "dev", "back"])
    done = one.monitor()
    gone = "address lost without a release: 10.78.1.100 is not on back"
    assert (done.code, done.reason) == (FAILED_PROMOTED, gone)
    one.must("demote")
    assert one.monitor().code == STARTED


BAD = [
    ({"dcs_type": "zookeeper"}, 6, "dcs_type=zookeeper: must be etcd or consul"),
    ({"trigger_key": "none"}, 6, "trigger_key: must be set: the key that holds the leader's name"),
    (
        {"dcs_endpoints": "10.78.0.11:2379"},
        6,
        "10.78.0.11:2379 begins with neither http:// nor https://",
    ),
    ({"dcs_user": "reader"}, 6, "dcs_user=reader: goes together with dcs_password"),
    ({"dcs_user": "x", "dcs_password_file": "/no/file"}, 2, "/no/file: cannot be read: No such"),
]


@pytest.mark.parametrize(("changed", "code", "reason"), BAD, ids=[name for *_, name in BAD])
def test_bad_input(
    etcd: Cluster,
    hosts: dict[str, Host],
    tmp_path: Path,
    changed: dict[str, str],
    code: int,
    reason: str,
) -> None:
    one = Instance(hosts["node1"], tmp_path, {**gated(etcd.endpoints), **changed})
    for action in ("start", "promote", "reload-agent"):
        done = one.run(action)
        assert (done.code, reason in done.reason) == (code, True), (action, done)
    assert not one.holds
    assert (one.probe(), one.run("stop").code) == (STOPPED, 0)


def test_an_endpoint_without_a_listener(hosts: dict[str, Host], tmp_path: Path) -> None:
    """An endpoint without a listener is no bad input, because it may start later."""
    settings = gated(["http://10.78.0.21:4001"], on_dcs_unreachable="keep")
    one = Instance(hosts["node1"], tmp_path, settings)
    one.must("start")
    done = one.monitor()
    assert (done.code, "Connection refused" in done.reason) == (DEGRADED, True), done
    assert (one.run("promote").code, one.holds, one.score) == (FAILED, False, None)
    one.must("stop")


def test_all_authentication_of_etcd(
    secure: Cluster, authority: Authority, hosts: dict[str, Host], tmp_path: Path
) -> None:
    """Certificates, user and password are used, and appear in no output."""
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    settings = gated(
        secure.endpoints,
        dcs_ca_file=authority.certificate,
        dcs_cert_file=authority.file("nameless.crt"),
        dcs_key_file=authority.file("nameless.key"),
        dcs_user="reader",
        dcs_password_file=str(secret),
        trace_ra="true",
        trace_file=str(tmp_path / "trace"),
    )
    one = Instance(hosts["node1"], tmp_path, settings)
    said = [one.run(action) for action in ("start", "promote", "monitor")]
    assert [run.code for run in said] == [0, 0, PROMOTED]
    assert one.monitor().code == PROMOTED
    secret.write_text("another-password\n")
    said.append(one.monitor())
    assert said[-1].code == DEGRADED_PROMOTED
    assert "invalid user ID or password" in said[-1].reason
    del one.settings["dcs_password_file"]
    one.settings["dcs_password"] = PASSWORD
    said += [one.monitor(), one.run("demote"), one.run("stop")]
    assert [run.code for run in said[-3:]] == [PROMOTED, 0, 0]
    files = [path for path in one.place.rglob("*") if path.is_file()]
    everything = [run.said for run in said] + [path.read_text() for path in files]
    everything.append((tmp_path / "trace").read_text())
    assert not [text for text in everything if PASSWORD in text or "another-password" in text]
