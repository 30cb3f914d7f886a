"""The figures of the comparison: output of programs, processor time, and the tables."""

from __future__ import annotations

import doctest
import json
from types import ModuleType
from typing import Any

import pytest

from docs import peer_tables
from tests.bench.peers import cpu, programs, wire
from tests.bench.peers.cpu import parse_stat
from tests.bench.peers.pgbench import Load, combine, parse
from tests.bench.peers.programs import parse_version
from tests.support.paths import ROOT

OUTPUT = """\
pgbench (15.18 (Debian 15.18-0+deb12u1))
transaction type: <builtin: select only>
scaling factor: 1
query mode: simple
number of clients: 4
number of threads: 1
maximum number of tries: 1
duration: 10 s
number of transactions actually processed: 1024
number of failed transactions: 0 (0.000%)
latency average = 2.531 ms
latency stddev = 0.873 ms
rate limit schedule lag: avg 0.911 (max 14.112) ms
initial connection time = 8.052 ms
tps = 102.337610 (without initial connection time)
"""


def test_the_output_of_pgbench_is_read() -> None:
    assert parse(OUTPUT) == Load(1024, 2.531, 102.33761)


def test_a_missing_figure_is_named() -> None:
    with pytest.raises(ValueError, match=r"^pgbench printed no latency, rate\n"):
        parse(OUTPUT.partition("latency")[0])


def test_loads_side_by_side_are_added_and_latency_is_weighted() -> None:
    assert combine([Load(100, 1.0, 10.0), Load(300, 3.0, 30.0)]) == Load(400, 2.5, 40.0)
    assert combine([Load(0, 0.0, 0.0)]).latency == 0.0


def test_idle_time_and_the_time_of_guests_are_not_busy() -> None:
    assert parse_stat("cpu  10 1 20 500 9 3 4 7 5 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n") == 38


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Keepalived v2.2.7 (01/16,2022)", "2.2.7"),
        ("HAProxy version 2.6.12-1+deb12u3 2025/10/03 - https://haproxy.org/", "2.6.12"),
        ("Linux Director v1.186-ha", "1.186"),
        ("pgpool-II version 4.3.5 (tamahomeboshi)", "4.3.5"),
        ("usage: program", "unknown"),
    ],
)
def test_the_version_of_a_program_is_read(text: str, version: str) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize("module", [cpu, programs, wire, peer_tables])
def test_the_examples_in_docstrings_hold(module: ModuleType) -> None:
    results = doctest.testmod(module)
    assert results.failed == 0 < results.attempted


# --- tables


def reaction(product: str, fault: str, last: float | None, wrong: int) -> dict[str, Any]:
    return {
        "product": product,
        "fault": fault,
        "last": last,
        "unnoticed": last is not None and last > 40,
        "connections": 400,
        "wrong": wrong,
        "delayed": 0,
        "slowest": 0.1,
        "lost": 0,
        "broken": "reset",
    }


CONDITIONS: dict[str, Any] = {
    "missing": {},
    "date": "2026-01-02",
    "machine": {"processor": "A processor", "cores": 2, "load": 0.1, "load_after": 1.2},
    "kernel": "Linux 6.1",
    "versions": {"lvsdr": "1.0", "HAProxy": "2.6"},
}
REACTION: dict[str, Any] = {
    **CONDITIONS,
    "rows": [
        reaction("lvsdr, tcp", "host crashed", 3.14, 20),
        reaction("lvsdr, tcp", "database killed", 2.5, 17),
        reaction("HAProxy", "host crashed", 8.0, 50),
        reaction("HAProxy", "database killed", None, 0),
    ],
    "configurations": {"lvsdr, tcp": "pcs\n", "HAProxy": "listen\n\n    bind\n"},
}
READS: dict[str, Any] = {
    **CONDITIONS,
    "rate": 200.0,
    "full": [
        {"product": "directly", "rate": 900.0, "latency": 12.0, "middle": 0.0, "all": 1.1},
        {"product": "lvsdr", "rate": 600.0, "latency": 20.0, "middle": 0.0, "all": 1.6},
        {"product": "HAProxy", "rate": 800.0, "latency": 15.0, "middle": 0.4, "all": 1.3},
    ],
    "fixed": [
        {"product": "directly", "rate": 200.0, "latency": 2.0, "middle": 0.0, "all": 1.0},
        {"product": "lvsdr", "rate": 200.0, "latency": 2.0, "middle": 0.01, "all": 1.2},
        {"product": "HAProxy", "rate": 200.0, "latency": 3.0, "middle": 0.4, "all": 1.5},
    ],
    "configurations": {"HAProxy": "listen\n\n    bind\n"},
}


def test_the_reaction_has_a_row_for_each_product_and_says_where_a_peer_is_better() -> None:
    text = peer_tables.reaction_table(REACTION)
    assert "| lvsdr, tcp | 3.1 s; 20 of 400; there: reset | 2.5 s; 17 of 400;" in text
    assert "| HAProxy | 8.0 s; 50 of 400; there: reset | none; 0 of 400" in text
    assert "- host crashed: fewest wrong connections with lvsdr, tcp (20).\n" in text
    assert (
        "database killed: fewest wrong connections with HAProxy (0); lvsdr, tcp: 17. HAPr" in text
    )


def test_a_fault_that_a_product_does_not_notice_is_in_the_table() -> None:
    assert peer_tables.last_time(reaction("keepalived", "frozen", 44.0, 99)) == "not noticed"


def test_delayed_connections_are_in_the_table() -> None:
    row = {**reaction("lvsdr, tcp", "host crashed", 3.0, 9), "delayed": 2, "slowest": 3.04}
    assert "9 of 400, 2 delayed (3.0 s); " in peer_tables.reaction_cell(row)


def test_the_short_tables_have_the_same_products() -> None:
    short = peer_tables.short_reaction_table(REACTION)
    assert short.splitlines()[2:] == [
        "| lvsdr, tcp | 3.1 s | 2.5 s |",
        "| HAProxy | 8.0 s | none |",
        "",
        "Measured on 2026-01-02: Linux 6.1.",
    ]
    short = peer_tables.short_reads_table(READS)
    assert short.splitlines()[-3] == "| HAProxy | 800 tps | 1.50 ms |"


def test_reads_are_compared_with_the_direct_path() -> None:
    text = peer_tables.reads_table(READS)
    assert "| lvsdr | 600 tps | 20.0 ms | 1.60 ms | 2.0 ms | 1.20 ms | +20 % | 0.01 ms |" in text
    assert "| directly | 900 tps | 12.0 ms | 1.10 ms | 2.0 ms | 1.00 ms |  |  |" in text
    assert "- fastest at full speed: HAProxy.\n- least CPU per transaction: lvsdr.\n" in text


@pytest.mark.parametrize("loads", [(1.7, 1.8), (0.1, 4.0)])
def test_a_busy_machine_is_named_as_such(loads: tuple[float, float]) -> None:
    assert "busy" not in peer_tables.conditions(REACTION)
    loaded = dict(zip(("load", "load_after"), loads))
    machine = {"processor": "A processor", "cores": 2, **loaded}
    expected = f"load {loads[0]} before and {loads[1]} after: the machine was busy"
    assert expected in peer_tables.conditions({**REACTION, "machine": machine})


def test_a_measurement_that_failed_is_in_the_table_with_its_reason() -> None:
    figures = {**REACTION, "rows": REACTION["rows"][:-1], "missing": {"HAProxy: killed": "why"}}
    text = peer_tables.reaction_table(figures)
    assert "| HAProxy | 8.0 s; 50 of 400; there: reset | not measured |" in text
    assert "- HAProxy: killed is not measured: why.\n" in text


def test_documents_without_figures_name_the_command() -> None:
    assert set(peer_tables.parts({}).values()) == {peer_tables.UNMEASURED}


def test_a_configuration_of_both_parts_is_quoted_once() -> None:
    text = peer_tables.configurations({"reaction": REACTION, "reads": READS})
    assert text.count("listen") == 1
    assert "HAProxy:\n\n    listen\n\n        bind\n" in text


def test_the_recorded_figures_belong_to_configurations_and_are_whole() -> None:
    figures = json.loads((ROOT / "docs/peers.json").read_text())
    assert set(figures) <= {"reaction", "reads"}
    for part, rows in (("reaction", "rows"), ("reads", "fixed")):
        measured = {row["product"] for row in figures.get(part, {}).get(rows, [])}
        assert measured <= {peer_tables.DIRECT, *figures.get(part, {}).get("configurations", [])}
    assert all(peer_tables.parts(figures).values())
