"""Real servers selected by the administrator's own scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.client import State
from tests.lab.director import STANDBY2, STANDBY3, Director, Weights, all_alive
from tests.lab.resource import STANDBYS, script
from tests.lab.world import World

AT_ONCE = {"drain_timeout": 0, "on_empty": "empty"}
LIST = "realserver_get_real_servers_script"
CHECK = "realserver_check_active_real_server_script"
ALL = {"node1": 1, "node2": 1, "node3": 1}


@pytest.fixture(scope="module")
def director(standing_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Director]:
    """Yield a director, started once, in a cluster of node2 and node3; node1 is only a host."""
    standing_world.reset()
    director = Director(standing_world, tmp_path_factory.mktemp("scripts"))
    director.cluster(STANDBY2, STANDBY3)
    director.start(AT_ONCE)
    yield director
    director.stop()


@pytest.mark.parametrize(
    ("printed", "weights"),
    [
        pytest.param("node2 node3\n", {"node2": 1, "node3": 1}, id="spaces"),
        pytest.param("\r\n\tnode2\r\n\r\n\v node3\f", {"node2": 1, "node3": 1}, id="white space"),
        pytest.param("node3", {"node3": 1}, id="no newline"),
        pytest.param("10.77.0.21 node2", {"node1": 1, "node2": 1}, id="address outside"),
        pytest.param("node1 10.77.0.22", {"node1": 1, "node2": 1}, id="name outside"),
        pytest.param("node2 node2 10.77.0.22", {"node2": 1}, id="one host, three times"),
        pytest.param("", {}, id="nobody"),
    ],
)
def test_the_list_script_names_the_candidates(
    director: Director, tmp_path: Path, printed: str, weights: Weights
) -> None:
    """Only the names from the script are members, despite resource and attribute."""
    listed = tmp_path / "a name with 'blanks'"
    listed.write_bytes(printed.encode())
    cat = script(tmp_path / "list", 'exec cat "$1"')
    assert director.reload({**STANDBYS, **AT_ONCE, LIST: f'{cat} "{listed}"'}) == weights
    assert director.client.spread(2 * len(weights)) == dict.fromkeys(weights, 2)


def test_weights_apply_to_names_of_the_list_script(director: Director, tmp_path: Path) -> None:
    listing = script(tmp_path / "list", "echo 10.77.0.21 node2 node3")
    weighted = {
        "virtual_service_options": "-s wrr",
        "weight_of_realservers": "10.77.0.21,3 node2,0",
        "default_weight": 2,
    }
    weights = director.reload({**AT_ONCE, LIST: str(listing), **weighted})
    assert weights == {"node1": 3, "node2": 0, "node3": 2}
    assert director.client.spread(10) == {"node1": 6, "node3": 4}


@pytest.mark.parametrize("parameter", [CHECK, "realserver_check_active_slave_script"])
def test_the_check_script_judges_each_candidate(
    director: Director, tmp_path: Path, parameter: str
) -> None:
    """Candidates are appended to the script's arguments, as they are named.

    The attribute is ignored.
    """
    for name, says in {"10.77.0.21": "t\n", "node2": "f", "node3": " t "}.items():
        tmp_path.joinpath(name).write_text(says)
    check = script(tmp_path / "check", 'test "$1" = "two words" && exec cat "$2/$3"')
    listed = {**AT_ONCE, "weight_of_realservers": "10.77.0.21 node2 node3"}
    attribute = {"realserver_dependent_attribute_name": "not-there"}
    command = f"{check} 'two words' {tmp_path}"
    weights = director.reload({**listed, **attribute, parameter: command})
    assert weights == {"node1": 1, "node3": 1}
    assert director.client.spread(6) == {"node1": 3, "node3": 3}


def test_the_check_script_decides_on_sessions(director: Director, tmp_path: Path) -> None:
    """The output f withdraws a real server at once, and keeps its sessions.

    Three failures of the check remove a real server with its sessions; fewer change nothing.
    """
    for host in ALL:
        tmp_path.joinpath(host).write_text("t")
    check = script(tmp_path / "check", f'exec cat "{tmp_path}/$1"')
    assert director.reload({"weight_of_realservers": " ".join(ALL), CHECK: str(check)}) == ALL
    sessions = director.sessions()

    tmp_path.joinpath("node1").write_text("f")
    tmp_path.joinpath("node2").unlink()
    for _ in range(2):
        assert director.monitor() == {"node1": 0, "node2": 1, "node3": 1}
        assert all_alive(sessions)
    gone = "node2 has failed: 3 failures: check: exit status 1"
    assert director.monitor(degraded=gone) == {"node1": 0, "node3": 1}
    assert sessions.pop("node2").state() is State.RESET
    assert all_alive(sessions)
    assert director.client.spread(4) == {"node3": 4}

    for host in ALL:
        tmp_path.joinpath(host).write_text("t")
    waiting = "node1 kept as it is: 1 of 2 successes: check printed t"
    assert director.monitor(degraded=waiting) == {"node1": 0, "node3": 1}
    assert director.monitor() == ALL
    assert all_alive(sessions)


def test_a_check_script_that_was_busy_for_a_moment_keeps_sessions(
    director: Director, tmp_path: Path
) -> None:
    for host in ALL:
        tmp_path.joinpath(host).write_text("t")
    check = script(tmp_path / "check", f'exec cat "{tmp_path}/$1"')
    assert director.reload({"weight_of_realservers": " ".join(ALL), CHECK: str(check)}) == ALL
    sessions = director.sessions()
    for _ in range(3):
        tmp_path.joinpath("node2").unlink()
        assert director.monitor() == ALL
        assert director.monitor() == ALL
        tmp_path.joinpath("node2").write_text("t")
        assert director.monitor() == ALL
    assert all_alive(sessions)


def test_both_scripts(director: Director, tmp_path: Path) -> None:
    listing = script(tmp_path / "list", "echo node1 node2")
    check = script(tmp_path / "check", 'if [ "$1" = node2 ]; then echo t; else echo f; fi')
    assert director.reload({**AT_ONCE, LIST: str(listing), CHECK: str(check)}) == {"node2": 1}
    assert director.client.spread(2) == {"node2": 2}
