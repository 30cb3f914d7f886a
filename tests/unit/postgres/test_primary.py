"""What the rows of pg_stat_replication say of who is an active standby."""

from __future__ import annotations

import pytest
from lvsdr.errors import SourceUnavailable
from lvsdr.postgres.lag import Lag, Limits
from lvsdr.postgres.primary import (
    STATEMENTS,
    Naming,
    Walsender,
    anybody,
    listed,
    members,
    standbys,
    walsenders,
)

PRIMARY = ("f", "monitor")
GOOD = Walsender("node2", "streaming", logical=False, replays=True, lag=Lag(0, 0))


def test_rows_are_read() -> None:
    rows = [
        ("node2", "streaming", "f", "t", "4096", "1.5"),
        ("pg_basebackup", "backup", "f", "f", None, None),
        ("sub", "catchup", "t", "t", "0", "0"),
        (None, "streaming", "f", "t", "0", "2e-06"),
    ]
    assert walsenders(PRIMARY, rows) == [
        Walsender("node2", "streaming", False, True, Lag(4096, 1.5)),
        Walsender("pg_basebackup", "backup", False, False, Lag(None, None)),
        Walsender("sub", "catchup", True, True, Lag(0, 0)),
        Walsender("", "streaming", False, True, Lag(0, 2e-06)),
    ]


def test_there_are_as_many_statements_as_rows_to_read() -> None:
    assert len(STATEMENTS) == 2


def test_a_standby_is_not_asked() -> None:
    with pytest.raises(SourceUnavailable, match="a standby, not the primary"):
        walsenders(("t", "monitor"), [])


def test_nothing_is_said_of_walsenders_that_are_hidden() -> None:
    hidden = ("node2", None, "f", "f", None, None)
    with pytest.raises(SourceUnavailable, match=r"GRANT pg_monitor TO alice$"):
        walsenders(("f", "alice"), [hidden])


@pytest.mark.parametrize(
    ("walsender", "limits", "why"),
    [
        (GOOD._replace(state="catchup"), Limits(), "is in state catchup"),
        (GOOD._replace(state="backup"), Limits(), "is in state backup"),
        (GOOD._replace(logical=True), Limits(), "is no standby but a subscriber"),
        (GOOD._replace(replays=False), Limits(), "is no standby, it replays nothing"),
        (GOOD._replace(lag=Lag(9, 0)), Limits(8, 0), "lags 9 bytes behind, more than 8"),
        (GOOD._replace(lag=Lag(0, 9)), Limits(8, 8), "lags 9 seconds behind, more than 8"),
        (GOOD._replace(name="node9"), Limits(), "nobody goes by that name"),
        (GOOD._replace(name="a\nb"), Limits(), "nobody goes by that name"),
    ],
)
def test_who_is_left_out(walsender: Walsender, limits: Limits, why: str) -> None:
    found = standbys([walsender], listed(["node1", "node2"]), limits)
    assert found.names == []
    assert found.left_out == [f"{walsender.name!a}: {why}"]


def test_standbys_that_are_all_strangers_are_no_empty_list() -> None:
    """They may well be those that serve now."""
    strangers = [GOOD._replace(name=name) for name in ("pg1", "pg 2")]
    with pytest.raises(SourceUnavailable, match=r"^nobody knows the standbys 'pg1', 'pg 2': set "):
        standbys(strangers, members(["node1"]), Limits()).require_a_name()


@pytest.mark.parametrize(
    "found",
    [
        [],
        [GOOD, GOOD._replace(name="pg1")],
        [GOOD._replace(name="pg1", lag=Lag(9, 0))],
        [GOOD._replace(name="pg1", replays=False)],
    ],
    ids=["nobody", "one is known", "too far behind anyway", "no standby anyway"],
)
def test_no_other_list_is_refused(found: list[Walsender]) -> None:
    standbys(found, members(["node2"]), Limits(bytes=8)).require_a_name()


def test_one_good_walsender_is_enough() -> None:
    """The other may be left of a connection that broke."""
    stale = GOOD._replace(lag=Lag(10**9, 3600))
    found = standbys([stale, GOOD, GOOD, GOOD._replace(name="node1")], anybody, Limits(1000, 10))
    assert found.names == ["node2", "node1"]


@pytest.mark.parametrize(
    ("naming", "known"),
    [
        (listed(["node1", "node4", "fd77:0::1"]), ["node1", "node4", "fd77:0::1"]),
        (listed(["192.0.2.4"]), ["192.0.2.4"]),
        (members(["Node1", "node2"]), ["Node1", "192.0.2.4", "fd77::1"]),
        (members([]), ["192.0.2.4", "fd77::1"]),
        (anybody, ["node1", "node4", "192.0.2.4", "fd77::1", "pg_receivewal"]),
    ],
    ids=["listed", "one listed", "members", "no members", "anybody"],
)
def test_names(naming: Naming, known: list[str]) -> None:
    names = ["node1", "node4", "192.0.2.4", "FD77::0:1", "walreceiver", "15/main", "", "-C"]
    found = standbys(
        [GOOD._replace(name=name) for name in [*names, "pg_receivewal"]], naming, Limits()
    )
    assert found.names == known
