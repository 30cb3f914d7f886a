"""Settings of an interface that defeat the hiding of the virtual IP."""

from __future__ import annotations

import pytest
from lvsdr.agents.realsvr.arp_sysctls import AS_GOOD, find_conflicts, list_wanted_sysctls


def found(**values: str) -> list[str]:
    """Return the conflicts for these values of arp_ignore by interface."""
    return list(find_conflicts(lambda setting: values if setting == "arp_ignore" else {}))


def test_four_settings_hide_an_ipv4_address() -> None:
    assert list_wanted_sysctls("10.9.0.20") == {
        "net/ipv4/conf/all/arp_ignore": "1",
        "net/ipv4/conf/lo/arp_ignore": "1",
        "net/ipv4/conf/all/arp_announce": "2",
        "net/ipv4/conf/lo/arp_announce": "2",
    }
    assert all(value in AS_GOOD[name] for name, value in list_wanted_sysctls("10.9.0.20").items())
    assert list_wanted_sysctls("fd77::100") == {}


@pytest.mark.parametrize("own", ["-1", "0", "1", "2", "8"])
def test_a_setting_that_hides_the_address_is_no_conflict(own: str) -> None:
    assert found(all="0", eth0=own, lo="4") == []


@pytest.mark.parametrize("own", ["3", "4", "7", "9", "10"])
def test_a_setting_that_shows_the_address_is_a_conflict(own: str) -> None:
    assert found(all="1", eth0=own) == [
        f"net/ipv4/conf/eth0/arp_ignore={own} defeats 1 of all: "
        "this node may answer ARP for the virtual IP"
    ]


def test_the_value_of_all_counts_as_it_will_be_set() -> None:
    """The value of ``all`` counts as it will be set.

    4 becomes 1, while 8 stays and is larger than 4.
    """
    assert found(all="4", eth0="0") == []
    assert found(all="8", eth0="4") == []
    assert len(found(all="2", eth0="4", default="5")) == 2
    assert len(found(all="8", eth0="9")) == 1


@pytest.mark.parametrize(("own", "count"), [("0", 0), ("1", 0), ("2", 0), ("3", 1)])
def test_conflicts_of_announcements_are_reported(own: str, count: int) -> None:
    values = {"all": "0", "eth0": own}
    sentences = list(find_conflicts(lambda setting: values if setting == "arp_announce" else {}))
    assert len(sentences) == count
    assert all("arp_announce=3 defeats 2 of all: its ARP" in sentence for sentence in sentences)
