"""The director's saved state between two runs; a damaged file does no harm."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lvsdr.agents.lvsdr.saved_pool import SavedPool, load_saved_pool, render_saved_pool
from lvsdr.ipvs.table import RealServerKey, ServiceKey
from lvsdr.system.small_files import read_boot_id

FULL = SavedPool(
    service=ServiceKey("tcp", "fd77::20", 5432),
    drains={RealServerKey("fd77::11", 5432): 12345.678901234, RealServerKey("fd77::12", 80): 0.0},
    addresses={"node1": "fd77::11", "a node": "fd77::12"},
    names={"fd77::11": "node1", "fd77::12": "a node"},
)
NOTED = FULL._replace(
    notes=("lvsdr-weight of node9 has no effect now", "another one"), enough_since=7.5
)


@pytest.mark.parametrize("memory", [SavedPool(), FULL, NOTED, SavedPool(service=FULL.service)])
def test_a_saved_pool_is_loaded_again(memory: SavedPool, tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text(render_saved_pool(memory))
    assert load_saved_pool(str(path)) == memory


def test_the_format_of_earlier_versions_is_read(tmp_path: Path) -> None:
    lines = [
        *(f"boot {read_boot_id()}", "service tcp fd77::20 5432"),
        *("drain fd77::11 5432 12345.678901234", "drain fd77::12 80 0.0"),
        *("address fd77::11 node1", "address fd77::12 a node"),
        *("name fd77::11 node1", "name fd77::12 a node", ""),
    ]
    (tmp_path / "state").write_text("\n".join(lines))
    assert load_saved_pool(str(tmp_path / "state")) == FULL


def test_a_missing_file_is_an_empty_pool(tmp_path: Path) -> None:
    assert load_saved_pool(str(tmp_path / "state")) == SavedPool()


def test_a_pool_of_another_boot_is_ignored(tmp_path: Path) -> None:
    """A state of an earlier boot is ignored.

    The monotonic clock has begun again, and the table is empty.
    """
    path = tmp_path / "state"
    path.write_text(render_saved_pool(FULL))
    first, rest = path.read_text().split("\n", 1)
    path.write_text(f"{first[:-1]}{'0' if first[-1] != '0' else '1'}\n{rest}")
    assert load_saved_pool(str(path)) == SavedPool()


@pytest.mark.parametrize(
    "line",
    [
        *("nonsense", "service", "service tcp", "service tcp 10.9.0.20 x", "service a b 1 2"),
        *("drain 10.77.0.1 80", "drain 10.77.0.1 x 1.0", "drain 10.77.0.1 80 soon"),
        *("address 10.77.0.1", "name 10.77.0.1", "", "\x00", "drain"),
    ],
)
def test_a_malformed_line_empties_the_pool(line: str, tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text(render_saved_pool(FULL))
    path.write_text(f"{path.read_text()}{line}\n")
    assert load_saved_pool(str(path)) == SavedPool()


def test_a_truncated_file_does_no_harm(tmp_path: Path) -> None:
    """A file truncated at any length is read without an error.

    It is replaced as a whole, so a truncation is not expected, but must do no harm.
    """
    path = tmp_path / "state"
    path.write_text(render_saved_pool(FULL))
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert isinstance(load_saved_pool(str(path)), SavedPool)


def test_a_binary_file_is_an_empty_pool(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"\x80\xff\x00" * 1000)
    assert load_saved_pool(str(path)) == SavedPool()


def test_a_directory_is_an_empty_pool(tmp_path: Path) -> None:
    assert load_saved_pool(str(tmp_path)) == SavedPool()


WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
SAVED_POOLS = st.builds(
    SavedPool,
    st.none() | st.builds(ServiceKey, st.sampled_from(["tcp", "udp"]), WORDS, st.integers(1, 99)),
    st.dictionaries(st.builds(RealServerKey, WORDS, st.integers(1, 99)), st.floats(0, 1e9)),
    st.dictionaries(WORDS, WORDS),
    st.dictionaries(WORDS, WORDS),
    st.lists(WORDS, max_size=2).map(tuple),
    st.none() | st.floats(0, 1e9),
)


@settings(max_examples=50, derandomize=True, database=None, deadline=None)
@given(SAVED_POOLS)
def test_every_saved_pool_is_loaded_unchanged(
    tmp_path_factory: pytest.TempPathFactory, pool: SavedPool
) -> None:
    path = tmp_path_factory.getbasetemp() / "saved-pool"
    path.write_text(render_saved_pool(pool))
    assert load_saved_pool(str(path)) == pool
