"""The typed configuration of the daemon; an error reports all problems at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from .. import leader
from ..address.prefixes import Netmask, host_flaw
from ..leader.gate import LeaderPolicy
from ..leader.settings import GivenSettings, StoreSettings, UnusableSettings
from ..values.light_typing import NamedTuple
from .address_machine import Rules
from .option_sources import Said, Source, Unusable
from .options import NEVER_EMPTY, OPTIONS, variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Name of the setting in the store's module -> name of the option.
_OF_THE_STORE = {
    "endpoints": "dcs-endpoints",
    "key": "trigger-key",
    "value": "trigger-value",
    "ca_file": "etcd-ca-file",
    "cert_file": "etcd-cert-file",
    "key_file": "etcd-key-file",
    "user": "etcd-user",
    "password": "etcd-password",
    "token": "consul-token",
}
SHORTEST_INTERVAL = 0.1
_FILES = ("ca_file", "cert_file", "key_file")


class Wanted(NamedTuple):
    """An address, its prefix length and its interface."""

    address: str
    prefix: int
    interface: str

    def __str__(self) -> str:
        return f"{self.address}/{self.prefix}"


class Configuration(NamedTuple):
    """The values of all options; times are in seconds."""

    wanted: tuple[Wanted, ...]
    store: str
    settings: StoreSettings
    policy: LeaderPolicy
    interval: float
    rules: Rules
    keepalive: float
    keep_on_exit: bool
    level: str
    log_format: str
    metrics_listen: tuple[str, int] | None
    metrics_textfile: str | None
    run_directory: str
    warnings: tuple[str, ...] = ()
    """Sentences on options with no effect, or with an unexpected one."""

    @property
    def question(self) -> tuple[object, ...]:
        """Return the settings that the answers of the store depend on."""
        return self.store, self.settings, self.policy, self.interval


def configured(source: Source, node: str) -> Configuration:
    """Return the configuration; ``node`` is this host's name.  Raise Unusable with all problems."""
    problems = list(source.problems)
    values = dict(_values(source.said, problems))
    wanted = tuple(_wanted(values, source.said, problems))
    settings = _settings(values, source.said, node, problems)
    if problems or settings is None:
        raise Unusable(problems)
    periods = values["dcs-grace"], values["on-dcs-unreachable"], values["settle"]
    policy = LeaderPolicy(*periods, leader.max_silence(values["dcs-type"]))
    return Configuration(
        wanted=wanted,
        store=values["dcs-type"],
        settings=settings,
        policy=policy,
        interval=max(values["interval"], SHORTEST_INTERVAL),
        rules=Rules(values["takeover-timeout"], values["retry-timeout"], values["force-takeover"]),
        keepalive=values["keepalive-period"],
        keep_on_exit=values["keep-on-exit"],
        level="DEBUG" if values["verbose"] else values["loglevel"],
        log_format=values["log-format"],
        metrics_listen=values["metrics-listen"],
        metrics_textfile=values["metrics-textfile"],
        run_directory=values["run-dir"],
        warnings=(*source.warnings, *_warnings(values, source.said, policy)),
    )


def _values(said: Mapping[str, Said], problems: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield each option's value; None if its text is invalid or it has no default."""
    for option in OPTIONS:
        value, found = None, said.get(option.name)
        try:
            if found is not None:
                value = option.parse(found.text)
            elif option.default is not None:
                value = option.parse(option.default)
        except ValueError as error:
            source, text = said[option.name].source, said[option.name].text
            problems.append(f"{source if option.discreet else f'{source}={text}'}: {error}")
        yield option.name, value


def _wanted(
    values: Mapping[str, Any], said: Mapping[str, Said], problems: list[str]
) -> Iterator[Wanted]:
    """Yield one entry for each address; interfaces and prefixes are common or one for each."""
    missing = [name for name in ("ip", "netmask", "interface") if name not in said]
    problems.extend(f"{variable(name)} must be set" for name in missing)
    addresses: tuple[str, ...] = values["ip"] or ()
    prefixes = _spread("netmask", values, said, problems)
    interfaces = _spread("interface", values, said, problems)
    for address, prefix, interface in zip(addresses, prefixes, interfaces):
        yield Wanted(address, prefix, interface)
    problems.extend(_unsuitable(addresses, values["netmask"] or (), said))
    if len(set(addresses)) < len(addresses):
        problems.append(f"{_shown(said['ip'])}: names an address twice")


def _unsuitable(
    addresses: tuple[str, ...], prefixes: tuple[int, ...], said: Mapping[str, Said]
) -> Iterator[str]:
    """Yield the problems of the prefixes for these addresses."""
    if len({":" in address for address in addresses}) > 1 and len(prefixes) == 1:
        example = ",".join("64" if ":" in address else "24" for address in addresses)
        yield (
            f"{_shown(said['netmask'])}: cannot be for IPv4 and IPv6 addresses alike; "
            f"set one for each, such as {example}"
        )
        return
    each = prefixes * len(addresses) if len(prefixes) == 1 else prefixes
    for address, prefix in zip(addresses, each):
        source, most = said["netmask"].source, 128 if ":" in address else 32
        if prefix > most:
            yield f"{source}={prefix}: must be from 1 to {most} for {address}"
        elif host_flaw(address, prefix):
            flaw = host_flaw(address, prefix)
            yield f"{said['ip'].source}={address}: {flaw}, which no host can have"
        if most == 128 and isinstance(prefix, Netmask):
            yield f"{_shown(said['netmask'])}: {address} is IPv6 and needs a prefix length"


def _spread(
    name: str, values: Mapping[str, Any], said: Mapping[str, Said], problems: list[str]
) -> tuple[Any, ...]:
    """Return a value for each address."""
    number = len(values["ip"] or ())
    found: tuple[Any, ...] = values[name] or ()
    if len(found) == 1:
        return found * number
    if found and number and len(found) != number:
        problems.append(
            f"{_shown(said[name])}: must be one for all addresses, or one for each of the {number}"
        )
    return found


def _settings(
    values: Mapping[str, Any], said: Mapping[str, Said], node: str, problems: list[str]
) -> StoreSettings | None:
    if values["dcs-type"] is None:
        return None
    given = GivenSettings(**{field: values[option] for field, option in _OF_THE_STORE.items()})
    given = given._replace(**dict.fromkeys(_without_effect(values["dcs-type"], given)))
    problems.extend(_empty(said))
    problems.extend(_unreadable(given, said))
    try:
        return leader.build_settings(values["dcs-type"], node, given)
    except UnusableSettings as error:
        for field, sentence in error.field_problems:
            option = _OF_THE_STORE[field]
            if option not in said or said[option].text:
                source = said[option].source if option in said else variable(option)
                problems.append(f"{source}: {sentence}")
        return None


def _without_effect(store: str, given: GivenSettings) -> Mapping[str, str]:
    """Return the fields that this store does not use, with the reasons.

    The sample file of Cybertec's vip-manager has a Consul token beside etcd.  Its etcd client
    ignores a user without a password.
    """
    found = dict.fromkeys(leader.list_unused(store, given), f"is not used with {store}")
    if "user" not in found and given.user and not given.password:
        found["user"] = "is not used without a password"
    if given.ca_file and not leader.uses_tls(given.endpoints):
        plain = (field for field in _FILES if getattr(given, field) is not None)
        found.update(dict.fromkeys(plain, "is not used: no endpoint is https://"))
    return found


def _warnings(
    values: Mapping[str, Any], said: Mapping[str, Said], policy: LeaderPolicy
) -> Iterator[str]:
    """Yield the options that are ignored or changed, with the reasons."""
    given = GivenSettings(**{field: values[option] for field, option in _OF_THE_STORE.items()})
    for field, why in _without_effect(values["dcs-type"], given).items():
        yield f"{said[_OF_THE_STORE[field]].source} {why}"
    for field in _FILES:
        found = said.get(_OF_THE_STORE[field])
        if found is not None and not found.text.startswith("/"):
            yield f"{_shown(found)}: is relative, and stands for {getattr(given, field)}"
    if any("://" not in word for word in (given.endpoints or "").replace(",", " ").split()):
        yield f"{said['dcs-endpoints'].source}: an endpoint has no http:// or https://"
    if values["interval"] < SHORTEST_INTERVAL:
        yield f"{_shown(said['interval'])}: the store is asked every 100 ms at most"
    if "dcs-grace" in said and policy.patience < policy.grace:
        yield (
            f"{_shown(said['dcs-grace'])}: {values['dcs-type']} gives no lease, so the address "
            f"stays {policy.patience:g} s while it is silent"
        )


def _empty(said: Mapping[str, Said]) -> Iterator[str]:
    for name in NEVER_EMPTY:
        if name in said and not said[name].text:
            yield f"{said[name].source} must not be empty"


def _unreadable(given: GivenSettings, said: Mapping[str, Said]) -> Iterator[str]:
    """Yield unreadable files now, instead of a failure in each query of the store."""
    for field in _FILES:
        if (path := getattr(given, field)) is not None:
            try:
                with open(path, "rb"):
                    continue
            except OSError as error:
                yield f"{_shown(said[_OF_THE_STORE[field]])}: cannot be read: {error.strerror}"


def _shown(said: Said) -> str:
    return f"{said.source}={said.text}"


def node_name() -> str:
    """Return this host's name as uname(2) reports it, the usual name of a Patroni member."""
    return os.uname().nodename
