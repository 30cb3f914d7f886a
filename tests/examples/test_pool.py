"""The pool of each configuration's director, computed by its own code from the real crm_mon.

PostgreSQL is not there. The values that its agent would publish, and the results of the scripts,
follow from the cluster's roles.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from lvsdr.agents.lvsdr.findings import gather_findings
from lvsdr.agents.lvsdr.saved_pool import SavedPool, build_saved_pool
from lvsdr.ipvs.table import Connections, RealServer, RealServerConfig, RealServerKey
from lvsdr.pacemaker.cluster import Role
from lvsdr.pool.director import decide
from lvsdr.values.deadline import Deadline

from tests.examples.cluster import NODES, Cluster
from tests.examples.test_configured import director

ADDRESSES = {
    **{node: f"192.168.0.23{number}" for number, node in enumerate(NODES, start=1)},
    "outside": "192.168.0.234",
    "fallback": "192.168.0.236",
}
NAMES = {address: name for name, address in ADDRESSES.items()}

# Stand-ins for the scripts: addresses from above, and their roles.
STAND_INS = {
    "get_active_slaves": """\
#!/bin/sh
cd "{answers}" && grep -q ' f$' roles && sed -n 's/ t$//p' roles
""",
    "check_active_slave": """\
#!/bin/sh
for host; do :; done
cd "{answers}" && sed -n "s/^$host //p" roles | grep .
""",
}

Weights = Mapping[str, int]


class Play:
    """A cluster, and the present pool of its director; all sessions last."""

    def __init__(self, cluster: Cluster, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cluster = cluster
        self._home = home
        self._memory = SavedPool()
        self._pool: dict[RealServerKey, RealServer] = {}
        for name, text in STAND_INS.items():
            script = home / name
            script.write_text(text.format(answers=home))
            script.chmod(0o755)
        monkeypatch.setenv("CIB_file", str(home / "seen.xml"))

    @property
    def outside(self) -> Weights:
        """Return the standby outside of the cluster, if the configuration has one."""
        spec = director(self.cluster).spec
        return {"outside": 1} if spec.list_script or spec.check_script else {}

    def monitor(self, *, outside: bool = True) -> Weights:
        """Run one cycle of the director, and return the weights."""
        self._database_says(outside)
        settings = director(self._seen())
        judged = gather_findings(settings, self._memory, Deadline.after(20.0))
        decision = decide(self._pool, judged, settings.goal, {}, 0.0)
        self._memory = build_saved_pool(settings.key, judged, decision, self._memory)
        self._pool = {
            key: RealServer(config, Connections(1, 0))
            for key, config in decision.real_servers.items()
        }
        return {NAMES[key.address]: _weight(server.config) for key, server in self._pool.items()}

    def _seen(self) -> Cluster:
        """Return the cluster with addresses for names, so that no name lookup is needed."""
        seen = self.cluster.copy(self._home / "seen.xml")
        text = seen.cib.read_text().replace("/usr/bin/", f"{self._home}/")
        for node in NODES:
            text = text.replace(node, ADDRESSES[node])
        seen.cib.write_text(text)
        return seen

    def _database_says(self, outside: bool) -> None:
        primary = self.cluster.where("pgsql", Role.PROMOTED)
        standbys = self.cluster.where("pgsql", Role.UNPROMOTED)
        for node in standbys:
            self.cluster.publish(node, pgsql_status="HS:async" if primary else "HS:alone")
        for node in primary:
            self.cluster.publish(node, pgsql_status="PRI")
        # A host that does not answer would be withdrawn after several failures only.
        (standbys if outside else primary).add("outside")
        roles = [f"{ADDRESSES[node]} t" for node in standbys]
        roles += [f"{ADDRESSES[node]} f" for node in primary]
        (self._home / "roles").write_text("".join(f"{role}\n" for role in roles))


def _weight(config: RealServerConfig) -> int:
    return config.weight


@pytest.fixture
def play(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Return each configuration, with its pool in normal operation."""
    play = Play(cluster, tmp_path, monkeypatch)
    assert play.monitor() == {"node2": 1, "node3": 1, **play.outside}
    return play


def test_a_standby_on_standby_gets_nothing_new(play: Play) -> None:
    play.cluster.standby("node3")
    assert play.monitor() == {"node2": 1, "node3": 0, **play.outside}


def test_the_last_standby_on_standby(play: Play) -> None:
    """The primary serves at once, despite on_empty: a leaving standby is not kept beside it."""
    play.monitor(outside=False)
    play.cluster.standby("node2", "node3")
    weights = play.monitor(outside=False)
    assert {name for name, weight in weights.items() if weight} == {"fallback"}
    assert {"node2", "node3"} < weights.keys()
    play.cluster.react()
    assert play.monitor(outside=False)["fallback"] == 1


def test_a_failover(play: Play) -> None:
    """A failover removes no standby that can serve, from the primary's death on."""
    play.cluster.prefer(node2=-1, node3=-1)
    play.cluster.react("--node-fail=node1")
    assert not play.cluster.where("pgsql", Role.PROMOTED)
    assert play.monitor() == {"node2": 1, "node3": 1, **play.outside}
    play.cluster.prefer(node2=1000)
    play.cluster.react()
    assert play.monitor() == {"node2": 0, "node3": 1, **play.outside}


def test_no_standby_is_left(play: Play) -> None:
    """The primary serves through its address, until a standby is back."""
    play.cluster.react("--node-fail=node2", "--node-fail=node3")
    for _ in range(2):
        weights = play.monitor(outside=False)
    assert {name for name, weight in weights.items() if weight} == {"fallback"}
    play.cluster.react("--node-up=node3")
    play.cluster.react()
    weights = play.monitor(outside=False)
    assert {name for name, weight in weights.items() if weight} == {"node3"}
    assert weights["fallback"] == 0
