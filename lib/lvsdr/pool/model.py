"""The values that modules exchange: candidates, verdicts, and the specification of a pool.

The module contains no effects and no decisions; every value is immutable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from re import Pattern

from ..values.hosts import find_ignoring_case
from ..values.light_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional

    from ..values.deadline import Deadline

    CandidatesReceiver = Optional[Callable[[list["Candidate"]], None]]


class Outcome(Enum):
    """The state of a real server; ignorance is an outcome of its own, never a failure."""

    IN = "in"
    """Fit and wanted: gets its weight."""
    WITHDRAWN = "withdrawn"
    """Alive, not wanted: gets no new connections, its established connections finish."""
    FAILED = "failed"
    """Dead: deleted at once or after its grace, so that its clients learn of the failure."""
    UNKNOWN = "unknown"
    """Not known: stays exactly as it is."""


FITNESS = (Outcome.IN, Outcome.UNKNOWN, Outcome.WITHDRAWN, Outcome.FAILED)
"""The order from fit to dead; if one address has several outcomes, the first one here counts."""


class Verdict(NamedTuple):
    """An outcome with its reason for the operator."""

    outcome: Outcome
    reason: str
    certain: bool = True
    """False for a failure that may be the checker's own.

    It justifies sending clients to other real servers, but not leaving them without any.  UNKNOWN
    is not certain after a failed check that does not count yet.
    """
    leaving: bool = False
    """True for a withdrawn real server that is about to stop, and so is no reserve."""
    grace: float = 0.0
    """Seconds for which a failure counts as a withdrawal: it may only be out of sight."""
    silent: bool = False
    """True for a failure that is a missing answer: the real server may only be busy."""

    def extend_grace(self, seconds: float) -> Verdict:
        """Return the verdict with at least this grace, if it has any grace."""
        return self._replace(grace=max(self.grace, seconds)) if self.grace else self


class Candidate(NamedTuple):
    """A host that may become a real server: a node name, host name or address, as configured."""

    host: str
    verdict: Verdict


class Resolved(NamedTuple):
    """The addresses of a name in canonical text form, or the problem if it has none."""

    addresses: Sequence[str]
    problem: str = ""


class Located(NamedTuple):
    """A candidate with the address that the kernel is to use.

    ``address`` is in canonical text form, or None if it is not known.
    """

    host: str
    address: str | None
    weight: int
    verdict: Verdict
    weight_source: str = "default_weight"
    """The parameter that gives the weight."""


class WantedRole(Enum):
    """The role in which instances of a promotable clone count."""

    ANY = "any"
    PROMOTED = "Promoted"
    UNPROMOTED = "Unpromoted"


class AttributeMatch(NamedTuple):
    """A node attribute and the regular expression that must match its whole value."""

    name: str
    pattern: Pattern[str]


class Script(NamedTuple):
    """A user's program: its argument vector and the time that one call may take, in seconds."""

    argv: tuple[str, ...]
    timeout: float

    @property
    def label(self) -> str:
        """Return the script's name for messages; its arguments may contain secrets."""
        return self.argv[0].rsplit("/", 1)[-1]


class PoolSpec(NamedTuple):
    """The sources of the candidates and the conditions of their fitness, from the parameters."""

    weights: Mapping[str, int | None]
    """Listed hosts, in order; None for a host without a weight."""
    default_weight: int
    resources: tuple[str, ...]
    """The resources that a fit real server runs, all of them; none if they do not matter."""
    role: WantedRole
    attribute: AttributeMatch | None
    list_script: Script | None
    check_script: Script | None
    address_attribute: str | None
    fallback: Mapping[str, int | None]
    weight_attribute: str | None = None
    """The node attribute that overrides weights."""

    def find_weight(self, host: str) -> tuple[int, str]:
        """Return the weight of ``host`` while it is IN, and the parameter that gives it.

        The case in which the host is listed does not matter.
        """
        if host not in self.weights:
            host = find_ignoring_case(host, self.weights) or host
        weight = self.weights.get(host)
        if weight is None:
            return self.default_weight, "default_weight"
        return weight, "weight_of_realservers"


class Findings(NamedTuple):
    """The findings of one cycle on every real server."""

    located: Sequence[Located]
    fallback: Sequence[Located]
    """The fallbacks, judged by the state of their nodes alone."""
    hosts: Mapping[str, str]
    """The last known host of each address."""
    listed_hosts: AbstractSet[str] = frozenset()
    """The hosts that the administrator listed as candidates; their failure degrades the pool."""
    unavailable_reason: str | None = None
    """The reason why the sources gave no answer; None if they answered."""
    nodes: Mapping[str, Verdict] = {}
    """Verdicts from node states for hosts that no source named; not every host has one."""
    complaints: Sequence[str] = ()
    """Sentences on parameters that have no effect."""
    notes: Sequence[str] = ()
    """Sentences for the log that do not degrade the pool."""
    hands_off_reason: str | None = None
    """The reason why the agent must not change the table now; None if it may."""

    @property
    def blind(self) -> bool:
        """Whether the cluster itself could not be queried."""
        return self.unavailable_reason is not None and not self.located


class DrainPolicy(NamedTuple):
    """The treatment of real servers that leave, and of a pool without any fit real server."""

    drain_timeout: float | None
    """Seconds that a withdrawn real server may keep its connections; None sets no limit."""
    keep_when_empty: bool
    fallback_below: int = 1
    """The fallbacks join while fewer real servers serve."""


class CheckLimits(NamedTuple):
    """The limits of all checks of one cycle."""

    deadline: Deadline
    answer_timeout: float
    """Seconds after which a missing answer is a failure, even with a longer timeout configured."""
    receive_interim: CandidatesReceiver = None
    """Gets interim results once, if answers take long; missing ones are UNKNOWN."""

    def limit_timeout(self, configured: float, rounds: int) -> float:
        """Return the seconds for one call, of which ``rounds`` follow each other."""
        return min(configured, self.deadline.remaining() / rounds) if rounds > 1 else configured
