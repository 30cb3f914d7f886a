"""The addresses of this host, without a program: also on a node where no program can start.

Beside netlink(7), the kernel lists them in SIOCGIFCONF of netdevice(7), for IPv4, and in
/proc/net/if_inet6.  Both have less than ``ip -json`` shows: no prefix of IPv4, no lifetimes.
"""

from __future__ import annotations

# Not socket: it wraps every constant in an enumeration, a tenth of the cost of a monitor.
import _socket as socket
from array import array
from collections.abc import Iterator
from fcntl import ioctl
from struct import calcsize, pack, unpack_from

from ...errors import LvsdrError
from ...values.light_typing import NamedTuple

_SIOCGIFCONF = 0x8912  # linux/sockios.h
_IFCONF = "iP"  # struct ifconf: a length, and the address of a buffer
_NAME = 16  # struct ifreq: a name, then a union; struct sockaddr_in has the address at 4
_IFREQ = _NAME + calcsize("LLHBBB0L")  # the union is as long as struct ifmap
_UNUSABLE = 0x40 | 0x08  # IFA_F_TENTATIVE, IFA_F_DADFAILED (linux/if_addr.h)
_MAPPED = "::ffff:"
_EVERY = ("0.0.0.0", "::")  # a connection to either goes to this host (Linux)


class OwnAddress(NamedTuple):
    """An address in the form of inet_ntop(3), and its interface."""

    device: str
    address: str
    usable: bool = True
    """False during duplicate address detection, and after it found another host."""


def find_own_addresses(host: str) -> list[str]:
    """Return those addresses of a name, or an address, that belong to this host.

    The addresses of the interfaces decide.  Binding a socket proves nothing: with
    net.ipv4.ip_nonlocal_bind=1 every address can be bound.  Raises LvsdrError if the kernel does
    not list its addresses.
    """
    try:
        found = socket.getaddrinfo(host.encode(), None, 0, socket.SOCK_STREAM)
    except OSError:
        return []
    texts = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    own = {found.address for found in list_addresses() if found.usable}
    return [text for text in texts if _is_own(text, own)]


def _is_own(text: str, own: set[str]) -> bool:
    address = text[len(_MAPPED) :] if text.startswith(_MAPPED) and "." in text else text
    # The kernel treats all of 127.0.0.0/8 as its own, whatever the interfaces show.
    return address in own or address in _EVERY or address == "::1" or address.startswith("127.")


def list_addresses() -> list[OwnAddress]:
    """Return all addresses of this network namespace; raise LvsdrError."""
    try:
        return [*_list_ipv4(), *_list_ipv6()]
    except OSError as error:
        raise LvsdrError(f"the kernel does not list its addresses: {error.strerror}") from None


def _list_ipv4() -> Iterator[OwnAddress]:
    """Yield the IPv4 addresses of SIOCGIFCONF, which shows labels for names of interfaces."""
    data = _ask_for_ipv4()
    for at in range(0, len(data) - _IFREQ + 1, _IFREQ):
        label = data[at : at + _NAME].partition(b"\0")[0].decode("ascii", "replace")
        address = socket.inet_ntop(socket.AF_INET, data[at + _NAME + 4 : at + _NAME + 8])
        yield OwnAddress(label.partition(":")[0], address)


def _ask_for_ipv4() -> bytes:
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, 0)
    try:
        size = 64 * _IFREQ
        while True:
            buffer = array("B", bytes(size))
            request = pack(_IFCONF, size, buffer.buffer_info()[0])
            answer = ioctl(wire.fileno(), _SIOCGIFCONF, request)
            length = unpack_from("i", answer)[0]
            if length + _IFREQ <= size:  # the kernel fills a buffer and does not report the rest
                return buffer.tobytes()[:length]
            size *= 2
    finally:
        wire.close()


def _list_ipv6() -> Iterator[OwnAddress]:
    """Yield the IPv6 addresses of /proc/net/if_inet6 (proc_pid_net(5))."""
    try:
        with open("/proc/thread-self/net/if_inet6") as file:
            lines = file.readlines()
    except FileNotFoundError:  # a kernel without IPv6
        return
    for line in lines:
        digits, _, _, _, flags, device = line.split()
        address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits))
        yield OwnAddress(device, address, not int(flags, 16) & _UNUSABLE)


def has_address(device: str, address: str) -> bool:
    """Return whether an interface has an address, in canonical form; raise LvsdrError."""
    return any((found.device, found.address) == (device, address) for found in list_addresses())
