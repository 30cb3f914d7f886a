"""The kernel's IPVS table, changed by one ``ipvsadm -R``, and its modules."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ..errors import DeadlineExceeded, Exhausted, KernelMismatch, LvsdrError, NotInstalled
from ..ipvs.table import (
    Connections,
    RealServer,
    Service,
    ServiceKey,
    Table,
    WantedService,
    replace_local_forward,
    strip_counters,
)
from ..ipvs.text import count_unfinished, is_full_in_proc, parse_saved
from ..values.deadline import Deadline
from . import locking
from .ipvs_proc import PROC_FILE, find_service, is_available, read_connections, read_proc
from .process.run import NOT_THERE, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Callable, Protocol

    from ..ipvs.plan import Change
    from .process.run import Result

    class Runner(Protocol):
        """A function that runs a program to its end, as ``run.run`` does."""

        def __call__(
            self,
            argv: Sequence[str],
            deadline: Deadline,
            *,
            stdin: bytes = b"",
            keep: tuple[int, ...] = (),
        ) -> Result: ...


_SHOWN_LINES = 3  # lines of a batch in a message


class Kernel:
    """The IPVS table of this network namespace, limited to one service."""

    def __init__(
        self,
        key: ServiceKey,
        forward: str,
        deadline: Deadline,
        *,
        read: Callable[[], str] = read_proc,
        connections: Callable[[], Iterable[str]] = read_connections,
        runner: Runner = run,
    ) -> None:
        self._key = key
        self._forward = forward
        self._deadline = deadline
        self._read = read
        self._connections = connections
        self._run = runner

    def read_service(self, wanted: WantedService | None = None) -> Service | None:
        """Return the current service; None without one.

        It is read from /proc.  A fork of ipvsadm follows only if ``wanted`` has settings that /proc
        does not show.
        """
        service = self._read_current(wanted)
        return None if service is None else self._count_only_unfinished(service)

    def _read_current(self, wanted: WantedService | None) -> Service | None:
        service = find_service(self._key, self._read)
        if (
            service is not None
            and wanted is not None
            and not is_full_in_proc(wanted.config, self._key)
        ):
            service = self._add_hidden_settings(service)
        return None if service is None else replace_local_forward(service, self._forward)

    def _add_hidden_settings(self, service: Service) -> Service | None:
        """Return the service with the settings that only ipvsadm shows; None if it is gone."""
        saved = self._read_saved_table().get(self._key)
        if saved is not None:
            return service._replace(config=saved.config)
        if find_service(self._key, self._read) is None:
            return None
        raise LvsdrError("ipvsadm -Sn does not list a service that is there")

    def _count_only_unfinished(self, service: Service) -> Service:
        """Count only unfinished connections as inactive, as far as known (decision 037).

        The table of connections is read only for real servers that wait for nothing else.
        """
        closing = [key for key, server in service.real_servers.items() if _is_only_closing(server)]
        if not closing or self._key.protocol != "tcp":
            return service
        try:
            counts = count_unfinished(self._connections(), self._key, closing)
        except OSError:
            return service  # without the table, all connections count
        return service._replace(
            real_servers={
                key: server._replace(connections=Connections(0, counts[key]))
                if key in counts
                else server
                for key, server in service.real_servers.items()
            }
        )

    def apply_service(self, wanted: WantedService) -> tuple[Change, ...]:
        """Make the service equal ``wanted`` and verify it; return the changes.

        Raises KernelMismatch when the table, read again, differs.
        """
        return self._change({self._key: wanted}, wanted)

    def remove_service(self) -> tuple[Change, ...]:
        """Delete the service and verify that it is gone; return the changes."""
        return self._change({}, None)

    def _change(
        self, goal: dict[ServiceKey, WantedService], wanted: WantedService | None
    ) -> tuple[Change, ...]:
        from ..ipvs.plan import plan_changes  # not loaded by the many cycles without a change

        current_service = self._read_current(wanted)
        changes = plan_changes(
            {} if current_service is None else {self._key: current_service}, goal
        )
        if changes:
            complaint = self._restore(changes)
            result = self._read_current(wanted)
            if (None if result is None else strip_counters(result)) != wanted:
                rest = plan_changes({} if result is None else {self._key: result}, goal)
                raise KernelMismatch(_describe_mismatch(complaint, rest))
        return changes

    def _read_saved_table(self) -> Table:
        result = self._run_ipvsadm("-Sn")
        if result.problem or result.status != 0:
            raise LvsdrError(f"ipvsadm -Sn: {result.describe_failure()}")
        return parse_saved(result.stdout.decode("utf-8", "replace"))

    def _restore(self, changes: Iterable[Change]) -> str:
        """Apply the changes, in order; return the output of ipvsadm.

        Its exit status reflects the last line only and proves nothing; the caller reads the table
        again.
        """
        from ..ipvs.batch import render_batch

        result = self._run_ipvsadm("-R", render_batch(changes))
        messages = (line.strip() for line in result.stderr.decode("utf-8", "replace").splitlines())
        # ipvsadm repeats one message, without a line number, for each line that failed.
        return "; ".join(filter(None, dict.fromkeys(messages))) or result.describe_failure()

    def _run_ipvsadm(self, option: str, stdin: str = "") -> Result:
        argv, keep = ("ipvsadm", option), locking.list_held()
        result = self._run(argv, self._deadline, stdin=stdin.encode(), keep=keep)
        if result.inconclusive:
            if self._deadline.is_expired():
                raise DeadlineExceeded(result.describe_failure())
            raise (NotInstalled if result.status == NOT_THERE else Exhausted)(
                result.describe_failure()
            )
        return result


def _is_only_closing(server: RealServer) -> bool:
    """Return whether all remaining connections of a withdrawn real server may be over."""
    config, (active, inactive) = server
    return config.weight == 0 and not active and inactive > 0


def _describe_mismatch(complaint: str, rest: Sequence[Change]) -> str:
    """Return a message with the output of ipvsadm and the lines left undone."""
    from ..ipvs.batch import render_batch

    undone_lines = render_batch(rest).splitlines()
    more = len(undone_lines) - _SHOWN_LINES
    lines = [*undone_lines[:_SHOWN_LINES], *([f"and {more} more"] if more > 0 else [])]
    return (
        f"the IPVS table differs from the wanted one: {complaint}; left undone: {'; '.join(lines)}"
    )


def load_modules(scheduler: str, deadline: Deadline, path: str = PROC_FILE) -> None:
    """Load IPVS and the scheduler's module if they are missing; raise NotInstalled.

    The scheduler's module is loaded here, not by the kernel on demand.  The kernel's own request
    runs in the root directory of process 1, and reports no error.
    """
    if not is_available(path):
        complaint = _load_module("ip_vs", deadline)
        if not is_available(path):
            raise NotInstalled(
                f"the kernel has no IPVS: module ip_vs cannot be loaded ({complaint}); install the "
                "kernel's modules package, or load ip_vs on the host of this container"
            )
    if not os.path.isdir(f"/sys/module/ip_vs_{scheduler}"):
        _load_module(f"ip_vs_{scheduler}", deadline)


def _load_module(module: str, deadline: Deadline) -> str:
    return run(("modprobe", module), deadline).describe_failure()
