"""Preparation, on the fast host system, of the files of a cluster in a slow guest.

The directory on the command line receives: `usr`, the result of `make install` and the daemon of
remote nodes, to be laid over /usr; `bin`, programs that only shells have in their PATH;
`postgresql.tar`, the data of a PostgreSQL server, to be copied; `locales`, which this system may
lack; and `configurations`, the CIBs that the examples and remote.sh make, changed by timeouts.py.
These scripts run pcs on a file until they push it. That needs no cluster, but takes a minute in a
guest.

It runs in its own mount namespace: see `run` beside this file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.cluster import postgres, shellfuncs
from tests.cluster.addresses import LANGUAGES, NODES, OUTSIDE, READ_VIP, REMOTE, WRITE_VIP
from tests.cluster.corosync import first_cib
from tests.cluster.paths import HERE
from tests.cluster.timeouts import relax_timeouts
from tests.debian import suite
from tests.support.paths import ROOT

# A file replaces the cluster's CIB, and pushed CIBs are kept.
PCS = """#!/bin/sh
case "$*" in
    "cluster cib "*) cp "$BEFORE" "$3" ;;
    "cluster cib-push "*) cp "$3" "$AFTER" ;;
    *) exec /usr/sbin/pcs "$@" ;;
esac
"""

# The nodes will have this interface, but this machine may lack it.
IP = """#!/bin/sh
[ "$*" = "link show dev eth0" ]
"""

# Variables in which this cluster differs from the defaults of the examples.
VARIABLES = {
    "WRITE_VIP": WRITE_VIP,
    "READ_VIP": READ_VIP,
    "PG_BIN": str(postgres.BIN),
    "PG_DATA": str(postgres.DATA),
    "PG_CONFIG": str(postgres.DATA / "postgresql.conf"),
    "PG_CONFIG_DIR": str(postgres.DATA),
    "OUTSIDE": OUTSIDE,
    "REMOTE": REMOTE,
    "ANSWER": "15",  # Python alone takes seconds here
    "NOTICE": "20",
    "DRAIN": "10",
    "VIP": READ_VIP,
    "DCS_ENDPOINTS": f"http://{OUTSIDE}:2379",
    "GRACE": "30s",
}

# Configurations under another name than the script's, with other variables.
VARIANTS = {
    "4-roles-IPaddr2": ("4-roles", {"VIP_AGENT": "ocf:heartbeat:IPaddr2"}),
}


REMOTE_EXECUTOR = "pacemaker-remote"  # a package of this machine's own suite

# Modules that a configuration depends on, besides the scripts.
MODULES = ("prepare", "timeouts", "corosync", "addresses", "paths", "postgres")

Job = tuple[str, Path, Mapping[str, str]]
"""The name of a configuration, the script that makes it, and variables for this one alone."""


def prepare(directory: Path) -> None:
    """Make all files, except the ones that an earlier run has made from the same sources."""
    directory.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(directory / "usr", ignore_errors=True)
    install(directory)
    install_remote_executor(directory / "usr/sbin")
    archive_template(directory / postgres.ARCHIVE)
    make_locales(directory / "locales")
    mount("overlay", "usr", "/usr", f"lowerdir={directory}/usr:/usr")
    places, stamp = directory / "configurations", directory / "stamp"
    wanted = fingerprint()
    if not stamp.exists() or stamp.read_text() != wanted:
        configure_all(places)
        stamp.write_text(wanted)


def fingerprint() -> str:
    """Return a digest of all sources of a configuration."""
    patterns = ("examples/*.sh", "tests/cluster/*.sh", "lib/**/*.py")
    found = {path for pattern in patterns for path in ROOT.glob(pattern)}
    found |= {HERE / f"{module}.py" for module in MODULES}
    content = b"".join(path.read_bytes() for path in sorted(found))
    return hashlib.sha256(content).hexdigest()


def configure_all(places: Path) -> None:
    """Run all scripts in parallel, because each mostly runs one pcs after the other."""
    shutil.rmtree(places, ignore_errors=True)
    places.mkdir()
    (places / "before.xml").write_text(first_cib(NODES))
    others = (ROOT / "examples/vip-leader.sh", HERE / "remote.sh")
    paths = [*ROOT.glob("examples/[0-9]*.sh"), *others]
    scripts = {path.stem: path for path in paths}
    jobs: list[Job] = [(name, scripts[name], {}) for name in sorted(scripts)]
    jobs += [(name, scripts[stem], variables) for name, (stem, variables) in VARIANTS.items()]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(lambda job: configure(places, *job), jobs))


def install(directory: Path) -> None:
    """Install lvsdr and the nodes' other programs."""
    command(["make", "-s", "-C", str(ROOT), "install", f"DESTDIR={directory}"])
    functions = directory / "usr" / shellfuncs.PLACE
    functions.parent.mkdir(parents=True)
    functions.write_text(shellfuncs.adapted(("/usr" / shellfuncs.PLACE).read_text()))
    (directory / "bin").mkdir(exist_ok=True)
    shutil.copy(HERE / "on", directory / "bin")


def install_remote_executor(place: Path) -> None:
    """Copy pacemaker-remoted there.

    Its package conflicts with `pacemaker`, so it is only unpacked. Raises SystemExit if it cannot
    be fetched.
    """
    try:
        files = suite.unpack(suite.own_suite(), [REMOTE_EXECUTOR])
    except suite.Unavailable as error:
        raise SystemExit(f"cluster: the package {REMOTE_EXECUTOR}: {error}") from None
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(files / "usr/sbin/pacemaker-remoted", place)


def archive_template(archive: Path) -> None:
    """Archive the data of a new server.

    It is made below /run, because the user postgres may lack access to the directory.
    """
    mount("tmpfs", "tmpfs", "/run", "mode=755")
    data = postgres.make_template(Path("/run/postgresql"))
    command(["tar", "--create", "--file", str(archive), "--directory", str(data), "."])


def make_locales(place: Path) -> None:
    """Compile the locales, unless an earlier run did."""
    place.mkdir(exist_ok=True)
    for name in LANGUAGES:
        language, _, charset = name.partition(".")
        if not (place / name).exists():
            command(["localedef", "-i", language, "-f", charset, str(place / name)])


def configure(places: Path, name: str, script: Path, variables: Mapping[str, str]) -> None:
    """Run a script that configures a cluster, and keep the pushed CIB under this name."""
    after = places / f"{name}.xml"
    with tempfile.TemporaryDirectory() as directory:
        executable(Path(directory) / "pcs", PCS)
        executable(Path(directory) / "ip", IP)
        environment = {
            **VARIABLES,
            **variables,
            "TMPDIR": directory,
            "PATH": f"{directory}:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "BEFORE": str(places / "before.xml"),
            "AFTER": str(after),
        }
        command(["/bin/sh", "-eu", str(script)], environment)
    after.write_text(relax_timeouts(after.read_text()))


def executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def mount(kind: str, device: str, place: str, options: str = "defaults") -> None:
    command(["mount", "-t", kind, "-o", options, device, place])


def command(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run a command without output. Raise SystemExit with its output if it fails."""
    done = subprocess.run(
        argv,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"cluster: {list(argv)} failed ({done.returncode}):\n{done.stdout}")


if __name__ == "__main__":
    os.umask(0o022)
    prepare(Path(sys.argv[1]))
