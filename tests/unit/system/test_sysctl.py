"""Claims on kernel settings, in a directory that stands for /proc/sys."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from lvsdr.errors import Busy, LvsdrError
from lvsdr.system import state
from lvsdr.system.sysctl import Claims, find_differing, is_writable, read_by_interface, read_value
from lvsdr.values.deadline import Deadline

NODEST, TEMPLATE = "net/ipv4/vs/expire_nodest_conn", "net/ipv4/vs/expire_quiescent_template"


class Node:
    """A node's settings, and the directory that its resources share."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "sys"
        self.run = directory / "run"
        self.file = self.run / "lvsdr-sysctl.json"
        for name in (NODEST, TEMPLATE):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            self[name] = "0"

    def __getitem__(self, name: str) -> str:
        return (self.root / name).read_text().strip()

    def __setitem__(self, name: str, new: str) -> None:
        (self.root / name).write_text(f"{new}\n")

    def claims(self, owner: str) -> Claims:
        return Claims(str(self.run), owner, Deadline.after(5), root=str(self.root))


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_a_value(node: Node) -> None:
    node[NODEST] = "1"
    assert read_value(NODEST, str(node.root)) == "1"
    assert read_value("kernel/ostype") == "Linux"


def test_a_setting_that_is_not_there(node: Node) -> None:
    with pytest.raises(LvsdrError) as raised:
        read_value("net/nothing", str(node.root))
    assert str(raised.value) == "cannot read net/nothing: No such file or directory"


def test_differing_settings(node: Node) -> None:
    node[TEMPLATE] = "1"
    assert find_differing({NODEST: "1", TEMPLATE: "1"}, str(node.root)) == {NODEST: "0"}


def test_claimed_and_put_back(node: Node) -> None:
    assert node.claims("a").claim({NODEST: "1"}) == [f"{NODEST} set to 1 (was 0)"]
    assert node[NODEST] == "1"
    assert node.claims("a").claim({NODEST: "1"}) == []
    assert node.claims("a").release() == [f"{NODEST} put back to 0"]
    assert (node[NODEST], node.file.exists()) == ("0", False)


def test_released_without_a_claim(node: Node) -> None:
    assert node.claims("a").release() == []
    assert not node.run.exists()


def test_a_setting_that_was_so_already_stays(node: Node) -> None:
    node[NODEST] = "1"
    assert node.claims("a").claim({NODEST: "1"}) == []
    assert node.claims("a").release() == []
    assert node[NODEST] == "1"


def test_the_last_owner_puts_it_back(node: Node) -> None:
    node.claims("a").claim({NODEST: "1"})
    node.claims("b").claim({NODEST: "1", TEMPLATE: "1"})
    assert node.claims("a").release() == []
    assert node.claims("a").release() == []  # a stop may be repeated
    assert node[NODEST] == "1"
    assert node.claims("b").release() == [f"{NODEST} put back to 0", f"{TEMPLATE} put back to 0"]
    assert (node[NODEST], node[TEMPLATE]) == ("0", "0")


def test_a_value_set_since_is_left(node: Node) -> None:
    node.claims("a").claim({NODEST: "1"})
    node[NODEST] = "2"
    assert node.claims("a").release() == [
        f"{NODEST} left at 2, changed since by another program (was 0 before)"
    ]
    assert node[NODEST] == "2"


def test_a_value_put_back_since_needs_no_message(node: Node) -> None:
    node.claims("a").claim({NODEST: "1"})
    node[NODEST] = "0"
    assert node.claims("a").release() == []


def test_a_claim_repairs(node: Node) -> None:
    node.claims("a").claim({NODEST: "1"})
    node[NODEST] = "0"
    assert node.claims("a").claim({NODEST: "1"}) == [f"{NODEST} set to 1 (was 0)"]
    assert node.claims("a").release() == [f"{NODEST} put back to 0"]


def test_a_crash_between_remembering_and_setting(node: Node) -> None:
    node.claims("a").claim({NODEST: "1"})
    node[NODEST] = "0"  # as if the last write had not happened
    assert node.claims("a").claim({NODEST: "1"}) == [f"{NODEST} set to 1 (was 0)"]
    assert json.loads(node.file.read_text())["settings"][NODEST]["original"] == "0"


def test_a_crash_between_putting_back_and_forgetting(node: Node) -> None:
    node.claims("a").claim({NODEST: "1"})
    remembered = node.file.read_text()
    node.claims("a").release()
    node.file.write_text(remembered)
    assert node.claims("a").release() == []
    assert (node[NODEST], node.file.exists()) == ("0", False)


def test_claims_of_another_boot_are_void(node: Node) -> None:
    node.claims("a").claim({NODEST: "1"})
    claims = json.loads(node.file.read_text())
    node.file.write_text(json.dumps({**claims, "boot": "another"}))
    node[NODEST] = "1"  # set by an administrator's sysctl.conf
    assert node.claims("b").claim({NODEST: "1"}) == []
    assert node.claims("b").release() == []
    assert node[NODEST] == "1"


def test_a_corrupt_file_is_as_none(node: Node) -> None:
    node.claims("a").claim({NODEST: "1"})
    node.file.write_text("{")
    assert node.claims("a").release() == []
    assert node[NODEST] == "1"


@pytest.mark.parametrize("claims", [[], {NODEST: 1}, {NODEST: {"original": "0"}}, {NODEST: None}])
def test_claims_that_make_no_sense_are_as_none(node: Node, claims: object) -> None:
    node.claims("a").claim({NODEST: "1"})
    stored = {**state.read(str(node.file)), "settings": claims}
    state.write(str(node.file), stored)
    assert node.claims("a").release() == []
    assert node.claims("a").claim({NODEST: "1"}) == []


def test_a_setting_that_is_missing_is_trouble_and_no_more(node: Node) -> None:
    claims = node.claims("a")
    assert claims.claim({NODEST: "1", "net/nothing": "1"}) == [f"{NODEST} set to 1 (was 0)"]
    problem = "cannot set net/nothing to 1: No such file or directory"
    assert (claims.unset, claims.trouble) == ({"net/nothing": problem}, [problem])
    assert find_differing({"net/nothing": "1"}, str(node.root)) == {"net/nothing": "unreadable"}
    assert node.claims("a").release() == [f"{NODEST} put back to 0"]


def test_a_setting_that_cannot_be_set_is_trouble_and_no_more(node: Node) -> None:
    link = node.root / TEMPLATE
    link.unlink()
    link.symlink_to("/proc/sys/kernel/ostype")  # read-only, even for root
    claims = node.claims("a")
    assert claims.claim({NODEST: "1", TEMPLATE: "1"}) == [f"{NODEST} set to 1 (was 0)"]
    assert list(claims.unset) == [TEMPLATE]
    assert claims.trouble[0].startswith(f"cannot set {TEMPLATE} to 1: ")
    assert not is_writable(TEMPLATE, str(node.root))
    claims = node.claims("a")
    assert claims.release() == [f"{NODEST} put back to 0"]
    assert claims.trouble == []


def test_a_setting_that_cannot_be_put_back_is_trouble_and_no_more(node: Node) -> None:
    node.claims("a").claim({NODEST: "Linux", TEMPLATE: "1"})
    (node.root / NODEST).unlink()
    (node.root / NODEST).symlink_to("/proc/sys/kernel/ostype")
    claims = node.claims("a")
    assert claims.release() == [f"{TEMPLATE} put back to 0"]
    (problem,) = claims.trouble
    assert problem.startswith(f"cannot set {NODEST} to 0: ")


def test_a_setting_that_went_with_its_module(node: Node) -> None:
    node.claims("a").claim({NODEST: "1"})
    (node.root / NODEST).unlink()
    assert node.claims("a").release() == []
    assert not node.file.exists()


def test_only_one_at_a_time(node: Node) -> None:
    """A claim fails while the lock is held; a release then leaves the settings as they are."""
    node.claims("a").claim({NODEST: "1"})
    late = Claims(str(node.run), "b", Deadline.after(0.1), root=str(node.root))
    with state.locked(f"{node.file}.lock", Deadline.after(1)):
        with pytest.raises(Busy, match="still running"):
            late.claim({NODEST: "1"})
        assert late.release() == []
        assert late.trouble == [
            "another action of this resource is still running: going on without the lock"
        ]


def test_a_lock_that_cannot_be_had(node: Node) -> None:
    lock = Path(f"{node.file}.lock")
    node.run.mkdir(exist_ok=True)
    lock.symlink_to("/nowhere")
    claims = node.claims("a")
    assert claims.claim({NODEST: "1"}) == [f"{NODEST} set to 1 (was 0)"]
    problem = f"cannot lock {lock}: Too many levels of symbolic links: going on without the lock"
    assert claims.trouble == [problem]
    claims = node.claims("a")
    assert claims.release() == [f"{NODEST} put back to 0"]
    assert claims.trouble == [problem]


def test_an_equally_good_value_is_left(node: Node) -> None:
    node[NODEST] = "2"
    good = {NODEST: ("1", "2")}
    assert find_differing({NODEST: "1"}, str(node.root), acceptable_values=good) == {}
    assert node.claims("a").claim({NODEST: "1", TEMPLATE: "1"}, good) == [
        f"{TEMPLATE} set to 1 (was 0)"
    ]
    assert node.claims("a").release() == [f"{TEMPLATE} put back to 0"]
    assert node[NODEST] == "2"


def test_an_equally_good_value_set_since_is_left_by_all(node: Node) -> None:
    """A value set meanwhile that is as good stays, even if another resource claims it later."""
    good = {NODEST: ("1", "2")}
    node.claims("a").claim({NODEST: "1"}, good)
    node[NODEST] = "2"
    assert node.claims("b").claim({NODEST: "1"}, good) == []
    assert node.claims("a").release() == []
    assert node.claims("b").release() == [
        f"{NODEST} left at 2, changed since by another program (was 0 before)"
    ]
    assert node[NODEST] == "2"


def test_settings_of_interfaces(tmp_path: Path) -> None:
    for interface, new in (("all", "1"), ("eth0.100", "2"), ("lo", "0")):
        directory = tmp_path / "net/ipv4/conf" / interface
        directory.mkdir(parents=True)
        (directory / "arp_ignore").write_text(f"{new}\n")
    (tmp_path / "net/ipv4/conf/gone").mkdir()
    assert read_by_interface("arp_ignore", str(tmp_path)) == {
        "all": "1",
        "eth0.100": "2",
        "lo": "0",
    }
    with pytest.raises(LvsdrError, match="cannot read net/ipv4/conf: No such file"):
        read_by_interface("arp_ignore", str(tmp_path / "nowhere"))


def test_a_disk_that_is_full(node: Node) -> None:
    """A full disk prevents neither putting settings back nor setting them."""
    node.claims("one").claim({NODEST: "1"})
    node.claims("other").claim({NODEST: "1", TEMPLATE: "1"})
    (node.run / f"lvsdr-sysctl.json.{os.getpid()}").mkdir()  # in the way of the temporary file
    claims = node.claims("other")
    assert claims.release() == [f"{TEMPLATE} put back to 0"]
    (problem,) = claims.trouble
    assert problem.startswith(f"cannot write {node.file}: ")
    assert (node[NODEST], node[TEMPLATE]) == ("1", "0")
    third = node.claims("third")
    assert third.claim({TEMPLATE: "1"}) == [f"{TEMPLATE} set to 1 (was 0)"]
    assert (third.trouble, third.unset) == ([problem], {})


def test_an_earlier_claim_needs_no_disk(node: Node) -> None:
    node.claims("one").claim({NODEST: "1"})
    node[NODEST] = "0"
    (node.run / f"lvsdr-sysctl.json.{os.getpid()}").mkdir()
    again = node.claims("one")
    assert again.claim({NODEST: "1"}) == [f"{NODEST} set to 1 (was 0)"]
    assert again.trouble == []
