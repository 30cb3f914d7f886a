"""The typed configuration of the daemon: an error reports all problems at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from .. import leader
from ..leader.gate import LeaderPolicy
from ..leader.settings import StoreSettings
from ..values.light_typing import NamedTuple
from .address_machine import TakeoverRules
from .option_sources import OptionSource, OptionText, UnusableOptions
from .options import OPTIONS
from .store_options import SHORTEST_INTERVAL, find_store_warnings, read_store_settings
from .wanted_addresses import WantedAddress, read_wanted_addresses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Configuration(NamedTuple):
    """The values of all options; times are in seconds."""

    addresses: tuple[WantedAddress, ...]
    store: str
    settings: StoreSettings
    policy: LeaderPolicy
    interval: float
    takeover_rules: TakeoverRules
    check_interval: float
    keep_on_exit: bool
    log_level: str
    log_format: str
    metrics_listen: tuple[str, int] | None
    metrics_textfile: str | None
    run_directory: str
    warnings: tuple[str, ...] = ()
    """Sentences on options with no effect, or with an unexpected one."""

    @property
    def store_query(self) -> tuple[object, ...]:
        """Return the settings that the answers of the store depend on."""
        return self.store, self.settings, self.policy, self.interval


def read_configuration(source: OptionSource, node: str) -> Configuration:
    """Return the configuration; ``node`` is this host's name.  Raise UnusableOptions."""
    problems = list(source.problems)
    values = dict(_parse_values(source.texts, problems))
    addresses = tuple(read_wanted_addresses(values, source.texts, problems))
    settings = read_store_settings(values, source.texts, node, problems)
    if problems or settings is None:
        raise UnusableOptions(problems)
    silence = leader.find_max_silence(values["dcs-type"])
    policy = LeaderPolicy(
        values["dcs-grace"], values["on-dcs-unreachable"], values["settle"], silence
    )
    return Configuration(
        addresses=addresses,
        store=values["dcs-type"],
        settings=settings,
        policy=policy,
        interval=max(values["interval"], SHORTEST_INTERVAL),
        takeover_rules=TakeoverRules(
            values["takeover-timeout"], values["retry-timeout"], values["force-takeover"]
        ),
        check_interval=values["keepalive-period"],
        keep_on_exit=values["keep-on-exit"],
        log_level="DEBUG" if values["verbose"] else values["loglevel"],
        log_format=values["log-format"],
        metrics_listen=values["metrics-listen"],
        metrics_textfile=values["metrics-textfile"],
        run_directory=values["run-dir"],
        warnings=(*source.warnings, *find_store_warnings(values, source.texts, policy)),
    )


def _parse_values(
    texts: Mapping[str, OptionText], problems: list[str]
) -> Iterator[tuple[str, Any]]:
    """Yield each option's value; None if its text is invalid or it has no default."""
    for option in OPTIONS:
        value, option_text = None, texts.get(option.name)
        try:
            if option_text is not None:
                value = option.parse(option_text.text)
            elif option.default is not None:
                value = option.parse(option.default)
        except ValueError as error:
            invalid = texts[option.name]
            problems.append(f"{invalid.source if option.discreet else invalid.assignment}: {error}")
        yield option.name, value


def read_node_name() -> str:
    """Return this host's name as uname(2) reports it, the usual name of a Patroni member."""
    return os.uname().nodename
