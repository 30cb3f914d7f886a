"""The kernel's IPVS table: read from /proc without a fork, changed by one ``ipvsadm -R``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from ..errors import DeadlineExceeded, Exhausted, KernelMismatch, LvsdrError, NotInstalled
from ..ipvs.table import (
    Connections,
    RealServer,
    Service,
    ServiceKey,
    Table,
    WantedService,
    settings,
    with_local_as,
)
from ..ipvs.text import parse_proc, parse_saved, proc_shows, unfinished
from ..values.deadline import Deadline
from . import state
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


_PROC = "/proc/net/ip_vs"
_CONNECTIONS = "/proc/net/ip_vs_conn"
_PIECE_SIZE = 4096  # bytes at least that the kernel gives at once (fs/seq_file.c)
_MOST_READINGS = 5
_SHOWN_LINES = 3  # lines of a batch in a message


def read_proc(path: str = _PROC) -> str:
    """Return the text of the kernel's table; empty if the kernel has no IPVS."""
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def read_connections(path: str = _CONNECTIONS) -> Iterator[str]:
    """Yield the lines of the kernel's table of connections; there may be a hundred thousand."""
    with open(path, encoding="ascii") as file:
        yield from file


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
        if service is not None and wanted is not None and not proc_shows(wanted.config, self._key):
            service = self._add_hidden_settings(service)
        return None if service is None else with_local_as(service, self._forward)

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
            counts = unfinished(self._connections(), self._key, closing)
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
        from ..ipvs.plan import diff  # not loaded by the many cycles without a change

        current_service = self._read_current(wanted)
        changes = diff({} if current_service is None else {self._key: current_service}, goal)
        if changes:
            complaint = self._restore(changes)
            result = self._read_current(wanted)
            if (None if result is None else settings(result)) != wanted:
                rest = diff({} if result is None else {self._key: result}, goal)
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
        from ..ipvs.batch import render

        result = self._run_ipvsadm("-R", render(changes))
        messages = (line.strip() for line in result.stderr.decode("utf-8", "replace").splitlines())
        # ipvsadm repeats one message, without a line number, for each line that failed.
        return "; ".join(filter(None, dict.fromkeys(messages))) or result.describe_failure()

    def _run_ipvsadm(self, option: str, stdin: str = "") -> Result:
        argv, keep = ("ipvsadm", option), state.held()
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
    from ..ipvs.batch import render

    undone_lines = render(rest).splitlines()
    more = len(undone_lines) - _SHOWN_LINES
    lines = [*undone_lines[:_SHOWN_LINES], *([f"and {more} more"] if more > 0 else [])]
    return (
        f"the IPVS table differs from the wanted one: {complaint}; left undone: {'; '.join(lines)}"
    )


def find_service(key: ServiceKey, read: Callable[[], str] = read_proc) -> Service | None:
    """Return the current service; None without one.

    The kernel delivers a large table in pieces, by line number.  A deletion between two pieces
    hides as many of the later lines, or moves them below another service.  So a large table counts
    only after two readings with the same result.
    """
    readings: list[WantedService | None] = []
    for _ in range(_MOST_READINGS):
        text = read()
        service = parse_proc(text).get(key)
        readings.append(None if service is None else settings(service))
        if len(text) < _PIECE_SIZE or readings[:-1][-1:] == readings[-1:]:
            break
    return service


def is_available(path: str = _PROC) -> bool:
    """Return whether this kernel already has IPVS in use; a probe must not load it."""
    return os.path.exists(path)


def load_modules(scheduler: str, deadline: Deadline, path: str = _PROC) -> None:
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
