"""Packages of another Debian suite, fetched and verified by apt, apart from this machine's own.

apt works on private lists and a private source (apt.conf(5): Dir::Etc::SourceList, Dir::Cache,
Dir::State::Lists); neither the sources of this machine nor its installed packages change.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.lab.boot_job import say
from tests.support.paths import ROOT

CACHE = ROOT / "build" / "debian"
ARCHIVE = "http://deb.debian.org/debian"
OS_RELEASE = Path("/etc/os-release")
INSTALLED = Path("/var/lib/dpkg/status")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
TIMEOUT = 300  # seconds for one download
SILENCE = 15  # seconds without an answer from the archive


class Unavailable(Exception):
    """A package that apt could not fetch, with apt's reason in one line."""


def archive() -> str:
    """Return the URI of the Debian archive that this machine's own apt sources name."""
    form = "$(ORIGIN) $(CODENAME) $(REPO_URI)"
    command = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ARCHIVE
    for line in done.stdout.splitlines():
        origin, codename, *uri = line.split(" ")
        if origin == "Debian" and "-" not in codename and uri:
            return uri[0].rstrip("/")
    return ARCHIVE


def own_suite() -> str:
    """Return the code name of this machine's own suite (os-release(5)).

    Raises Unavailable without one.
    """
    assignments = shlex.split(OS_RELEASE.read_text())
    names = dict(line.split("=", 1) for line in assignments if "=" in line)
    if "VERSION_CODENAME" not in names:
        raise Unavailable(f"{OS_RELEASE} names no suite: this is no Debian release")
    return names["VERSION_CODENAME"]


def unpack(
    suite: str, packages: Sequence[str], cache: Path = CACHE, *, needs: bool = False
) -> Path:
    """Return a directory with the files of these packages of `suite`, fetched if it is not there.

    With `needs` it also has the files of the packages that they depend on and that this machine has
    not installed. The directory is complete once it exists: it is renamed into place. Two processes
    fetch one after the other. Raises Unavailable if apt cannot fetch a package, and OSError if
    there is no room.
    """
    place = cache / suite / "+".join([*sorted(packages), *(["needs"] if needs else [])])
    with only_one(place.parent):
        if not place.is_dir():
            say(f"fetching {', '.join(packages)} of Debian {suite}")
            with beside(place) as new:
                for package in download(suite, packages, new / ".packages", needs=needs):
                    run(["dpkg-deb", "--extract", str(package), str(new)])
                shutil.rmtree(new / ".packages")
                new.rename(place)
    return place


def download(
    suite: str, packages: Sequence[str], directory: Path, *, needs: bool = False
) -> list[Path]:
    """Download these packages of `suite` into an empty directory and return their paths.

    With `needs` also download what they depend on and this machine lacks. Raises Unavailable if apt
    cannot fetch a package.
    """
    if not shutil.which("apt-get"):
        raise Unavailable("apt-get is not installed: this is no Debian")
    options = _private_apt(suite, directory)
    run(["apt-get", *options, "-o", "APT::Update::Error-Mode=any", "update"])
    if needs:
        shutil.copy(INSTALLED, directory / "apt/status")
        action = ["--yes", "--no-install-recommends", "--download-only", "install"]
        run(["apt-get", *options, *action, *packages], directory)
        for package in directory.glob("apt/cache/archives/*.deb"):
            package.rename(directory / package.name)
    else:
        run(["apt-get", *options, "download", *packages], directory)
    found = sorted(directory.glob("*.deb"))
    shutil.rmtree(directory / "apt")
    return found


def _private_apt(suite: str, directory: Path) -> list[str]:
    """Return options with which apt knows `suite` alone and writes below `directory`."""
    apt = directory / "apt"
    for place in ("lists/partial", "cache/archives/partial"):
        (apt / place).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {archive()} {suite} main\n")
    settings = {
        "Dir::Etc::SourceList": apt / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root",  # _apt may not be allowed to enter the directory
        "Acquire::Retries": 0,
        "Acquire::http::Timeout": SILENCE,
        "Acquire::Languages": "none",
    }
    return [
        "-qq",
        *(part for name, value in settings.items() for part in ("-o", f"{name}={value}")),
    ]


@contextlib.contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Wait until no other process fetches packages into this directory."""
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def beside(place: Path) -> Iterator[Path]:
    """Make an empty directory beside `place`, and remove those that interrupted runs have left."""
    for old in place.parent.glob("new-*"):
        shutil.rmtree(old)
    new = Path(tempfile.mkdtemp(prefix="new-", dir=place.parent))
    new.chmod(0o755)
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def run(command: Sequence[str], directory: Path | None = None, timeout: int = TIMEOUT) -> None:
    """Run a command without output.

    Raises Unavailable, with the first line of its errors, if it fails.
    """
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[0]} was not done after {timeout} s") from None
    except FileNotFoundError:
        raise Unavailable(f"{command[0]} is not installed; run tests/setup") from None
    except OSError as error:
        raise Unavailable(f"{command[0]}: {error.strerror}") from None
    if done.returncode:
        raise Unavailable(_error(done) or f"{command[0]} failed ({done.returncode})")


def _error(done: subprocess.CompletedProcess[str]) -> str:
    """Return the first error that apt names, else the first line that is not empty."""
    lines = [*filter(None, done.stderr.splitlines()), *filter(None, done.stdout.splitlines())]
    return next((line for line in lines if line.startswith("E: ")), lines[0] if lines else "")
