"""The wanted addresses: each with its prefix length and its interface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..address.prefixes import Netmask, find_host_flaw
from ..values.light_typing import NamedTuple
from .option_sources import OptionText
from .options import format_variable_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class WantedAddress(NamedTuple):
    """An address, its prefix length and its interface."""

    address: str
    prefix: int
    interface: str

    def __str__(self) -> str:
        return f"{self.address}/{self.prefix}"


def read_wanted_addresses(
    values: Mapping[str, Any], texts: Mapping[str, OptionText], problems: list[str]
) -> Iterator[WantedAddress]:
    """Yield one entry for each address; interfaces and prefixes are common or one for each."""
    missing = [name for name in ("ip", "netmask", "interface") if name not in texts]
    problems.extend(f"{format_variable_name(name)} must be set" for name in missing)
    addresses: tuple[str, ...] = values["ip"] or ()
    prefixes = _spread_over_addresses("netmask", values, texts, problems)
    interfaces = _spread_over_addresses("interface", values, texts, problems)
    for address, prefix, interface in zip(addresses, prefixes, interfaces):
        yield WantedAddress(address, prefix, interface)
    problems.extend(_find_prefix_problems(addresses, values["netmask"] or (), texts))
    if len(set(addresses)) < len(addresses):
        problems.append(f"{texts['ip'].assignment}: contains an address twice")


def _find_prefix_problems(
    addresses: tuple[str, ...], prefixes: tuple[int, ...], texts: Mapping[str, OptionText]
) -> Iterator[str]:
    """Yield the problems of the prefixes for these addresses."""
    if len({":" in address for address in addresses}) > 1 and len(prefixes) == 1:
        example = ",".join("64" if ":" in address else "24" for address in addresses)
        yield (
            f"{texts['netmask'].assignment}: cannot be for IPv4 and IPv6 addresses alike; "
            f"set one for each, such as {example}"
        )
        return
    each = prefixes * len(addresses) if len(prefixes) == 1 else prefixes
    for address, prefix in zip(addresses, each):
        source, longest = texts["netmask"].source, 128 if ":" in address else 32
        if prefix > longest:
            yield f"{source}={prefix}: must be from 1 to {longest} for {address}"
        elif find_host_flaw(address, prefix):
            flaw = find_host_flaw(address, prefix)
            yield f"{texts['ip'].source}={address}: {flaw}, which no host can have"
        if longest == 128 and isinstance(prefix, Netmask):
            yield f"{texts['netmask'].assignment}: {address} is IPv6 and needs a prefix length"


def _spread_over_addresses(
    name: str, values: Mapping[str, Any], texts: Mapping[str, OptionText], problems: list[str]
) -> tuple[Any, ...]:
    """Return the option's value for each address."""
    number = len(values["ip"] or ())
    option_values: tuple[Any, ...] = values[name] or ()
    if len(option_values) == 1:
        return option_values * number
    if option_values and number and len(option_values) != number:
        legal = f"must be one for all addresses, or one for each of the {number}"
        problems.append(f"{texts[name].assignment}: {legal}")
    return option_values
