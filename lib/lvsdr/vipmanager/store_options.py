"""The options of the store, and their problems and warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .. import leader
from ..leader.gate import LeaderPolicy
from ..leader.settings import GivenSettings, StoreSettings, UnusableSettings
from .option_names import NEVER_EMPTY
from .option_sources import OptionText
from .options import format_variable_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Name of the setting in the store's module -> name of the option.
_OPTION_OF_SETTING = {
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
SHORTEST_INTERVAL = 0.1  # seconds
_FILE_SETTINGS = ("ca_file", "cert_file", "key_file")


def read_store_settings(
    values: Mapping[str, Any], texts: Mapping[str, OptionText], node: str, problems: list[str]
) -> StoreSettings | None:
    """Return the settings of the store; None with an addition to ``problems``."""
    if values["dcs-type"] is None:
        return None
    given_settings = _read_values(values)
    given_settings = given_settings._replace(
        **dict.fromkeys(_explain_unused(values["dcs-type"], given_settings))
    )
    problems.extend(_find_empty_options(texts))
    problems.extend(_find_unreadable_files(given_settings, texts))
    try:
        return leader.build_settings(values["dcs-type"], node, given_settings)
    except UnusableSettings as error:
        for setting, sentence in error.field_problems:
            option = _OPTION_OF_SETTING[setting]
            if option not in texts or texts[option].text:
                source = texts[option].source if option in texts else format_variable_name(option)
                problems.append(f"{source}: {sentence}")
        return None


def find_store_warnings(
    values: Mapping[str, Any], texts: Mapping[str, OptionText], policy: LeaderPolicy
) -> Iterator[str]:
    """Yield the store's options that are ignored or changed, with the reasons."""
    given_settings = _read_values(values)
    for setting, reason in _explain_unused(values["dcs-type"], given_settings).items():
        yield f"{texts[_OPTION_OF_SETTING[setting]].source} {reason}"
    for setting in _FILE_SETTINGS:
        option = texts.get(_OPTION_OF_SETTING[setting])
        if option is not None and not option.text.startswith("/"):
            path = getattr(given_settings, setting)
            yield f"{option.assignment}: is relative, and stands for {path}"
    if any("://" not in url for url in (given_settings.endpoints or "").replace(",", " ").split()):
        yield f"{texts['dcs-endpoints'].source}: an endpoint has no http:// or https://"
    if values["interval"] < SHORTEST_INTERVAL:
        yield f"{texts['interval'].assignment}: the store is queried every 100 ms at most"
    if "dcs-grace" in texts and policy.patience < policy.grace:
        yield (
            f"{texts['dcs-grace'].assignment}: {values['dcs-type']} gives no lease, so the address "
            f"stays {policy.patience:g} s without its answer"
        )


def _read_values(values: Mapping[str, Any]) -> GivenSettings:
    return GivenSettings(
        **{setting: values[option] for setting, option in _OPTION_OF_SETTING.items()}
    )


def _explain_unused(store: str, given_settings: GivenSettings) -> Mapping[str, str]:
    """Return the settings that this store does not use, with the reasons.

    The sample file of Cybertec's vip-manager has a Consul token beside etcd.  Its etcd client
    ignores a user without a password.
    """
    reasons = dict.fromkeys(leader.list_unused(store, given_settings), f"is not used with {store}")
    if "user" not in reasons and given_settings.user and not given_settings.password:
        reasons["user"] = "is not used without a password"
    if given_settings.ca_file and not leader.uses_tls(given_settings.endpoints):
        files = (
            setting for setting in _FILE_SETTINGS if getattr(given_settings, setting) is not None
        )
        reasons.update(dict.fromkeys(files, "is not used: no endpoint is https://"))
    return reasons


def _find_empty_options(texts: Mapping[str, OptionText]) -> Iterator[str]:
    for name in NEVER_EMPTY:
        if name in texts and not texts[name].text:
            yield f"{texts[name].source} must not be empty"


def _find_unreadable_files(
    given_settings: GivenSettings, texts: Mapping[str, OptionText]
) -> Iterator[str]:
    """Yield unreadable files now, instead of a failure in each query of the store."""
    for setting in _FILE_SETTINGS:
        path = getattr(given_settings, setting)
        if path is not None:
            try:
                with open(path, "rb"):
                    continue
            except OSError as error:
                option = texts[_OPTION_OF_SETTING[setting]]
                yield f"{option.assignment}: cannot be read: {error.strerror}"
