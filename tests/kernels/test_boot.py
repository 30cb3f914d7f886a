"""Both guest kernels are really booted, so that neither choice decays. Needs root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.boot_job import HERE
from tests.lab.kernel import choice, older
from tests.support.paths import ROOT

BOOT = str(HERE / "boot")
TABLE = ["head", "-n", "1", "/proc/net/ip_vs"]

# Reads a part of the extended state of a child and writes it back, as User Mode Linux 6.1 does.
PARTIAL = """
import ctypes, errno, os, signal, sys
TRACEME, GETREGSET, SETREGSET, XSTATE = 0, 0x4204, 0x4205, 0x202
class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
ptrace = ctypes.CDLL(None, use_errno=True).ptrace
ptrace.restype = ctypes.c_long
pid = os.fork()
if not pid:
    ptrace(TRACEME, 0, ctypes.c_long(0), None)
    os.kill(os.getpid(), signal.SIGSTOP)
    os._exit(0)
os.waitpid(pid, 0)
part = ctypes.create_string_buffer(576)
done = []
for request in (GETREGSET, SETREGSET, GETREGSET):
    given = Iovec(ctypes.addressof(part), len(part))
    result = ptrace(request, pid, ctypes.c_long(XSTATE), ctypes.byref(given))
    done.append("ok" if result == 0 else errno.errorcode[ctypes.get_errno()])
os.kill(pid, signal.SIGKILL)
print(*done)
"""


def boot(*command: str, prefix: tuple[str, ...] = (), **variables: str) -> tuple[int, str, str]:
    """Run a command in the lab and return its exit status, output and errors."""
    done = subprocess.run(
        [*prefix, BOOT, "--", *command],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", choice.GUESTS)
def test_it_balances(name: str, tmp_path: Path) -> None:
    case = "tests/lab/test_world.py::test_tcp_is_spread_evenly"
    pytest_command = [
        str(ROOT / ".venv/bin/python"),
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        case,
    ]
    status, output, errors = boot(*pytest_command, LAB_KERNEL=name, LAB_RESULTS=str(tmp_path))
    assert (status, "1 passed" in output) == (0, True), output + errors
    assert errors.startswith(f"lab: {name}, User Mode Linux "), errors
    assert "LAB_KERNEL forces it" in errors


def test_the_best_is_chosen() -> None:
    status, output, errors = boot(*TABLE)
    assert (status, output.split()[:3]) == (0, ["IP", "Virtual", "Server"]), errors
    assert errors.splitlines()[-1].startswith(("lab: native: ", "lab: uml-new, ", "lab: uml-old, "))


def test_no_such_kernel() -> None:
    assert boot("true", LAB_KERNEL="foo") == (
        1,
        "",
        "lab: LAB_KERNEL=foo is no kernel; legal are native, uml-new, uml-old, or leave it unset\n",
    )


def test_no_kernel_boots() -> None:
    """A machine without network and with a guest kernel that does not start."""
    hidden = f"""
        for cache in debian kernel; do
            mkdir -p {ROOT}/build/$cache && mount -t tmpfs tmpfs {ROOT}/build/$cache
        done
        mount --bind /bin/false {older.PROGRAM}
        ip link set lo up
        exec "$@"
    """
    prefix = ("unshare", "--mount", "--net", "sh", "-euc", hidden, "sh")
    status, output, errors = boot("true", prefix=prefix)
    assert (status, output) == (1, "")
    assert "uml-new: Debian's newest User Mode Linux cannot be fetched" in errors
    assert "uml-old: the guest ended without a result" in errors
    assert "The lab needs one of these" in errors
    assert len(errors.splitlines()) < 15


def test_no_room_for_its_memory() -> None:
    status, _, errors = boot("true", LAB_KERNEL="uml-old", LAB_MEM="9000000G")
    assert status == 1
    assert errors.splitlines()[-1].startswith("lab: no room for 9000000G of memory")


def test_the_workaround_for_large_states() -> None:
    """A part of the extended state cannot be written without it, on any x86-64 processor."""
    kernel = older.make()
    assert kernel.preload, "needs a C compiler; run tests/setup"
    command = [sys.executable, "-c", PARTIAL]
    plain = subprocess.run(command, capture_output=True, text=True, check=True)
    cured = subprocess.run(
        command,
        env={**os.environ, **kernel.environment()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert plain.stdout.split() == ["ok", "EFAULT", "ok"]
    assert cured.stdout.split() == ["ok", "ok", "ok"]
