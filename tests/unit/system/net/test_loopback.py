"""A virtual address on lo; here a list stands for lo."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from lvsdr.address.interfaces import InterfaceAddress
from lvsdr.errors import LvsdrError, NotInstalled
from lvsdr.system.net import loopback
from lvsdr.system.net.loopback import LoopbackEntries
from lvsdr.values.deadline import Deadline

VIP, VIP6 = "10.9.0.20", "fd77::100"
OURS = InterfaceAddress(VIP, 32, "lo:0")
HOME = (InterfaceAddress("127.0.0.1", 8, "lo"), InterfaceAddress("::1", 128))
SIMILAR = (InterfaceAddress("10.9.0.200", 32, "lo:0"), InterfaceAddress("110.9.0.20", 32, "lo:0"))
NOW = Deadline.after(60)
ADD = re.compile(r"address add (\S+)/(\d+) dev lo (?:label (\S+) scope host|nodad preferred_lft 0)")
DEL = re.compile(r"address del (\S+)/(\d+) dev lo")


class FakeLo:
    """A kernel with an ip(8) that understands this agent's lines."""

    def __init__(self, *there: InterfaceAddress) -> None:
        self.addresses = [*HOME, *SIMILAR, *there]
        self.problem: LvsdrError | None = None

    def read(self, *_: object) -> tuple[InterfaceAddress, ...]:
        return tuple(self.addresses)

    def change(self, lines: Sequence[str], _: Deadline) -> None:
        if self.problem:
            raise self.problem
        for line in lines:
            added, removed = ADD.fullmatch(line), DEL.fullmatch(line)
            if added:
                self._add(InterfaceAddress(added[1], int(added[2]), added[3] or ""))
            elif removed:
                self._remove(removed[1], int(removed[2]))
            else:
                raise LvsdrError(f"ip: what is {line}?")

    def _add(self, new: InterfaceAddress) -> None:
        if loopback.find_entries(new.address, NOW, self.read).own_entry:
            raise LvsdrError("ip: RTNETLINK answers: File exists")
        self.addresses.append(new)

    def _remove(self, address: str, prefix: int) -> None:
        found = [a for a in self.addresses if a[:2] == (address, prefix)]
        if not found:
            raise LvsdrError("ip: RTNETLINK answers: Cannot assign requested address")
        self.addresses.remove(found[0])

    def put(self, vip: str, label: str = "lo:0") -> None:
        loopback.add_address(vip, label, NOW, read=self.read, change=self.change)

    def take_away(self, vip: str) -> None:
        loopback.remove_address(vip, NOW, read=self.read, change=self.change)


def test_nothing_similar_is_it() -> None:
    wide = InterfaceAddress(VIP, 24, "lo")
    assert loopback.find_entries(VIP, NOW, FakeLo().read) == LoopbackEntries(None, ())
    assert loopback.find_entries(VIP6, NOW, FakeLo().read) == LoopbackEntries(None, ())
    assert loopback.find_entries(VIP, NOW, FakeLo(wide).read) == LoopbackEntries(None, (wide,))
    assert loopback.find_entries(VIP, NOW, FakeLo(wide, OURS).read) == LoopbackEntries(
        OURS, (wide,)
    )


@pytest.mark.parametrize(
    ("vip", "label", "new"),
    [
        (VIP, "lo:7", InterfaceAddress(VIP, 32, "lo:7")),
        (VIP6, "lo:7", InterfaceAddress(VIP6, 128)),
    ],
)
def test_there_and_away(vip: str, label: str, new: InterfaceAddress) -> None:
    lo = FakeLo()
    before = lo.read()
    lo.put(vip, label)
    assert lo.read() == (*before, new)
    lo.take_away(vip)
    assert lo.read() == before


def test_an_address_added_meanwhile_is_there() -> None:
    lo = FakeLo(OURS)
    lo.put(VIP)
    assert lo.read()[-1] == OURS


def test_an_address_removed_meanwhile_is_gone() -> None:
    FakeLo().take_away(VIP)


def test_an_impossible_change_is_reported_in_the_words_of_ip() -> None:
    lo = FakeLo()
    lo.problem = LvsdrError("ip: Error: No buffer space.")
    with pytest.raises(LvsdrError) as raised:
        lo.put(VIP)
    assert str(raised.value) == f"{VIP} cannot be put on lo: ip: Error: No buffer space."
    lo.addresses.append(OURS)
    with pytest.raises(LvsdrError) as raised:
        lo.take_away(VIP)
    assert str(raised.value) == f"{VIP} cannot be removed from lo: ip: Error: No buffer space."


def test_success_without_effect_is_none() -> None:
    with pytest.raises(LvsdrError, match="cannot be put on lo: ip reported no error"):
        loopback.add_address(VIP, "lo", NOW, read=FakeLo().read, change=lambda *_: None)


def test_without_ip() -> None:
    lo = FakeLo()
    lo.problem = NotInstalled("ip cannot be executed")
    with pytest.raises(NotInstalled):
        lo.put(VIP)


def test_a_lo_that_is_up_already_is_no_problem() -> None:
    assert loopback.is_up() in (True, False)
    if loopback.is_up():
        loopback.bring_up(NOW, change=lambda *_: None)


def test_this_machine() -> None:
    found = loopback.find_entries("127.0.0.1", Deadline.after(60))
    assert (found.own_entry, len(found.other_entries)) == (None, 1)
