"""The options of a virtual service in the spelling of ipvsadm(8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..values.parsing import is_decimal, pack_address
from .table import ServiceConfig

SCHEDULERS = (
    *("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh"),
    "twos",
)
# Scheduler flags: every legal name -> the scheduler's own name, which ipvsadm shows.
_FLAGS = {
    name: {f"{name}-fallback": f"{name}-fallback", f"{name}-port": f"{name}-port"}
    | {"flag-1": f"{name}-fallback", "flag-2": f"{name}-port"}
    for name in ("sh", "mh")
}
_GENERIC_FLAGS = {flag: flag for flag in ("flag-1", "flag-2", "flag-3")}
_DEFAULT_PERSISTENCE = 360  # seconds; ipvsadm's own (its man page has 300)
_LEGAL = (
    "legal are -s|--scheduler NAME, -p|--persistent [SECONDS], -M|--netmask MASK, --pe ENGINE, "
    "-o|-O|--ops, -b|--sched-flags FLAG,..."
)


_REFUSING_AT_ZERO = ("dh",)
"""Schedulers that go on choosing a real server of weight 0, and have no flag against it.

The kernel refuses the client then (net/netfilter/ipvs/ip_vs_dh.c: ip_vs_dh_schedule).
"""


def with_fallback(config: ServiceConfig) -> ServiceConfig:
    """Add the scheduler's flag that moves clients of a real server of weight 0 to another one.

    Without it sh and mh refuse clients if their hash points at weight 0 (ip_vs_sh.c, ip_vs_mh.c).

    >>> with_fallback(ServiceConfig("sh", flags=("sh-port",))).flags
    ('sh-fallback', 'sh-port')
    """
    legal = _FLAGS.get(config.scheduler)
    if legal is None:
        return config
    return config._replace(flags=tuple(sorted({*config.flags, legal["flag-1"]})))


def refuses_at_zero(config: ServiceConfig) -> bool:
    """Test whether clients are refused while one of several real servers has weight 0."""
    return config.scheduler in _REFUSING_AT_ZERO


def parse_options(words: Sequence[str]) -> ServiceConfig:
    """Return the configuration in the options; raise ValueError with the legal options.

    Only options of a service's configuration are accepted.  A command (``-C``) or another service's
    name (``-t ...``) would make ipvsadm do something entirely different.
    """
    config = ServiceConfig()
    rest = _split_equals(words)
    while rest:
        word = rest.pop(0)
        if word not in _OPTIONS:
            raise ValueError(f"{word} is not an option of a virtual service; {_LEGAL}")
        config = _OPTIONS[word](config, word, rest)
    _require_persistence(config)
    return config._replace(flags=_canonical_flags(config))


def _split_equals(words: Sequence[str]) -> list[str]:
    """Split ``--scheduler=rr`` into two words, as popt does."""
    split: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        split += [name, value] if equals and name.startswith("--") else [word]
    return split


def _value(option: str, rest: list[str], what: str) -> str:
    if not rest or rest[0].startswith("-"):
        raise ValueError(f"{option} needs {what}")
    return rest.pop(0)


def _scheduler(config: ServiceConfig, option: str, rest: list[str]) -> ServiceConfig:
    name = _value(option, rest, "a scheduler")
    if name not in SCHEDULERS:
        raise ValueError(f"{name} is not a scheduler; legal are {' '.join(SCHEDULERS)}")
    return config._replace(scheduler=name)


def _persistent(config: ServiceConfig, _option: str, rest: list[str]) -> ServiceConfig:
    if not rest or rest[0].startswith("-"):
        return config._replace(persistence=_DEFAULT_PERSISTENCE)
    seconds = rest.pop(0)
    if not is_decimal(seconds) or not 1 <= int(seconds) <= _LONGEST_PERSISTENCE:
        raise ValueError(f"-p {seconds}: must be seconds from 1 to {_LONGEST_PERSISTENCE}")
    return config._replace(persistence=int(seconds))


_LONGEST_PERSISTENCE = 86400 * 31  # ipvsadm: MAX_TIMEOUT


def _netmask(config: ServiceConfig, option: str, rest: list[str]) -> ServiceConfig:
    mask = _value(option, rest, "a mask")
    if is_decimal(mask) and 1 <= int(mask) <= 128:
        mask = str(int(mask))
    elif not _is_ipv4_netmask(mask):
        raise ValueError(
            f"{option} {mask}: must be a mask such as 255.255.255.0, or an IPv6 prefix"
        )
    return config._replace(netmask=None if mask in ("255.255.255.255", "128") else mask)


def _is_ipv4_netmask(text: str) -> bool:
    try:
        bits = "".join(f"{octet:08b}" for octet in pack_address(text))
    except ValueError:
        return False
    return len(bits) == 32 and "1" in bits and "01" not in bits


def _engine(config: ServiceConfig, option: str, rest: list[str]) -> ServiceConfig:
    engine = _value(option, rest, "a persistence engine")
    if engine != "sip":
        raise ValueError(f"{engine} is not a persistence engine; legal is sip")
    return config._replace(engine=engine)


def _one_packet(config: ServiceConfig, _option: str, _rest: list[str]) -> ServiceConfig:
    return config._replace(one_packet=True)


def _flags(config: ServiceConfig, option: str, rest: list[str]) -> ServiceConfig:
    return config._replace(flags=tuple(_value(option, rest, "scheduler flags").split(",")))


def _require_persistence(config: ServiceConfig) -> None:
    if config.persistence is None and (config.netmask or config.engine):
        raise ValueError("-M and --pe need -p")


def _canonical_flags(config: ServiceConfig) -> tuple[str, ...]:
    legal = _FLAGS.get(config.scheduler, _GENERIC_FLAGS)
    for flag in config.flags:
        if flag not in legal:
            raise ValueError(
                f"{flag} is not a flag of scheduler {config.scheduler}; legal are {' '.join(legal)}"
            )
    return tuple(sorted({legal[flag] for flag in config.flags}))


_Reader = Callable[[ServiceConfig, str, list[str]], ServiceConfig]
_OPTIONS: dict[str, _Reader] = {
    **dict.fromkeys(("-s", "--scheduler"), _scheduler),
    **dict.fromkeys(("-p", "--persistent"), _persistent),
    **dict.fromkeys(("-M", "--netmask"), _netmask),
    **dict.fromkeys(("-o", "-O", "--ops"), _one_packet),
    **dict.fromkeys(("-b", "--sched-flags"), _flags),
    "--pe": _engine,
}
