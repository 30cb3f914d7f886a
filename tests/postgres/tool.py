"""The tools as a cluster or a user runs them: a process with arguments and an environment."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.postgres.world import SECRETS

TIMEOUT = 30.0  # seconds
ENVIRON = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


class ToolResult(NamedTuple):
    """Result of a run."""

    status: int
    out: str
    err: str


class Tool(NamedTuple):
    """One of the tools, by its path."""

    path: Path

    def __call__(self, *arguments: str, **environ: str) -> ToolResult:
        """Run the tool, and return its result."""
        return self.said(self.start(*arguments, **environ))

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start the tool."""
        return subprocess.Popen(
            [self.path, *arguments],
            env={**ENVIRON, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def said(self, process: subprocess.Popen[str]) -> ToolResult:
        """Return the result. Assert that it contains no password and at most one line of errors."""
        with process:
            out, err = process.communicate(timeout=TIMEOUT)
        for secret in SECRETS:
            assert secret not in out + err
        assert err.count("\n") == bool(err)
        assert not err or err.startswith(f"{self.path.name}: ")
        return ToolResult(process.returncode, out, err.partition(": ")[2].rstrip("\n"))


class Tools(NamedTuple):
    """Both tools."""

    directory: Path

    @property
    def get_active_slaves(self) -> Tool:
        return Tool(self.directory / "get_active_slaves")

    @property
    def check_active_slave(self) -> Tool:
        return Tool(self.directory / "check_active_slave")

    def both(self, *arguments: str, **environ: str) -> tuple[ToolResult, ToolResult]:
        """Return both results for the same arguments, in this order."""
        tools = self.get_active_slaves, self.check_active_slave
        listing, check = [(tool, tool.start(*arguments, **environ)) for tool in tools]
        return listing[0].said(listing[1]), check[0].said(check[1])


@contextlib.contextmanager
def running(*argv: str | Path, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process with its children until the end of the block."""
    environment: Mapping[str, str] = {**ENVIRON, **environ}
    process = subprocess.Popen(
        argv,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
