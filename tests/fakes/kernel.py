"""IPVS in memory: takes the lines of ``ipvsadm -R`` and shows its table in both texts.

It follows the observed behaviour of ipvsadm 1.31 and a kernel of version 6.1. The cases in
tests/cases/kernel_cases.py run here and on the real ones, and keep it true. It shares no code with
the library, because it tests the library's readers and writers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Union

Address = Union[IPv4Address, IPv6Address, None]
Endpoint = tuple[Address, int]

SCHEDULERS = {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh"}
_PROTOCOLS = {"-t": "TCP", "-u": "UDP", "--sctp-service": "SCTP", "-f": "FWM"}
_FORWARDS = {"-g": "Route", "-i": "Tunnel", "-m": "Masq"}
_NUMBERS = {"TCP": 6, "UDP": 17, "SCTP": 132, "FWM": 0}
_LONGEST_TIMEOUT = 86400 * 31
_HEADING = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
"""


class LineFailedError(Exception):
    """Error after which ipvsadm continues with the next line."""


class BatchFailedError(Exception):
    """Error after which ipvsadm exits; the lines that follow are never read."""


@dataclass
class RealServer:
    forward: str
    weight: int
    born: int
    """Number that distinguishes a real server that stayed from one that was added again."""
    active: int = 0


@dataclass(frozen=True)
class Key:
    protocol: str
    address: Address
    port: int
    ipv6: bool

    def words(self) -> str:
        option = next(option for option, name in _PROTOCOLS.items() if name == self.protocol)
        if self.protocol == "FWM":
            return f"-f {self.port}" + (" -6" if self.ipv6 else "")
        return f"{option} {_dotted((self.address, self.port))}"

    def order(self) -> tuple[int, bool, int, int, int]:
        mark = self.port if self.protocol == "FWM" else 0
        return mark, self.ipv6, _NUMBERS[self.protocol], int(self.address or 0), self.port


@dataclass
class Service:
    scheduler: str = "wlc"
    timeout: int = 0
    netmask: str = ""
    engine: str = ""
    one_packet: bool = False
    flags: frozenset[int] = frozenset()
    real_servers: dict[Endpoint, RealServer] = field(default_factory=dict)

    def copy(self) -> Service:
        servers = {endpoint: replace(server) for endpoint, server in self.real_servers.items()}
        return replace(self, real_servers=servers)

    def flag_names(self) -> str:
        if self.scheduler in ("sh", "mh"):
            names = {1: f"{self.scheduler}-fallback", 2: f"{self.scheduler}-port"}
        else:
            names = {1: "flag-1", 2: "flag-2", 3: "flag-3"}
        return ",".join(name for number, name in names.items() if number in self.flags)


class FakeKernel:
    """The IPVS table of one network namespace; ``hertz`` are the kernel's ticks in a second."""

    def __init__(self, hertz: int = 100) -> None:
        self.services: dict[Key, Service] = {}
        self._hertz = hertz
        self._born = 0

    def copy(self) -> FakeKernel:
        twin = FakeKernel(self._hertz)
        twin.services = {key: service.copy() for key, service in self.services.items()}
        twin._born = self._born
        return twin

    def restore(self, text: str, lines: int | None = None) -> list[str]:
        """Return the output of ``ipvsadm -R``, which is killed after ``lines`` lines if given."""
        messages: list[str] = []
        try:
            for line in text.splitlines()[:lines]:
                messages.extend(self._complaints(line.split()))
        except BatchFailedError as error:
            messages.append(str(error))
        return messages

    def saved(self) -> str:
        """Return the output of ``ipvsadm -Sn``."""
        lines = []
        for key, service in sorted(self.services.items(), key=lambda item: item[0].order()):
            lines.append(f"-A {key.words()} {' '.join(_saved_options(service, key.ipv6))}")
            for endpoint, server in sorted(service.real_servers.items(), key=_by_number):
                forward = next(
                    option for option, name in _FORWARDS.items() if name == server.forward
                )
                words = f"-a {key.words()} -r {_dotted(endpoint)} {forward} -w {server.weight}"
                lines.append(words + (" --tun-type ipip" if forward == "-i" else ""))
        return "".join(f"{line}\n" for line in lines)

    def proc(self) -> str:
        """Return ``/proc/net/ip_vs``; the service that was added last comes first."""
        return _HEADING + "".join(self._proc_lines())

    def total_weights(self) -> dict[Key, int]:
        return {
            key: sum(server.weight for server in service.real_servers.values())
            for key, service in self.services.items()
        }

    def _proc_lines(self) -> Iterator[str]:
        for key, service in reversed(list(self.services.items())):
            persistent = ""
            if service.timeout:
                mask = _proc_mask(service.netmask, key.ipv6)
                persistent = f"persistent {service.timeout * self._hertz} {mask}"
            yield f"{_proc_service(key, service)}{persistent}\n"
            for endpoint, server in reversed(list(service.real_servers.items())):
                counters = f"{server.forward:<7} {server.weight:<6} {server.active:<10} {0:<10}"
                yield f"  -> {_hexadecimal(endpoint)}      {counters}\n"

    def _complaints(self, words: list[str]) -> Iterator[str]:
        try:
            self._apply(words)
        except LineFailedError as error:
            yield str(error)

    def _apply(self, words: list[str]) -> None:
        if not words:
            return
        if words[0].startswith("#"):
            raise BatchFailedError("Try `ipvsadm -h' or 'ipvsadm --help' for more information.")
        if words[0] == "-C":
            self.services.clear()
            return
        options = _read(words[1:])
        key = options.key()
        if words[0] in ("-A", "-E", "-D"):
            self._change_service(words[0], key, options)
        else:
            self._change_real_server(words[0], key, options)

    def _change_service(self, verb: str, key: Key, options: Options) -> None:
        if verb == "-D":
            if key not in self.services:
                raise LineFailedError("No such service")
            del self.services[key]
            return
        new = options.service(key)
        if verb == "-A" and key in self.services:
            raise LineFailedError("Service already exists")
        if verb == "-E" and key not in self.services:
            raise LineFailedError("No such service")
        if new.scheduler not in SCHEDULERS:
            raise LineFailedError("Scheduler or persistence engine not found")
        if verb == "-E":
            new.real_servers = self.services[key].real_servers
        self.services[key] = new

    def _change_real_server(self, verb: str, key: Key, options: Options) -> None:
        endpoint, new = options.real_server(key, forced=verb in ("-a", "-e"))
        if key not in self.services:
            raise LineFailedError("Service not defined")
        there = self.services[key].real_servers
        if verb == "-a" and endpoint in there:
            raise LineFailedError("Destination already exists")
        if verb != "-a" and endpoint not in there:
            raise LineFailedError("No such destination")
        if verb == "-d":
            del there[endpoint]
        elif verb == "-a":
            self._born += 1
            new.born = self._born
            there[endpoint] = new
        else:
            there[endpoint].forward, there[endpoint].weight = new.forward, new.weight


class Options:
    """The words of one line, by option; flags have an empty value."""

    def __init__(self, given: dict[str, str]) -> None:
        self._given = given

    def key(self) -> Key:
        option = next(option for option in _PROTOCOLS if option in self._given)
        protocol, text = _PROTOCOLS[option], self._given[option]
        if protocol == "FWM":
            return Key(protocol, None, int(text), "-6" in self._given)
        address, port = _endpoint(text)
        return Key(protocol, address, port, isinstance(address, IPv6Address))

    def service(self, key: Key) -> Service:
        given = self._given
        service = Service(scheduler=given.get("-s", "wlc"), engine=given.get("--pe", ""))
        if "-p" in given:
            service.timeout = _timeout(given["-p"])
            service.netmask = _netmask(given.get("-M"), key.ipv6)
        if "-o" in given:
            service.one_packet = True
            if key.protocol != "UDP":
                raise BatchFailedError("One-Packet Scheduling is only for UDP virtual services")
        if key.protocol != "FWM" and key.port == 0 and not service.timeout:
            raise BatchFailedError("Zero port specified for non-persistent service")
        service.flags = _flags(given.get("-b"), service.scheduler)
        return service

    def real_server(self, key: Key, forced: bool) -> tuple[Endpoint, RealServer]:
        """Return the endpoint and real server.

        Packets keep their port with direct routing and tunnels, so the given port does not count.
        """
        option = next((option for option in _FORWARDS if option in self._given), "-g")
        address, port = _endpoint(self._given["-r"])
        if forced and option != "-m" and key.protocol != "FWM":
            port = key.port
        if isinstance(address, IPv6Address) is not key.ipv6 and option != "-i":
            raise BatchFailedError("Different address family is allowed only for tunneling servers")
        weight = self._given.get("-w", "1")
        if not weight.isdecimal() or int(weight) >= 2**31:
            raise BatchFailedError("illegal weight specified")
        return (address, port), RealServer(_FORWARDS[option], int(weight), 0)


_SPELLINGS = {"--ops": "-o", "--scheduler": "-s", "--persistent": "-p", "--netmask": "-M"}
_WITH_VALUE = {*_PROTOCOLS, "-r", "-w", "-s", "-M", "-b", "--pe", "--tun-type"}
_WITHOUT_VALUE = {"-o", "-6", *_FORWARDS}


def _read(words: list[str]) -> Options:
    given: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        option = _SPELLINGS.get(word, word)
        if option in _WITH_VALUE:
            given[option] = rest.pop(0)
        elif option == "-p":
            given[option] = rest.pop(0) if rest and not rest[0].startswith("-") else "360"
        elif option in _WITHOUT_VALUE:
            given[option] = ""
        else:
            raise LineFailedError(f"{word}: unknown option")
    return Options(given)


def _timeout(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _LONGEST_TIMEOUT:
        raise BatchFailedError(f"invalid timeout value `{text}' specified")
    return int(text)


def _netmask(text: str | None, ipv6: bool) -> str:
    if not ipv6:
        return text or "255.255.255.255"
    if text is None:
        return "128"
    if not text.isdecimal() or not 1 <= int(text) <= 128:
        raise BatchFailedError("illegal ipv6 netmask specified")
    return str(int(text))


def _flags(text: str | None, scheduler: str) -> frozenset[int]:
    numbers = {"flag-1": 1, "flag-2": 2, "flag-3": 3}
    if scheduler in ("sh", "mh"):
        numbers |= {f"{scheduler}-fallback": 1, f"{scheduler}-port": 2}
    for name in text.split(",") if text else ():
        if name not in numbers:
            raise BatchFailedError(f"incompatible scheduler flag `{name}'")
    return frozenset(numbers[name] for name in text.split(",")) if text else frozenset()


def _saved_options(service: Service, ipv6: bool) -> Iterator[str]:
    yield f"-s {service.scheduler}"
    if service.timeout:
        yield f"-p {service.timeout}"
        if service.netmask != ("128" if ipv6 else "255.255.255.255"):
            yield f"-M {service.netmask}"
    if service.engine:
        yield f"--pe {service.engine}"
    if service.one_packet:
        yield "-o"
    if service.flags:
        yield f"-b {service.flag_names()}"


def _proc_service(key: Key, service: Service) -> str:
    ops = "ops " if service.one_packet else ""
    if key.protocol == "FWM":
        return f"FWM  {key.port:08X} {service.scheduler} {ops}"
    endpoint = _hexadecimal((key.address, key.port))
    if key.ipv6:  # the kernel does not show ops here
        return f"{key.protocol}  {endpoint} {service.scheduler} "
    return f"{key.protocol}  {endpoint} {service.scheduler} {ops} "


def _proc_mask(netmask: str, ipv6: bool) -> str:
    if ipv6:
        return int(netmask).to_bytes(4, "little").hex().upper()
    return f"{int(IPv4Address(netmask)):08X}"


def _by_number(item: tuple[Endpoint, RealServer]) -> tuple[int, int]:
    (address, port), _ = item
    return int(address or 0), port


def _endpoint(text: str) -> Endpoint:
    address, _, port = text.rpartition(":")
    return ip_address(address.strip("[]")), int(port)


def _dotted(endpoint: Endpoint) -> str:
    address, port = endpoint
    return f"[{address}]:{port}" if isinstance(address, IPv6Address) else f"{address}:{port}"


def _hexadecimal(endpoint: Endpoint) -> str:
    address, port = endpoint
    if isinstance(address, IPv6Address):
        return f"[{address.exploded}]:{port:04X}"
    return f"{int(address or 0):08X}:{port:04X}"
