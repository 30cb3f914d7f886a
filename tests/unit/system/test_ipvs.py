"""The owner of one service, which changes the table and checks the result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lvsdr.errors import DeadlineExceeded, Exhausted, KernelMismatch, LvsdrError, NotInstalled
from lvsdr.ipvs.plan import AddRealServer, AddService, DeleteService, EditRealServer, EditService
from lvsdr.ipvs.table import (
    RealServerConfig,
    RealServerKey,
    ServiceConfig,
    ServiceKey,
    WantedService,
    strip_counters,
)
from lvsdr.system.ipvs import Kernel, load_modules
from lvsdr.system.ipvs_proc import find_service, is_available, read_connections, read_proc
from lvsdr.system.process.run import Result
from lvsdr.values.deadline import Deadline

from tests.fakes.ipvsadm import FakeIpvsadm
from tests.fakes.kernel import FakeKernel

if TYPE_CHECKING:
    from lvsdr.system.ipvs import Runner

KEY = ServiceKey("tcp", "10.77.0.100", 5432)
UDP6 = ServiceKey("udp", "fd77::100", 53)
RR = ServiceConfig("rr")
NODE1, NODE2 = (RealServerKey(f"10.77.0.{number}", 5432) for number in (11, 12))
GATE = RealServerConfig("gate", 1)
WANTED = WantedService(RR, {NODE1: GATE, NODE2: GATE})
FOREIGN = "-A -t 10.77.0.100:80 -s rr -p 10 -M 255.0.255.0\n-A -u 10.77.0.101:53 -s rr --pe sip\n"
OURS = """\
-A -t 10.77.0.100:5432 -s rr
-a -t 10.77.0.100:5432 -r 10.77.0.11:5432 -g -w 1
-a -t 10.77.0.100:5432 -r 10.77.0.12:5432 -g -w 1
"""


class Director:
    """A host with a fake kernel, and the owner of one service on it."""

    def __init__(self, text: str = "", key: ServiceKey = KEY, lines: int | None = None) -> None:
        self.fake = FakeKernel()
        assert self.fake.restore(text) == []
        self.ipvsadm = FakeIpvsadm(self.fake, lines)
        self.kernel = self.owner(key, self.ipvsadm)

    def owner(self, key: ServiceKey, runner: Runner) -> Kernel:
        return Kernel(key, "gate", Deadline.after(10), read=self.fake.proc, runner=runner)


def test_a_service_that_is_not_there() -> None:
    assert Director(FOREIGN).kernel.read_service(WANTED) is None


def test_a_service_that_is_there_is_read_without_a_fork() -> None:
    director = Director(OURS + FOREIGN)
    service = director.kernel.read_service(WANTED)
    assert service is not None
    assert strip_counters(service) == WANTED
    assert director.ipvsadm.calls == []


def test_reach_from_nothing() -> None:
    director = Director(FOREIGN)
    changes = director.kernel.apply_service(WANTED)
    assert changes == (
        AddService(KEY, RR),
        AddRealServer(KEY, NODE1, GATE),
        AddRealServer(KEY, NODE2, GATE),
    )
    assert director.fake.saved() == Director(OURS + FOREIGN).fake.saved()
    assert director.ipvsadm.calls == ["-R"]


def test_nothing_to_change_forks_nothing() -> None:
    director = Director(OURS)
    assert director.kernel.apply_service(WANTED) == ()
    assert director.ipvsadm.calls == []


def test_drift_is_repaired() -> None:
    director = Director(OURS)
    director.fake.restore(
        "-E -t 10.77.0.100:5432 -s wrr -p 60\n-e -t 10.77.0.100:5432 -r 10.77.0.11:5432 -i -w 0\n"
    )
    assert director.kernel.apply_service(WANTED) == (
        EditService(KEY, RR),
        EditRealServer(KEY, NODE1, GATE),
    )
    assert director.fake.saved() == OURS


def test_remove() -> None:
    director = Director(OURS + FOREIGN)
    assert director.kernel.remove_service() == (DeleteService(KEY),)
    assert director.fake.saved() == FOREIGN
    assert director.kernel.remove_service() == ()


@pytest.mark.parametrize(
    ("key", "there", "wanted"),
    [
        (KEY, "-s rr -p 60", ServiceConfig("rr", persistence=61)),
        (KEY, "-s rr", ServiceConfig("rr", persistence=60)),
        (KEY, "-s rr -p 60 --pe sip", ServiceConfig("rr", persistence=60)),
        (KEY, "-s sh -b sh-port", ServiceConfig("sh")),
        (KEY, "-s sh", ServiceConfig("sh", flags=("sh-port",))),
        (KEY, "-s mh -b mh-port", ServiceConfig("mh", flags=("mh-fallback",))),
        (KEY, "-s sh -b sh-port", RR),
        (UDP6, "-s rr --ops", RR),
        (UDP6, "-s rr", ServiceConfig("rr", one_packet=True)),
    ],
)
def test_settings_hidden_in_proc_are_changed(
    key: ServiceKey, there: str, wanted: ServiceConfig
) -> None:
    option = "-t 10.77.0.100:5432" if key == KEY else "-u [fd77::100]:53"
    director = Director(f"-A {option} {there}\n", key)
    service = WantedService(wanted, {})
    assert director.kernel.apply_service(service) == (EditService(key, wanted),)
    assert director.kernel.apply_service(service) == ()
    found = director.kernel.read_service(service)
    assert found is not None
    assert found.config == wanted


def test_foreign_services_do_not_hide_ours() -> None:
    persistent = WantedService(ServiceConfig("rr", persistence=60), {})
    director = Director(FOREIGN)
    director.kernel.apply_service(persistent)
    assert director.ipvsadm.calls == ["-R", "-Sn"]


def test_a_service_that_goes_while_it_is_looked_at() -> None:
    director = Director("-A -t 10.77.0.100:5432 -s rr -p 60\n")
    proc = director.fake.proc()
    director.fake.restore("-C\n")
    reading = Reading(proc, director.fake.proc())
    kernel = Kernel(KEY, "gate", Deadline.after(10), read=reading, runner=director.ipvsadm)
    assert kernel.read_service(WantedService(ServiceConfig("rr", persistence=60), {})) is None


def test_real_servers_on_this_host_are_as_wanted() -> None:
    """A real server on this host is as wanted, although the kernel shows it as Local.

    Kernels before 2.6.37 show it so, however it was added.
    """
    director = Director(OURS)
    proc = director.fake.proc().replace("Route ", "Local ", 1)
    kernel = Kernel(KEY, "gate", Deadline.after(10), read=lambda: proc, runner=director.ipvsadm)
    assert kernel.apply_service(WANTED) == ()


def test_a_batch_that_dies_is_noticed_and_healed() -> None:
    director = Director(lines=2)
    with pytest.raises(KernelMismatch) as raised:
        director.kernel.apply_service(WANTED)
    assert str(raised.value) == (
        "the IPVS table differs from the wanted one: exit status 137; "
        "left undone: -a -t 10.77.0.100:5432 -r 10.77.0.12:5432 -g -w 1"
    )
    healthy = director.owner(KEY, FakeIpvsadm(director.fake))
    assert healthy.apply_service(WANTED) == (AddRealServer(KEY, NODE2, GATE),)


def test_the_output_of_ipvsadm_is_the_reason() -> None:
    director = Director()
    unknown = WANTED._replace(config=ServiceConfig("twos"))
    with pytest.raises(KernelMismatch) as raised:
        director.kernel.apply_service(unknown)
    assert str(raised.value) == (
        "the IPVS table differs from the wanted one: "
        "Scheduler or persistence engine not found; Service not defined; "
        "left undone: -A -t 10.77.0.100:5432 -s twos; "
        "-a -t 10.77.0.100:5432 -r 10.77.0.11:5432 -g -w 1; "
        "-a -t 10.77.0.100:5432 -r 10.77.0.12:5432 -g -w 1"
    )


def test_a_long_list_of_undone_changes_is_cut() -> None:
    many = {RealServerKey(f"10.77.1.{number}", 5432): GATE for number in range(1, 6)}
    with pytest.raises(KernelMismatch) as raised:
        Director(lines=1).kernel.apply_service(WantedService(RR, many))
    assert str(raised.value).endswith(" -r 10.77.1.3:5432 -g -w 1; and 2 more")


def test_a_removal_that_fails_is_loud() -> None:
    director = Director(OURS, lines=0)
    with pytest.raises(KernelMismatch):
        director.kernel.remove_service()


def test_the_exit_status_proves_nothing() -> None:
    director = Director()

    def grumbling(
        argv: Sequence[str],
        deadline: Deadline,
        *,
        stdin: bytes = b"",
        keep: tuple[int, ...] = (),
    ) -> Result:
        done = director.ipvsadm(argv, deadline, stdin=stdin, keep=keep)
        return done._replace(status=255, stderr=b"Hm\n")

    assert len(director.owner(KEY, grumbling).apply_service(WANTED)) == 3


@pytest.mark.parametrize(
    ("result", "error", "problem"),
    [
        (
            Result(127, b"", b"", "ipvsadm cannot be executed: No such file", inconclusive=True),
            NotInstalled,
            "ipvsadm cannot be executed: No such file",
        ),
        (
            Result(128, b"", b"", "ipvsadm cannot be executed: Out of memory", inconclusive=True),
            Exhausted,
            "ipvsadm cannot be executed: Out of memory",
        ),
        (Result(255, b"", b"Bad\n"), LvsdrError, "ipvsadm -Sn: exit status 255: Bad"),
        (
            Result(137, b"", b"", "printed more than 9 bytes"),
            LvsdrError,
            "ipvsadm -Sn: printed more than 9 bytes",
        ),
        (Result(0, b"nonsense\n", b""), LvsdrError, "ipvsadm -Sn: cannot read the line 'nonsense'"),
    ],
)
def test_an_ipvsadm_that_cannot_say(result: Result, error: type[LvsdrError], problem: str) -> None:
    kernel = Director("-A -t 10.77.0.100:5432 -s sh\n").owner(KEY, lambda *_, **__: result)
    with pytest.raises(LvsdrError) as raised:
        kernel.apply_service(WantedService(ServiceConfig("sh"), {}))
    assert (type(raised.value), str(raised.value)) == (error, problem)


def test_no_time_left_is_not_a_missing_program() -> None:
    kernel = Kernel(KEY, "gate", Deadline.after(0), read=FakeKernel().proc)
    with pytest.raises(DeadlineExceeded, match=r"^no time left for ipvsadm$"):
        kernel.apply_service(WANTED)


def test_no_ipvsadm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    kernel = Kernel(KEY, "gate", Deadline.after(5), read=FakeKernel().proc)
    with pytest.raises(NotInstalled, match=r"^ipvsadm cannot be executed: No such file"):
        kernel.apply_service(WANTED)


def many(number: int) -> str:
    """Return services of others, more than the kernel shows at once."""
    return "".join(f"-A -t 10.78.0.{port}:{port} -s rr\n" for port in range(1, number + 1))


class Reading:
    """A reader that returns these texts in turn; the last one again and again."""

    def __init__(self, *texts: str) -> None:
        self._texts = list(texts)
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return self._texts.pop(0) if len(self._texts) > 1 else self._texts[0]


def test_a_small_table_is_read_once() -> None:
    """A small table is read once, because the kernel gives it in one piece."""
    reading = Reading(Director(OURS).fake.proc())
    assert find_service(KEY, reading) is not None
    assert reading.count == 1


def test_an_absence_is_believed_after_a_second_look() -> None:
    whole, without = Director(OURS + many(250)).fake.proc(), Director(many(250)).fake.proc()
    torn = Reading(without, whole)
    found = find_service(KEY, torn)
    assert found is not None
    assert strip_counters(found) == WANTED
    gone = Reading(whole, without, without)
    assert find_service(KEY, gone) is None
    assert gone.count == 3


def test_lines_below_the_wrong_service_are_not_believed() -> None:
    whole = Director(OURS + many(250)).fake.proc()
    stray = "-a -t 10.77.0.100:5432 -r 10.99.0.1:5432 -g -w 9\n"
    mixed = Director(OURS + stray + many(250)).fake.proc()
    found = find_service(KEY, Reading(mixed, whole, whole))
    assert found is not None
    assert strip_counters(found) == WANTED


def test_counters_may_differ_between_two_looks() -> None:
    whole = Director(OURS + many(250)).fake.proc()
    reading = Reading(whole, whole.replace(" 0          0 ", " 7          1 "))
    assert find_service(KEY, reading) is not None
    assert reading.count == 2


def test_a_list_of_ipvsadm_without_a_service_that_is_there() -> None:
    director = Director("-A -t 10.77.0.100:5432 -s rr -p 60\n")
    kernel = director.owner(KEY, lambda *_, **__: Result(0, b"", b""))
    with pytest.raises(LvsdrError, match=r"^ipvsadm -Sn does not list a service that is there$"):
        kernel.read_service(WantedService(ServiceConfig("rr", persistence=60), {}))


def test_a_kernel_without_ipvs(tmp_path: Path) -> None:
    missing = str(tmp_path / "ip_vs")
    assert read_proc(missing) == ""
    assert find_service(KEY, lambda: read_proc(missing)) is None
    assert not is_available(missing)


def modprobe(directory: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program before the real modprobe that logs its arguments."""
    program = directory / "modprobe"
    program.write_text(f'#!/bin/sh\necho "$@" >>{directory}/log\n{text}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


def test_missing_modules_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proc = tmp_path / "ip_vs"
    modprobe(tmp_path, f"touch {proc}", monkeypatch)
    load_modules("wrr", Deadline.after(5), str(proc))
    assert (tmp_path / "log").read_text() == "ip_vs\nip_vs_wrr\n"


def test_load_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proc = tmp_path / "ip_vs"
    proc.touch()
    modprobe(tmp_path, "exit 1", monkeypatch)  # such as a scheduler that is built in
    load_modules("wrr", Deadline.after(5), str(proc))
    assert (tmp_path / "log").read_text() == "ip_vs_wrr\n"


def test_a_kernel_that_cannot_load_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modprobe(tmp_path, "echo 'FATAL: Module ip_vs not found' >&2; exit 1", monkeypatch)
    with pytest.raises(NotInstalled) as raised:
        load_modules("rr", Deadline.after(5), str(tmp_path / "ip_vs"))
    assert str(raised.value) == (
        "the kernel has no IPVS: module ip_vs cannot be loaded "
        "(exit status 1: FATAL: Module ip_vs not found); install the kernel's modules package, "
        "or load ip_vs on the host of this container"
    )


CONNECTIONS = """\
Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP 0A4D0001 A3F2 0A4D0064 1538 0A4D000B 1538 TIME_WAIT       118
TCP 0A4D0001 A3F3 0A4D0064 1538 0A4D000B 1538 CLOSE             8
TCP 0A4D0001 A3F4 0A4D0064 1538 0A4D000C 1538 CLOSE_WAIT       58
TCP 0A4D0001 A3F5 0A4D0064 1538 0A4D000C 1538 TIME_WAIT       118
TCP 0A4D0001 A3F6 0A4D0064 0050 0A4D000B 1538 FIN_WAIT        118
"""


@pytest.mark.parametrize(
    ("forward", "weight", "counted"),
    [
        ("Masq", 0, [0, 1]),
        ("Route", 0, [0, 1]),
        ("Tunnel", 0, [0, 1]),
        ("Local", 0, [0, 1]),
        ("Masq", 1, [2, 2]),
    ],
)
def test_connections_that_are_over_hold_up_no_drain(
    forward: str, weight: int, counted: list[int]
) -> None:
    """Ended connections are left out for real servers of weight 0 only.

    Only a drain depends on them, so nothing is read for a real server with a weight.
    """
    director = Director(OURS.replace("-g -w 1", f"-g -w {weight}"))
    proc = director.fake.proc().replace(" 0          0 ", " 0          2 ")
    proc = proc.replace("Route ", forward.ljust(6))
    kernel = Kernel(
        KEY,
        "masq",
        Deadline.after(10),
        read=lambda: proc,
        connections=CONNECTIONS.splitlines,
        runner=director.ipvsadm,
    )
    service = kernel.read_service()
    assert service is not None
    found = sorted((key, server.connections) for key, server in service.real_servers.items())
    assert [tuple(connections) for _, connections in found] == [(0, n) for n in counted]


def test_a_table_of_connections_that_cannot_be_read() -> None:
    director = Director(OURS.replace("-g -w 1", "-m -w 0"))
    proc = director.fake.proc().replace(" 0          0 ", " 0          2 ")
    missing = Kernel(
        KEY,
        "masq",
        Deadline.after(10),
        read=lambda: proc,
        connections=lambda: read_connections("/nowhere"),
        runner=director.ipvsadm,
    )
    service = missing.read_service()
    assert service is not None
    assert {server.connections.inactive for server in service.real_servers.values()} == {2}
