"""What an administrator says of a store, and what that means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf

from ..errors import InvalidParameters
from ..system.http import Endpoint, Trust
from ..typed import NamedTuple, TypeVar
from .endpoints import endpoints

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


class Given(NamedTuple):
    """What was said, word for word; None or empty where nothing was."""

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
    """What can be said of a kind of store.

    ``key`` and ``value`` turn what was given, or None, into what is used; they raise ValueError
    with what would be legal.  ``value`` gets the node's name as well.
    """

    port: int | None
    """The port of its endpoints, by default on this host; None if it has no endpoints."""
    key: Callable[[str | None], str]
    value: Callable[[str | None, str], str]
    takes: frozenset[str] = frozenset()
    """Which of user, password and token it knows."""
    silence: float = inf
    """How many seconds of silence its last word outlives, whatever the grace: see gate.py."""


def key_of_the_leader(text: str | None) -> str:
    """A key, which nobody can guess."""
    if text is None:
        raise ValueError("must be set: the key that holds the leader's name")
    return text


def or_node(text: str | None, node: str) -> str:
    """A value, by default the node's name."""
    return node if text is None else text


class Settings(NamedTuple):
    """What is to be asked where, as whom."""

    node: str
    endpoints: tuple[Endpoint, ...]
    key: str
    value: str
    """What the store says when this node leads."""
    trust: Trust = Trust()
    user: str | None = None
    password: Secret = Secret("")
    token: Secret = Secret("")

    def redacted(self, text: str) -> str:
        """Return a text without the password and the token, which a server may send back."""
        for secret in (self.password.reveal(), self.token.reveal()):
            text = text.replace(secret, "(not shown)") if secret else text
        return text


class Problem(NamedTuple):
    """What is wrong with a field of ``Given``."""

    field: str
    sentence: str


class UnusableSettings(InvalidParameters):
    """What was said of a store makes no sense; ``found`` has a Problem for each thing wrong.

    The message names the fields; whoever knows them by other names makes one of its own.
    """

    def __init__(self, found: list[Problem]) -> None:
        self.found = tuple(found)
        super().__init__(f"{problem.field}: {problem.sentence}" for problem in found)


def checked(kind: Kind, node: str, given: Given) -> Settings:
    """What ``given`` means; raises UnusableSettings with all that is wrong with it."""
    given = Given._make(text or None for text in given)
    trust = Trust(given.ca_file, given.cert_file, given.key_file)
    problems = [*_together(kind, given), *not_used(kind, given)]

    def tried(field: str, convert: Callable[[], T], otherwise: T) -> T:
        try:
            return convert()
        except ValueError as error:
            problems.append(Problem(field, str(error)))
            return otherwise

    found = Settings(
        node=node,
        endpoints=tried("endpoints", lambda: _endpoints(kind, given, trust), ()),
        key=tried("key", lambda: kind.key(given.key), ""),
        value=tried("value", lambda: kind.value(given.value, node), ""),
        trust=trust,
        user=given.user,
        password=Secret(given.password or ""),
        token=Secret(given.token or ""),
    )
    if problems:
        raise UnusableSettings(problems)
    return found


def not_used(kind: Kind, given: Given) -> Iterator[Problem]:
    """Yield what this kind of store would not even look at."""
    fields = [field for field in ("user", "password", "token") if field not in kind.takes]
    if kind.port is None:
        fields += ["endpoints", "ca_file", "cert_file", "key_file"]
    for field in fields:
        if getattr(given, field) is not None:
            yield Problem(field, "is not used with this store")


def _together(kind: Kind, given: Given) -> Iterator[Problem]:
    """What only makes sense beside something else."""
    pairs = [("cert_file", "key_file"), ("key_file", "cert_file")]
    if "user" in kind.takes:
        pairs += [("user", "password"), ("password", "user")]
    for field, other in pairs:
        if getattr(given, field) is not None and getattr(given, other) is None:
            yield Problem(field, f"goes together with {other}, which is not set")
    for field in ("ca_file", "cert_file", "key_file"):
        path = getattr(given, field)
        if path is not None and not path.startswith("/"):
            yield Problem(field, f"{path} must be an absolute path")


def _endpoints(kind: Kind, given: Given, trust: Trust) -> tuple[Endpoint, ...]:
    if kind.port is None:
        return ()
    found = endpoints(given.endpoints or "127.0.0.1", kind.port, tls=trust != Trust())
    if trust != Trust() and not any(endpoint.tls for endpoint in found):
        raise ValueError("none is https://, so the certificates would not be used")
    return found
