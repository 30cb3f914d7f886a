"""The context of one run of one action: its environment and its resources."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ..errors import Busy, ExitCode, LvsdrError, NotInstalled, NotPermitted, Unlockable
from ..system import locking, small_files
from ..values.deadline import Deadline
from ..values.parsing import is_decimal, remove_instance_number
from ..values.safe_text import read_instance_name
from .log import Log
from .parameters import PREFIX, ParameterSet, Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ..system import sysctl

DEFAULT_TIMEOUT = 20.0  # seconds; Pacemaker's own default for an operation
_MARGIN = 2.0
_LOCKING_ACTIONS = ("start", "promote")
_ANNOUNCING_ACTIONS = ("start", "reload-agent", "validate-all")  # monitor would never stop warning
_SYSTEM_PATH = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")


class Context:
    """One run of one action.

    ``deadline`` lies a little before the moment at which Pacemaker would kill the action.
    """

    __slots__ = ("_parameters", "_values", "action", "agent", "deadline", "environ", "log")

    def __init__(
        self,
        agent: str,
        action: str,
        parameters: ParameterSet,
        environ: Mapping[str, str],
        log: Log,
    ) -> None:
        self.agent = agent
        self.action = action
        self.environ = environ
        self.log = log
        self.deadline = Deadline.after(compute_budget(environ))
        self._parameters = parameters
        self._values: Values | None = None

    @property
    def values(self) -> Values:
        """Return the values of the agent's parameters.

        Raise InvalidParameters with all problems.  The action decides when to read them, because
        stop and probes have to work with broken parameters, too.
        """
        if self._values is None:
            self._values = self._parameters.parse(self.environ)
            self._announce_deprecated(self._values)
        return self._values

    def _announce_deprecated(self, values: Values) -> None:
        for parameter in self._parameters if self.action in _ANNOUNCING_ACTIONS else ():
            if parameter.replaced_by and values.is_set(parameter):
                new = parameter.replaced_by.name
                self.log.warning(f"parameter {parameter.name} is deprecated: set {new} instead")

    @property
    def parameters_given(self) -> tuple[str, ...]:
        """Return the names of the declared parameters in the environment, in order."""
        return tuple(p.name for p in self._parameters if PREFIX + p.name in self.environ)

    @property
    def is_probe(self) -> bool:
        """Test for a probe: a single monitor of a resource that may not have been started here.

        The interval of a probe is 0.  Pacemaker omits that, but passes the node's name.  A manual
        run, such as ``crm_resource --force-check``, passes neither; it is no probe, because the
        operator wants to know the full state.
        """
        if self.action != "monitor":
            return False
        interval = self.environ.get("OCF_RESKEY_CRM_meta_interval")
        if interval is None:
            return "OCF_RESKEY_CRM_meta_on_node" in self.environ
        return interval.strip() in ("", "0")

    @property
    def check_level(self) -> int:
        """Return the depth of monitor or validate-all: OCF_CHECK_LEVEL, 0 unless it is a number."""
        environ = self.environ
        level = environ.get("OCF_CHECK_LEVEL") or environ.get("OCF_RESKEY_OCF_CHECK_LEVEL") or ""
        return _parse_number(level) or 0

    @property
    def instance(self) -> str:
        """Return the resource's name, escaped for file names; the agent's name in manual runs."""
        return read_instance_name(self.environ, self.agent)

    @property
    def rsctmp(self) -> str:
        """Return the directory for state that does not outlive a boot."""
        return self.environ.get("HA_RSCTMP") or "/run/resource-agents"

    def build_path(self, kind: str, instance: str = "") -> str:
        """Return the path of a resource's file of a kind (``state``, ``lock``).

        The resource is this one, or ``instance``, a value from ``list_instances``.
        """
        return os.path.join(self.rsctmp, f"lvsdr-{instance or self.instance}.{kind}")

    def list_instances(self, kind: str) -> list[str]:
        """Return the resources with a file of a kind on this node, spelled like ``instance``."""
        start, end = "lvsdr-", f".{kind}"
        names = [name for name in small_files.list_names(self.rsctmp) if name.startswith(start)]
        return [name[len(start) : -len(end)] for name in names if name.endswith(end)]

    @property
    def resource(self) -> str:
        """Return the id of the resource in the cluster, without the number of an instance."""
        name = self.environ.get("OCF_RESOURCE_INSTANCE") or self.agent
        return remove_instance_number(name)

    @property
    def node(self) -> str | None:
        """Return the name of this node; None in manual runs."""
        return self.environ.get("OCF_RESKEY_CRM_meta_on_node") or None

    @contextmanager
    def hold_lock(self) -> Iterator[tuple[str, ...]]:
        """Hold the lock of the resource; the context's value has the reason if there is no lock.

        Only actions that take a service or an address need the lock: Pacemaker runs one action of a
        resource at a time.  Raise Busy if another process holds it until the deadline.
        """
        go_on_after = () if self.action in _LOCKING_ACTIONS else (Unlockable,)
        with self._hold_lock(self.deadline, go_on_after) as problem:
            yield (problem,) if problem else ()

    @contextmanager
    def hold_lock_to_stop(self) -> Iterator[None]:
        """Hold the lock of the resource, if it can be taken within half of the remaining time.

        Without the lock, stop goes on: a failed stop would get the node fenced.
        """
        patience = self.deadline.limit_to(self.deadline.remaining() / 2)
        with self._hold_lock(patience, (Unlockable, Busy)) as problem:
            if problem:
                self.log.warning(problem)
            yield

    def _hold_lock(
        self, patience: Deadline, go_on_after: tuple[type[LvsdrError], ...]
    ) -> AbstractContextManager[str]:
        path, tell = self.build_path("lock"), self.log.warning
        return locking.locked(path, patience, go_on_after=go_on_after, tell=tell)

    def release_sysctls(self) -> None:
        """Restore the kernel's settings that only this resource has claimed; log the changes."""
        claims = self.open_claims()
        self.log.info(*claims.release())
        self.log.warning(*claims.trouble)

    def claim_sysctls(
        self, wanted: Mapping[str, str], as_good: Mapping[str, Collection[str]] = {}
    ) -> sysctl.Claims:
        """Set the kernel's settings for this resource; log the changes.

        The caller reports the problems, which are in the returned claims: their weight differs.
        """
        claims = self.open_claims()
        self.log.info(*claims.claim(wanted, as_good))
        return claims

    def open_claims(self) -> sysctl.Claims:
        """Return the claims of this resource on the kernel's settings."""
        from ..system import sysctl  # late: a monitor with nothing to set does not pay for it

        return sysctl.Claims(self.rsctmp, self.instance, self.deadline)

    def save(self, kind: str, text: str) -> tuple[str, ...]:
        """Write the resource's own file of a kind; return the problem if that fails."""
        try:
            small_files.replace(self.build_path(kind), text, 0o600)
        except OSError as error:
            return (f"cannot write {self.build_path(kind)}: {error.strerror}",)
        return ()

    def forget(self, kind: str) -> None:
        """Remove the resource's own file of a kind; log a warning if that fails."""
        try:
            small_files.remove(self.build_path(kind))
        except OSError as error:
            self.log.warning(f"cannot remove {self.build_path(kind)}: {error.strerror}")

    def report_degradation(self, reasons: Sequence[str]) -> ExitCode | None:
        """Report the reasons, which crm_mon shows; return DEGRADED, or None without any."""
        if not reasons:
            return None
        self.log.exit_reason(*reasons, logged=False)
        return ExitCode.DEGRADED

    def require_root(self, action: str) -> None:
        """Raise NotPermitted, naming the ``action``, unless the user is root."""
        if os.geteuid() != 0:
            raise NotPermitted(f"only root may {action}")

    def require_binary(self, name: str, package: str = "") -> None:
        """Raise NotInstalled if a program is missing; ``package`` is its Debian package."""
        if not self.has_binary(name):
            raise NotInstalled(
                f"program {name}{package and f' (package {package})'} is not installed"
            )

    def has_binary(self, name: str) -> bool:
        """Test whether the program is installed; false while ocf-tester simulates a missing one."""
        if self.environ.get("OCF_TESTER_FAIL_HAVE_BINARY") == "1":
            return False
        # The PATH of a cluster daemon may lack the directories of system programs.
        path = (*self.environ.get("PATH", "").split(":"), *_SYSTEM_PATH)
        return any(_is_executable(os.path.join(place, name)) for place in path if place)


def compute_budget(environ: Mapping[str, str]) -> float:
    """Return the seconds for an action: CRM_meta_timeout less a tenth, but two at most.

    >>> compute_budget({"OCF_RESKEY_CRM_meta_timeout": "60000"})
    58.0
    >>> compute_budget({"OCF_RESKEY_CRM_meta_timeout": "5000"})
    4.5
    >>> compute_budget({})
    18.0
    """
    milliseconds = _parse_number(environ.get("OCF_RESKEY_CRM_meta_timeout", ""))
    timeout = milliseconds / 1000 if milliseconds else DEFAULT_TIMEOUT
    return timeout - min(_MARGIN, timeout / 10)


def _parse_number(text: str) -> int | None:
    text = text.strip()
    return int(text) if is_decimal(text, 11) else None


def _is_executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
