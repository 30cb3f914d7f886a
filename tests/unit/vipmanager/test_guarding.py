"""The conditions for a defence of an address against other hosts that claim it."""

from __future__ import annotations

from lvsdr.address.interfaces import Interface, Place
from lvsdr.vipmanager.guarding import Defence, Guard

UP = Interface("eth0", 2, (), True, True, "02:00:00:00:00:0a", "ether", ())
PLACE = Place("10.9.0.20", 24, "eth0")
MAC = "02:00:00:00:00:99"


def test_it_is_defended_once_in_ten_seconds() -> None:
    defence = Defence()
    guard = defence.guard(PLACE, UP)
    assert defence.begin(1.0) == ""
    defence.claimed(guard, MAC)
    assert defence.begin(1.0) == MAC
    assert defence.over()
    assert not defence.over()
    assert defence.due is None
    defence.claimed(guard, MAC)
    assert defence.due == 11.0
    assert defence.begin(10.9) == ""
    assert defence.begin(11.0) == MAC


def test_the_claims_of_an_earlier_guard_do_not_count() -> None:
    defence = Defence()
    earlier = defence.guard(PLACE, UP)
    defence.end()
    defence.claimed(earlier, MAC)
    defence.guard(PLACE, UP)
    defence.claimed(Guard(PLACE, UP), MAC)
    assert defence.due is None
    assert earlier.bell.stopped()


def test_a_guard_is_for_one_interface_and_its_mac() -> None:
    defence = Defence()
    assert not defence.guards(PLACE, UP)
    defence.guard(PLACE, UP)
    assert defence.guards(PLACE, UP._replace(carrier=False))
    assert not defence.guards(PLACE, UP._replace(mac=MAC))
    assert not defence.guards(PLACE, UP._replace(number=3))
    assert not defence.guards(PLACE._replace(address="10.9.0.21"), UP)
