"""The fast monitor: it confirms the last cycle only if everything fits."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lvsdr import __version__
from lvsdr.system.daemon import line_server
from lvsdr.system.process import identity
from lvsdr.system.small_files import compute_fingerprint
from lvsdr.watcher import quick
from lvsdr.watcher.control import Record, store_record
from lvsdr.watcher.facts import Paths, digest_parameters
from lvsdr.watcher.last_cycle import LastCycle, Timing, store_cycle

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root's watcher is believed")

NAMES = ("vip", "port")
ENVIRON = {
    "OCF_RESKEY_vip": "10.77.0.100",
    "OCF_RESKEY_CRM_meta_timeout": "30000",
    "OCF_RESKEY_CRM_meta_interval": "5000",
}
DIGEST = digest_parameters(ENVIRON, NAMES)


class Scene:
    """A stored cycle and a watcher that answers."""

    def __init__(self, directory: Path) -> None:
        self.files = Paths(str(directory), "lvs")
        self.line = quick.format_line(DIGEST)
        self.cycle = LastCycle(
            version=__version__,
            names=NAMES,
            digest=DIGEST,
            timing=Timing("30000", "5000"),
            file="",
            began=time.monotonic(),
            ended=time.monotonic(),
            wall=int(time.time()),
            caller="reconcile",
            code=0,
            block=("TCP 0A4D0064:1538 rr",),
        )
        self.record(time.monotonic() - 60)
        self.listener = line_server.listen(self.files.socket)
        self._ended = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while not self._ended.wait(0.01):
            line_server.reply(self.listener, self.line)

    def close(self) -> None:
        self._ended.set()
        self.listener.close()

    def record(self, begun: float) -> None:
        """Record this process as the watcher."""
        store_record(self.files.record, Record(identity.find_own_process(), begun))

    def refusal(self, **environ: str) -> quick.Refusal:
        """Return the refusal that the cycle meets; the kernel's table is asked last."""
        store_cycle(self.files.cycle, self.cycle)
        with pytest.raises(quick.Refusal) as caught:
            quick.confirm_last_cycle({**ENVIRON, **environ}, self.files, time.monotonic())
        return caught.value


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


def test_only_the_table_is_missing_here(scene: Scene) -> None:
    """On a kernel without IPVS, every other condition is met."""
    refusal = scene.refusal()
    assert "table" in refusal.reason
    assert not refusal.watcher_fails


def age(scene: Scene) -> None:
    scene.cycle = scene.cycle._replace(began=time.monotonic() - quick.FRESH - 1)


def come_from_the_future(scene: Scene) -> None:
    scene.cycle = scene.cycle._replace(began=time.monotonic() + 5)


def time_otherwise(scene: Scene) -> None:
    scene.cycle = scene.cycle._replace(timing=Timing("30000", "2000"))


@pytest.mark.parametrize("change", [age, come_from_the_future, time_otherwise])
def test_a_cycle_that_is_old_or_timed_otherwise_keeps_the_watcher(
    scene: Scene, change: Callable[[Scene], None]
) -> None:
    change(scene)
    refusal = scene.refusal()
    assert "cycle" in refusal.reason
    assert not refusal.watcher_fails


def outdate(scene: Scene) -> None:
    scene.cycle = scene.cycle._replace(version="0.0")


def answer_otherwise(scene: Scene) -> None:
    scene.line = quick.format_line("another")


def answer_as_another_process(scene: Scene) -> None:
    store_record(scene.files.record, Record(identity.Process(1, 1), 0.0))


def remove_the_record(scene: Scene) -> None:
    os.unlink(scene.files.record)


def remove_the_socket(scene: Scene) -> None:
    os.unlink(scene.files.socket)


@pytest.mark.parametrize(
    "change",
    [
        outdate,
        answer_otherwise,
        answer_as_another_process,
        remove_the_record,
        remove_the_socket,
    ],
)
def test_a_watcher_that_fails_is_to_be_replaced(
    scene: Scene, change: Callable[[Scene], None]
) -> None:
    change(scene)
    assert scene.refusal().watcher_fails


def test_a_watcher_that_does_not_listen_yet_is_left_alone(scene: Scene) -> None:
    remove_the_socket(scene)
    scene.record(time.monotonic())
    refusal = scene.refusal()
    assert refusal.reason == "the watcher does not listen yet"
    assert not refusal.watcher_fails
    scene.record(time.monotonic() - quick.STARTING)
    assert scene.refusal().watcher_fails


def test_a_watcher_that_ended_before_it_listened_is_to_be_replaced(scene: Scene) -> None:
    remove_the_socket(scene)
    ended = identity.find_own_process()._replace(start_time=1)
    store_record(scene.files.record, Record(ended, time.monotonic()))
    assert scene.refusal().watcher_fails


def test_a_cycle_holds_only_for_the_file_that_it_read(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "cib.xml"
    file.write_text("<cib/>")
    environ = {**ENVIRON, "CIB_file": str(file)}
    digest = digest_parameters(environ, NAMES)
    scene.line = quick.format_line(digest)
    scene.cycle = scene.cycle._replace(digest=digest, file=compute_fingerprint(str(file)))
    assert "table" in scene.refusal(CIB_file=str(file)).reason
    file.write_text("<cib/>\n")
    refusal = scene.refusal(CIB_file=str(file))
    assert refusal.reason == "CIB_file was written after the last cycle"
    assert not refusal.watcher_fails


def test_other_parameters_are_another_cycle(scene: Scene) -> None:
    assert "other parameters" in scene.refusal(OCF_RESKEY_port="5433").reason
    assert "other parameters" in scene.refusal(CIB_file="/tmp/x").reason


@pytest.mark.parametrize(
    ("text", "watched"),
    [("true", True), ("", True), ("false", False), (" No ", False), ("0", False)],
)
def test_the_switch(text: str, watched: bool) -> None:
    assert quick.is_watched({"OCF_RESKEY_watch": text}) is watched
    assert quick.is_watched({})
