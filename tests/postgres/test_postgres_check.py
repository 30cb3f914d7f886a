"""The check ``postgres`` with real servers, driven by a loop like the watcher's."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lvsdr.pool.check_history import CheckState, Counting, Reply, begin_state, record
from lvsdr.pool.check_verdict import list_opinions
from lvsdr.pool.model import Outcome
from lvsdr.postgres.lag import Limits
from lvsdr.system.checks.postgres_check import CHECKS_OF_A_LOGIN
from lvsdr.system.checks.running_checks import CheckSettings

from tests.postgres.server import Server
from tests.postgres.world import NAMES, PASSWORDS, PRIMARY, World
from tests.support.check_loop import CheckLoop, checking
from tests.support.waiting import wait_until

CONNINFO = f"user=monitor dbname=postgres password={PASSWORDS['monitor']}"
STANDBYS = {name: address for name, address in NAMES.items() if name != address}
EVERYONE = {"node1": PRIMARY, **STANDBYS}


@contextlib.contextmanager
def checked(
    addresses: dict[str, str],
    conninfo: str = CONNINFO,
    max_lag: Limits | None = None,
    timeout: float = 20.0,
) -> Iterator[CheckLoop]:
    settings = CheckSettings("postgres", 5432, 0.1, timeout, conninfo, max_lag or Limits())
    with checking(settings, addresses) as loop:
        yield loop


def until(loop: CheckLoop, host: str, reply: Reply) -> str:
    """Drive the checks until the last result of a host is of this kind; return its reason."""
    loop.run(lambda: host in loop.results and loop.results[host][-1].reply is reply)
    return loop.results[host][-1].reason


def sessions(server: Server) -> list[int]:
    """Return the process ids of the sessions of checks."""
    rows = server.sql(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'lvsdr' ORDER BY pid"
    )
    return [pid for (pid,) in rows]


@pytest.mark.usefixtures("world")
def test_a_standby_is_fit_and_the_primary_is_unwanted() -> None:
    with checked(EVERYONE) as loop:
        replies = {host: found[0] for host, found in loop.next_results().items()}
    assert {host: (found.reply, found.reason) for host, found in replies.items()} == {
        "node1": (
            Reply.UNWANTED,
            "postgres check of 10.66.0.11:5432: is not in recovery: a primary, not a standby",
        ),
        "node2": (Reply.FIT, "postgres check of 10.66.0.12:5432: is in recovery"),
        "node3": (Reply.FIT, "postgres check of 10.66.0.13:5432: is in recovery"),
    }


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("conninfo", "reason"),
    [
        ("user=monitor password=Falsch-79 dbname=postgres", "password authentication failed"),
        ("user=monitor dbname=postgres", "no password supplied"),
        ("user=absent password=x dbname=postgres", "password authentication failed"),
        (f"{CONNINFO} dbname=nowhere", 'database "nowhere" does not exist'),
        (f"{CONNINFO} sslmode=require", "server does not support SSL"),
    ],
)
def test_a_server_that_refuses_the_login_is_alive(conninfo: str, reason: str) -> None:
    with checked({"node2": NAMES["node2"]}, conninfo) as loop:
        reply, found = loop.next_reply("node2")
    assert reply is Reply.BUSY
    assert reason in found
    assert "Falsch-79" not in found
    assert PASSWORDS["monitor"] not in found


def test_a_server_without_a_free_slot_is_alive(world: World) -> None:
    world.primary.sql("ALTER ROLE monitor CONNECTION LIMIT 0")
    try:
        world.settle()
        with checked({"node2": NAMES["node2"]}) as loop:
            reason = until(loop, "node2", Reply.BUSY)
            assert "too many connections" in reason
            world.primary.sql("ALTER ROLE monitor CONNECTION LIMIT -1")
            until(loop, "node2", Reply.FIT)
    finally:
        world.primary.sql("ALTER ROLE monitor CONNECTION LIMIT -1")


@pytest.mark.usefixtures("world")
def test_a_password_from_a_passfile_by_the_name_of_the_host(tmp_path: Path) -> None:
    passfile = tmp_path / "pass"
    passfile.write_text(f"node2:5432:postgres:monitor:{PASSWORDS['monitor']}\n")
    passfile.chmod(0o600)
    with checked(STANDBYS, f"user=monitor dbname=postgres passfile={passfile}") as loop:
        replies = {host: found[0].reply for host, found in loop.next_results().items()}
    assert replies == {"node2": Reply.FIT, "node3": Reply.BUSY}


@pytest.mark.usefixtures("world")
def test_a_password_from_a_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = tmp_path / "service"
    service.write_text(
        "[reads]\nhost=198.51.100.1\nport=1\nuser=monitor\ndbname=postgres\n"
        f"password={PASSWORDS['monitor']}\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    with checked(STANDBYS, "service=reads") as loop:
        replies = {host: found[0].reply for host, found in loop.next_results().items()}
    assert replies == {"node2": Reply.FIT, "node3": Reply.FIT}


def test_a_server_with_tls(tmp_path: Path, world: World) -> None:
    """The check of the certificate takes the host's name or address, as for any client."""
    standby = world.standbys["node3"]
    certificate, key = standby.home / "tls.crt", standby.home / "tls.key"
    new = ["-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=node3", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", *new, *files], check=True, capture_output=True)
    for file in (certificate, key):
        shutil.chown(file, "postgres", "postgres")
        file.chmod(0o600)
    root = tmp_path / "root.crt"
    root.write_bytes(certificate.read_bytes())
    for name, value in {"ssl_cert_file": certificate, "ssl_key_file": key, "ssl": "on"}.items():
        standby.sql(f"ALTER SYSTEM SET {name} = '{value}'")
    standby.sql("SELECT pg_reload_conf()")
    try:
        strict = f"{CONNINFO} sslmode=verify-full sslrootcert={root}"
        with checked({"node3": standby.address}, strict) as loop:
            until(loop, "node3", Reply.FIT)
            encrypted = "ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
            assert standby.says(f"{encrypted} WHERE application_name = 'lvsdr'")
            for _ in range(2 * CHECKS_OF_A_LOGIN):
                assert loop.next_reply("node3")[0] is Reply.FIT
        with checked({"another": standby.address}, strict) as loop:
            reply, reason = loop.next_reply("another")
            assert reply is Reply.BUSY
            assert "server certificate for" in reason
    finally:
        for name in ("ssl", "ssl_cert_file", "ssl_key_file"):
            standby.sql(f"ALTER SYSTEM RESET {name}")
        standby.sql("SELECT pg_reload_conf()")


def test_a_connection_is_kept_for_a_few_checks(world: World) -> None:
    standby = world.standbys["node2"]
    with checked({"node2": standby.address}) as loop:
        pids = []
        for _ in range(3 * CHECKS_OF_A_LOGIN):
            assert loop.next_reply("node2")[0] is Reply.FIT
            (pid,) = wait_until(lambda: sessions(standby), lambda found: len(found) == 1)
            pids.append(pid)
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [CHECKS_OF_A_LOGIN] * 3


def test_the_connection_is_closed_when_the_host_leaves(world: World) -> None:
    with checked(STANDBYS) as loop:
        loop.next_results()
        assert len(sessions(world.standbys["node2"])) == 1
        loop.checks.keep({"node3": STANDBYS["node3"]}, 0.0)
        wait_until(lambda: sessions(world.standbys["node2"]) == [])
        assert len(sessions(world.standbys["node3"])) == 1


def test_a_connection_that_ended_is_replaced_in_the_same_check(world: World) -> None:
    standby = world.standbys["node2"]
    with checked({"node2": standby.address}) as loop:
        loop.next_reply("node2")
        (pid,) = sessions(standby)
        standby.sql(f"SELECT pg_terminate_backend({pid})")
        wait_until(lambda: sessions(standby) == [])
        assert loop.next_reply("node2")[0] is Reply.FIT
        assert sessions(standby) not in ([], [pid])


def test_a_killed_server_is_refused_until_it_is_back(world: World) -> None:
    standby = world.standbys["node3"]
    with checked(STANDBYS) as loop:
        loop.next_results()
        standby.kill()
        try:
            reason = until(loop, "node3", Reply.REFUSED)
            assert "Connection refused" in reason
            assert loop.next_reply("node2")[0] is Reply.FIT
        finally:
            standby.start_without_waiting()
        until(loop, "node3", Reply.FIT)


def outcomes(loop: CheckLoop) -> list[dict[str, Outcome]]:
    """Return the different opinions in the order in which the results led to them."""
    counting = Counting(fall=3, rise=2, max_age=60.0)
    results = [(found, host) for host, all_of in loop.results.items() for found in all_of]
    board: dict[str, CheckState] = {}
    found: list[dict[str, Outcome]] = []
    for result, host in sorted(results, key=lambda one: one[0].ended):
        board[host] = record(board.get(host) or begin_state(result.began), result, counting)
        opinions = dict(list_opinions(board, counting, result.ended))
        if opinions.keys() == STANDBYS.keys() and found[-1:] != [opinions]:
            found.append(opinions)
    return found


def test_a_killed_server_has_failed_and_comes_back(world: World) -> None:
    standby = world.standbys["node3"]
    with checked(STANDBYS) as loop:
        loop.next_results()
        standby.kill()
        try:
            loop.run(lambda: outcomes(loop)[-1]["node3"] is Outcome.FAILED)
        finally:
            standby.start_without_waiting()
        loop.run(lambda: outcomes(loop)[-1]["node3"] is Outcome.IN)
    assert {found["node2"] for found in outcomes(loop)} == {Outcome.IN}


def test_a_frozen_server_is_withdrawn_and_then_has_failed(world: World) -> None:
    with checked(STANDBYS, timeout=1.0) as loop:
        loop.next_results()
        with world.standbys["node3"].frozen():
            loop.run(lambda: outcomes(loop)[-1]["node3"] is Outcome.FAILED)
        loop.run(lambda: outcomes(loop)[-1]["node3"] is Outcome.IN)
    row = [found["node3"] for found in outcomes(loop)]
    assert row == [Outcome.IN, Outcome.WITHDRAWN, Outcome.FAILED, Outcome.UNKNOWN, Outcome.IN]


def test_all_servers_frozen_at_once_stay_as_they_are(world: World) -> None:
    with checked(STANDBYS, timeout=1.0) as loop:
        loop.next_results()
        with world.standbys["node2"].frozen(), world.standbys["node3"].frozen():
            silent = dict.fromkeys(STANDBYS, Outcome.UNKNOWN)
            loop.run(lambda: outcomes(loop)[-1] == silent)
            loop.next_results(7)
        assert outcomes(loop)[-1] == silent
        loop.run(lambda: outcomes(loop)[-1] == dict.fromkeys(STANDBYS, Outcome.IN))
    seen = {outcome for found in outcomes(loop) for outcome in found.values()}
    assert seen == {Outcome.IN, Outcome.UNKNOWN}


def test_a_server_that_only_recovers_is_refused(world: World) -> None:
    standby = world.standbys["node3"]
    standby.kill()
    standby.start_without_waiting(hot_standby="off")
    try:
        with checked({"node3": standby.address}) as loop:
            loop.run(lambda: "the database system is" in loop.next_reply("node3")[1])
            assert loop.results["node3"][-1].reply is Reply.REFUSED
    finally:
        standby.kill()
        standby.start()


def test_a_frozen_server_is_silent_and_the_others_are_checked(world: World) -> None:
    with checked(STANDBYS, timeout=1.0) as loop:
        loop.next_results()
        with world.standbys["node3"].frozen():
            reason = until(loop, "node3", Reply.SILENT)
            assert reason.endswith("no answer within 1 s while waiting for the answer to a query")
            before = len(loop.results["node2"])
            reply, reason = loop.next_reply("node3")
            assert reply is Reply.SILENT
            assert reason.endswith("while logging in")
            assert len(loop.results["node2"]) - before >= 3
            assert {found.reply for found in loop.results["node2"]} == {Reply.FIT}
        until(loop, "node3", Reply.FIT)


def test_a_smart_shutdown_ends(world: World) -> None:
    """A kept connection holds it up only until the next login, which is refused."""
    standby = world.standbys["node3"]
    process = standby._process
    assert process is not None
    with checked({"node3": standby.address}) as loop:
        loop.next_reply("node3")
        os.kill(process.pid, signal.SIGTERM)
        try:
            loop.run(lambda: process.poll() is not None)
            until(loop, "node3", Reply.REFUSED)
        finally:
            standby.start_without_waiting()
        until(loop, "node3", Reply.FIT)


@pytest.mark.parametrize("with_primary", [True, False])
@pytest.mark.parametrize("max_lag", [Limits(bytes=500000), Limits(seconds=1)])
def test_a_standby_that_is_too_far_behind_is_unwanted(
    max_lag: Limits, with_primary: bool, world: World
) -> None:
    """The reference is the primary, or the standby that goes on replaying."""
    addresses = EVERYONE if with_primary else STANDBYS
    with checked(addresses, max_lag=max_lag) as loop:
        loop.next_results()
        with world.paused("node2"):
            reason = until(loop, "node2", Reply.UNWANTED)
            assert reason.startswith("lags ")
            assert loop.next_reply("node3")[0] is Reply.FIT
        until(loop, "node2", Reply.FIT)


def test_an_idle_primary_is_no_lag(world: World) -> None:
    idle = "now() - pg_last_xact_replay_timestamp() > interval '1.1 s'"
    with checked(EVERYONE, max_lag=Limits(seconds=0.5)) as loop:
        loop.run(lambda: loop.next_results() and world.standbys["node2"].says(idle))
        assert loop.next_reply("node2")[0] is Reply.FIT


def test_a_role_without_privileges_suffices(world: World) -> None:
    conninfo = f"user=plain dbname=postgres password={PASSWORDS['plain']}"
    with checked(EVERYONE, conninfo, Limits(bytes=500000)) as loop:
        assert loop.next_reply("node2")[0] is Reply.FIT
        with world.paused("node2"):
            until(loop, "node2", Reply.UNWANTED)
