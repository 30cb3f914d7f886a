"""The choice of the kernel that carries the lab, made by trying.

The running kernel is used if it has ip_vs, otherwise the first guest kernel that boots here. The
result is remembered in build/kernel until the machine or the packages change.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.lab.boot_job import HERE, say
from tests.lab.kernel import newer, older
from tests.lab.kernel.guest import GuestKernel, Unusable
from tests.support.paths import ROOT

VARIABLE = "LAB_KERNEL"
NATIVE = "native"
RETRY = 3600  # seconds after which a kernel that was not usable is tried again

Make = Callable[[], GuestKernel]
"""Function that prepares a kernel. It raises Unusable if the kernel cannot be provided."""

Boot = Callable[[GuestKernel], None]
"""Function that boots a kernel and ends it. It raises Unusable if no command can be run."""

GUESTS: Mapping[str, Make] = {newer.NAME: newer.make, older.NAME: older.make}


class NoKernel(Exception):
    """The absence of a usable kernel, with one line for each kernel that was tried."""


class Choice(NamedTuple):
    """The guest kernel to use, and the reasons against those that precede it."""

    kernel: str
    skipped: dict[str, str]
    time: float


def wanted() -> str | None:
    """Return the kernel that LAB_KERNEL forces, or None if it is not set.

    Raises SystemExit for an unknown name.
    """
    name = os.environ.get(VARIABLE, "")
    if name and name not in (NATIVE, *GUESTS):
        legal = ", ".join((NATIVE, *GUESTS))
        raise SystemExit(
            f"lab: {VARIABLE}={name} is no kernel; legal are {legal}, or leave it unset"
        )
    return name or None


class Kernels:
    """The guest kernels in the order of preference. The choice is remembered below `place`."""

    def __init__(
        self, guests: Mapping[str, Make] = GUESTS, place: Path = ROOT / "build/kernel"
    ) -> None:
        self._guests = guests
        self._place = place
        self._record = place / "choice.json"

    def guest(self, boot: Boot, name: str | None = None) -> GuestKernel:
        """Return the kernel of this name, or the best that boots here.

        Raise NoKernel if there is none.
        """
        with self._only_one():
            return self._forced(name) if name else self._remembered() or self._tried(boot)

    def forget(self) -> None:
        """Forget the choice, so that the next run tries all kernels."""
        self._record.unlink(missing_ok=True)

    def _forced(self, name: str) -> GuestKernel:
        try:
            return self._guests[name]()
        except Unusable as problem:
            raise NoKernel(f"  {name}: {problem}") from None

    def _remembered(self) -> GuestKernel | None:
        """Return the kernel that was chosen on this machine in its present state, or None."""
        choice = self._read()
        if choice is None:
            return None
        for name, problem in choice.skipped.items():
            say(f"{name} is not usable here: {problem}")
        with contextlib.suppress(Unusable):
            return self._guests[choice.kernel]()
        return None

    def _tried(self, boot: Boot) -> GuestKernel:
        """Return the first kernel that boots, and remember it. Raise NoKernel if none does."""
        skipped: dict[str, str] = {}
        for name in self._guests:
            kernel = self._usable(name, boot, skipped)
            if kernel:
                self._write(Choice(name, skipped, time.time()))
                return kernel
        raise NoKernel("\n".join(f"  {name}: {problem}" for name, problem in skipped.items()))

    def _usable(self, name: str, boot: Boot, skipped: dict[str, str]) -> GuestKernel | None:
        """Return this kernel if it boots; otherwise None, with the reason added to `skipped`."""
        try:
            kernel = self._guests[name]()
            boot(kernel)
        except Unusable as problem:
            skipped[name] = str(problem)
            say(f"{name} is not usable here: {problem}")
            return None
        return kernel

    def _read(self) -> Choice | None:
        """Return the remembered choice if it was made on this machine in its present state."""
        try:
            record: dict[str, Any] = json.loads(self._record.read_text())
            choice = Choice(record["kernel"], dict(record["skipped"]), float(record["time"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if record.get("machine") != _machine() or choice.kernel not in self._guests:
            return None
        outdated = choice.skipped and not 0 <= time.time() - choice.time < RETRY
        return None if outdated else choice

    def _write(self, choice: Choice) -> None:
        record = {**choice._asdict(), "machine": _machine()}
        new = self._record.with_suffix(".new")
        new.write_text(json.dumps(record, indent=1))
        os.replace(new, self._record)

    @contextlib.contextmanager
    def _only_one(self) -> Iterator[None]:
        """Wait until no other process makes the choice."""
        self._place.mkdir(parents=True, exist_ok=True)
        with open(self._place / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _machine() -> str:
    """Return a digest of the inputs of the choice: kernel, processor, programs, tree."""
    digest = hashlib.sha256(f"{os.uname().release} {os.uname().machine} {ROOT}\n".encode())
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    processor = {line for line in lines if line.startswith(("model name", "flags"))}
    digest.update("\n".join(sorted(processor)).encode())
    for path in (HERE / "guest", *sorted((HERE / "kernel").glob("*.[cp]*")), older.PROGRAM):
        with contextlib.suppress(OSError):
            status = path.stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
