"""Server of the script `on`: runs commands on any machine for a shell on another machine.

A process in a PID namespace cannot enter that of another machine (setns(2)). So `on` passes its
streams to this process, which is outside of all machines, by a socket in each network.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lvsdr.errors import SourceUnavailable

from tests.cluster.cluster import Cluster
from tests.cluster.machine import ENVIRONMENT
from tests.cluster.observed_state import directors, primary
from tests.cluster.paths import prepared
from tests.lab.host import Host

ADDRESS = "\0lvsdr-on"  # abstract: each network namespace has its own such addresses
REQUEST = 1 << 20  # bytes; longer than any command line
NOT_FOUND = 127  # as in a shell


class Request(NamedTuple):
    """Arguments of `on`. `terminal` is true if it uses a terminal."""

    machine: str
    command: list[str]
    terminal: bool
    kind: str
    """Type of the terminal (TERM)."""


@contextlib.contextmanager
def serve_remote_commands(cluster: Cluster) -> Iterator[None]:
    """Serve `on` on all machines and on the client, until the end of a `with`."""
    hosts = [cluster.client, *(machine.host for machine in cluster.machines)]
    with contextlib.ExitStack() as opened:
        for host in hosts:
            server = opened.enter_context(_listening(host))
            threading.Thread(target=_serve, args=(cluster, server), daemon=True).start()
            opened.callback(server.shutdown, socket.SHUT_RDWR)
        yield


def _listening(host: Host) -> socket.socket:
    with host.entered():
        server = socket.socket(socket.AF_UNIX)
    server.bind(ADDRESS)
    server.listen()
    return server


def _serve(cluster: Cluster, server: socket.socket) -> None:
    with contextlib.suppress(OSError):  # when the socket is closed
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_answer, args=(cluster, connection), daemon=True).start()


def _answer(cluster: Cluster, connection: socket.socket) -> None:
    with connection:
        data, streams, _, _ = socket.recv_fds(connection, REQUEST, 3)
        try:
            words, terminal, kind = json.loads(data)
            request = Request(words[0], words[1:], terminal, kind)
            try:
                argv = command_line(cluster, request)
            except LookupError as error:
                answer = (NOT_FOUND, str(error))
            else:
                answer = (_run(argv, streams, connection), "")
        finally:
            for stream in streams:
                os.close(stream)
        with contextlib.suppress(OSError):
            connection.sendall(json.dumps(answer).encode() + b"\n")


def command_line(cluster: Cluster, request: Request) -> list[str]:
    """Return the command line that runs a request from here.

    Raises LookupError if the machine does not exist.
    """
    name = resolve(cluster, request.machine)
    argv = request.command or shell(name)
    inside = _inside(cluster, name, [*environment(request.kind), *argv])
    if not request.terminal:
        return inside
    # The command has its own terminal, because Ctrl-C and job control need it.
    return ["script", "--quiet", "--return", "--command", shlex.join(inside), "/dev/null"]


def resolve(cluster: Cluster, name: str) -> str:
    """Return the name of the machine, or of the node with this part. Raise LookupError if none."""
    parts = {
        "director": lambda: [node.name for node in directors(cluster)],
        "primary": lambda: [primary(cluster).name],
    }
    if name in parts:
        with contextlib.suppress(ValueError, SourceUnavailable):
            for found in parts[name]():
                return found
        raise LookupError(f"no node is the {name} at the moment; `crm_mon -1` shows the cluster")
    names = [machine.name for machine in cluster.machines] + [cluster.client.name]
    if name not in names:
        raise LookupError(f"{name} is no machine; legal: {', '.join([*names, *parts])}")
    return name


def shell(name: str) -> list[str]:
    """Return the command line of a shell whose prompt contains the machine's name."""
    return ["env", rf"PS1={name}:\w\$ ", "bash", "--norc", "--noprofile"]


def environment(kind: str) -> list[str]:
    """Return the beginning of a command line that has `on` in its PATH."""
    path = f"/mnt/bin:{prepared()}/bin:{ENVIRONMENT['PATH']}"
    settings = {**ENVIRONMENT, "PATH": path, "TERM": kind, "PAGER": "cat"}
    return ["env", "-i", *(f"{name}={value}" for name, value in settings.items())]


def _inside(cluster: Cluster, name: str, argv: Sequence[str]) -> list[str]:
    if name == cluster.client.name:
        return ["nsenter", f"--net=/run/netns/{name}", "--", *argv]
    return cluster[name].inside(argv)


def _run(argv: Sequence[str], streams: Sequence[int], connection: socket.socket) -> int:
    """Run a command with these streams. End it when `on` has ended, for example by Ctrl-C."""
    stdin, stdout, stderr = streams
    process = subprocess.Popen(
        argv, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
    )
    ended = threading.Thread(target=_end_with, args=(process, connection), daemon=True)
    ended.start()
    status = process.wait()
    return status if status >= 0 else 128 - status  # as in a shell


def _end_with(process: subprocess.Popen[bytes], connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        if connection.recv(1) == b"" and process.poll() is None:
            os.killpg(process.pid, 15)
