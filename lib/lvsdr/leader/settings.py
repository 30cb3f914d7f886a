"""The settings of a store: as an administrator gives them, and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf

from ..errors import InvalidParameters
from ..system.net.http import Endpoint, Trust
from ..values.light_typing import NamedTuple, TypeVar
from .endpoints import parse_endpoints

T = TypeVar("T")


class Secret:
    """A text that no message, trace or representation shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class GivenSettings(NamedTuple):
    """The texts of all settings, as given; None or empty if unset."""

    endpoints: str | None = None
    key: str | None = None
    value: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    user: str | None = None
    password: str | None = None
    token: str | None = None


class Kind(NamedTuple):
    """The possible settings of a kind of store.

    ``parse_key`` and ``parse_value`` convert the given text, or None, to the used one; they raise
    ValueError with the legal values.  ``parse_value`` gets the node's name as well.
    """

    port: int | None
    """The default port of the endpoints on this host; None without endpoints."""
    parse_key: Callable[[str | None], str]
    parse_value: Callable[[str | None, str], str]
    credentials: frozenset[str] = frozenset()
    """The fields of user, password and token that the store uses."""
    silence: float = inf
    """The seconds of silence that its last answer outlives, whatever the grace: see gate.py."""


def require_key(text: str | None) -> str:
    """Return the key, which has no default."""
    if text is None:
        raise ValueError("must be set: the key that holds the leader's name")
    return text


def use_node_name(text: str | None, node: str) -> str:
    """Return the value, by default the node's name."""
    return node if text is None else text


class StoreSettings(NamedTuple):
    """The checked settings: where to send queries, with which key, value and credentials."""

    node: str
    endpoints: tuple[Endpoint, ...]
    key: str
    value: str
    """The value in the store when this node leads."""
    trust: Trust = Trust()
    user: str | None = None
    password: Secret = Secret("")
    token: Secret = Secret("")

    def redact(self, text: str) -> str:
        """Return a text without the password and the token, which a server may send back."""
        for secret in (self.password.reveal(), self.token.reveal()):
            text = text.replace(secret, "(not shown)") if secret else text
        return text


class Problem(NamedTuple):
    """A problem with a field of ``GivenSettings``."""

    field: str
    sentence: str


class UnusableSettings(InvalidParameters):
    """Unusable settings of a store; ``field_problems`` has a Problem for each flaw.

    The message names the fields; a caller with other names for them builds its own message.
    """

    def __init__(self, field_problems: list[Problem]) -> None:
        self.field_problems = tuple(field_problems)
        super().__init__(f"{problem.field}: {problem.sentence}" for problem in field_problems)


def check_settings(kind: Kind, node: str, given_settings: GivenSettings) -> StoreSettings:
    """Return the checked settings; raise UnusableSettings with all problems."""
    given_settings = GivenSettings._make(text or None for text in given_settings)
    trust = Trust(given_settings.ca_file, given_settings.cert_file, given_settings.key_file)
    problems = [*_check_pairs(kind, given_settings), *find_unused(kind, given_settings)]

    def attempt(field: str, convert: Callable[[], T], default: T) -> T:
        try:
            return convert()
        except ValueError as error:
            problems.append(Problem(field, str(error)))
            return default

    settings = StoreSettings(
        node=node,
        endpoints=attempt("endpoints", lambda: _build_endpoints(kind, given_settings, trust), ()),
        key=attempt("key", lambda: kind.parse_key(given_settings.key), ""),
        value=attempt("value", lambda: kind.parse_value(given_settings.value, node), ""),
        trust=trust,
        user=given_settings.user,
        password=Secret(given_settings.password or ""),
        token=Secret(given_settings.token or ""),
    )
    if problems:
        raise UnusableSettings(problems)
    return settings


def find_unused(kind: Kind, given_settings: GivenSettings) -> Iterator[Problem]:
    """Yield a problem for each given field that this kind of store does not use."""
    fields = [field for field in ("user", "password", "token") if field not in kind.credentials]
    if kind.port is None:
        fields += ["endpoints", "ca_file", "cert_file", "key_file"]
    for field in fields:
        if getattr(given_settings, field) is not None:
            yield Problem(field, "is not used with this store")


def _check_pairs(kind: Kind, given_settings: GivenSettings) -> Iterator[Problem]:
    """Yield the problems of fields that require another field, and of relative paths."""
    pairs = [("cert_file", "key_file"), ("key_file", "cert_file")]
    if "user" in kind.credentials:
        pairs += [("user", "password"), ("password", "user")]
    for field, other in pairs:
        if getattr(given_settings, field) is not None and getattr(given_settings, other) is None:
            yield Problem(field, f"goes together with {other}, which is not set")
    for field in ("ca_file", "cert_file", "key_file"):
        path = getattr(given_settings, field)
        if path is not None and not path.startswith("/"):
            yield Problem(field, f"{path} must be an absolute path")


def _build_endpoints(
    kind: Kind, given_settings: GivenSettings, trust: Trust
) -> tuple[Endpoint, ...]:
    if kind.port is None:
        return ()
    endpoints = parse_endpoints(
        given_settings.endpoints or "127.0.0.1", kind.port, tls=trust != Trust()
    )
    if trust != Trust() and not any(endpoint.tls for endpoint in endpoints):
        raise ValueError("no endpoint is https://, so the certificates would not be used")
    return endpoints
