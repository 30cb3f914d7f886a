"""The conditions for a defence of an address against other hosts that claim it."""

from __future__ import annotations

from lvsdr.address.interfaces import Interface, Place
from lvsdr.vipmanager.address_defence import AddressDefence, AddressGuard

UP = Interface("eth0", 2, (), True, True, "02:00:00:00:00:0a", "ether", ())
PLACE = Place("10.9.0.20", 24, "eth0")
MAC = "02:00:00:00:00:99"


def test_an_address_is_defended_once_in_ten_seconds() -> None:
    defence = AddressDefence()
    guard = defence.start_guard(PLACE, UP)
    assert defence.begin(1.0) == ""
    defence.record_claim(guard, MAC)
    assert defence.begin(1.0) == MAC
    assert defence.finish()
    assert not defence.finish()
    assert defence.due is None
    defence.record_claim(guard, MAC)
    assert defence.due == 11.0
    assert defence.begin(10.9) == ""
    assert defence.begin(11.0) == MAC


def test_claims_from_an_earlier_guard_are_ignored() -> None:
    defence = AddressDefence()
    earlier = defence.start_guard(PLACE, UP)
    defence.end()
    defence.record_claim(earlier, MAC)
    defence.start_guard(PLACE, UP)
    defence.record_claim(AddressGuard(PLACE, UP), MAC)
    assert defence.due is None
    assert earlier.bell.is_stopped()


def test_a_guard_covers_one_interface_and_its_mac() -> None:
    defence = AddressDefence()
    assert not defence.has_guard(PLACE, UP)
    defence.start_guard(PLACE, UP)
    assert defence.has_guard(PLACE, UP._replace(carrier=False))
    assert not defence.has_guard(PLACE, UP._replace(mac=MAC))
    assert not defence.has_guard(PLACE, UP._replace(number=3))
    assert not defence.has_guard(PLACE._replace(address="10.9.0.21"), UP)
