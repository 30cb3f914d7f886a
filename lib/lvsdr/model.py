"""The values that travel between the rooms: candidates, verdicts, and what a pool is asked to be.

Nothing here acts, reads or decides; every value is immutable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from re import Pattern

from .hosts import named
from .typed import NamedTuple


class Outcome(Enum):
    """What is known of a real server.  Ignorance is an outcome of its own, never a failure."""

    IN = "in"
    """Fit and wanted: gets its weight."""
    WITHDRAWN = "withdrawn"
    """Alive, not wanted: gets nothing new, its established connections finish."""
    FAILED = "failed"
    """Dead: deleted at once, or when its grace is over, so that its clients learn it."""
    UNKNOWN = "unknown"
    """Nobody could say: stays exactly as it is."""


FITNESS = (Outcome.IN, Outcome.UNKNOWN, Outcome.WITHDRAWN, Outcome.FAILED)
"""From fit to dead: of several outcomes for one address, the first of these counts."""


class Verdict(NamedTuple):
    """An outcome and, in words for the operator, why."""

    outcome: Outcome
    reason: str
    certain: bool = True
    """False for a failure that may be the checker's own: reason enough to send clients to others,
    not to leave them with nobody."""
    leaving: bool = False
    """True for a withdrawal of one that is about to stop: it is not to be counted on."""
    grace: float = 0.0
    """Seconds for which a failure counts as a withdrawal, because it may be no more than that the
    cluster does not know."""

    def patient(self, seconds: float) -> Verdict:
        """Return the verdict with so much grace at least, if it has any."""
        return self._replace(grace=max(self.grace, seconds)) if self.grace else self


class Candidate(NamedTuple):
    """A host that may become a real server: a node name, host name or address, as configured."""

    host: str
    verdict: Verdict


class Resolved(NamedTuple):
    """The addresses of a name, in canonical text form; none, and why, if it has none."""

    addresses: Sequence[str]
    problem: str = ""


class Located(NamedTuple):
    """A candidate with the address that the kernel is to use.

    ``address`` is in canonical text form, or None when it is not known.
    """

    host: str
    address: str | None
    weight: int
    verdict: Verdict
    weight_from: str = "default_weight"
    """The parameter that gives the weight."""


class WantedRole(Enum):
    """Which instances of a promotable clone count."""

    ANY = "any"
    PROMOTED = "Promoted"
    UNPROMOTED = "Unpromoted"


class AttributeMatch(NamedTuple):
    """A node attribute whose whole value must match a regular expression."""

    name: str
    pattern: Pattern[str]


class Script(NamedTuple):
    """A user's program: its argument vector and how long one call may take, in seconds."""

    argv: tuple[str, ...]
    timeout: float

    @property
    def label(self) -> str:
        """What the script is called in messages; its arguments may hold secrets."""
        return self.argv[0].rsplit("/", 1)[-1]


class PoolSpec(NamedTuple):
    """Where the candidates come from and what makes them fit, as the parameters say it."""

    weights: Mapping[str, int | None]
    """Listed hosts, in order; None where no weight was given."""
    default_weight: int
    resource: str | None
    role: WantedRole
    attribute: AttributeMatch | None
    list_script: Script | None
    check_script: Script | None
    address_attribute: str | None
    fallback: Mapping[str, int | None]

    def weight_of(self, host: str) -> tuple[int, str]:
        """Return the weight of ``host`` while it is IN, and the parameter that gives it.

        The case in which the host is listed does not matter.
        """
        if host not in self.weights:
            host = named(host, self.weights) or host
        weight = self.weights.get(host)
        if weight is None:
            return self.default_weight, "default_weight"
        return weight, "weight_of_realservers"


class Policy(NamedTuple):
    """What becomes of those that leave, and of a pool that nobody is fit for."""

    drain_timeout: float | None
    """Seconds a withdrawn real server may keep its connections; None waits for the last one."""
    keep_when_empty: bool
