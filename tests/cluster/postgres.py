"""PostgreSQL on the machines: a primary and standbys, in the state from which a cluster starts.

The data is made once and then copied: a standby may start from a copy of a cleanly stopped server.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cluster.machine import Machine
from tests.cluster.paths import prepared
from tests.support.processes import run
from tests.support.waiting import wait_until

VERSIONS = Path("/usr/lib/postgresql")
# The default is for modules that only import this one: tests/setup has installed a server.
BIN = max(VERSIONS.glob("[1-9][0-9]/bin"), default=VERSIONS / "none/bin")
HOME = Path("/var/lib/postgresql")
DATA = HOME / BIN.parent.name / "main"
SOCKETS = "/var/run/postgresql"
ARCHIVE = "postgresql.tar"  # of the data; it takes a fifth of the system calls of copying files
PORT = 5432
SLOTS = 60
USER = "postgres"
REPLICATION, MONITOR = "replication", "lvsdr"  # users, and their passwords

# Small, without fsync, and without processes that the tests do not need.
CONF = f"""
listen_addresses = '*'
port = {PORT}
unix_socket_directories = '{SOCKETS}'
max_connections = {SLOTS}
shared_buffers = 8MB
fsync = off
full_page_writes = off
autovacuum = off
jit = off
max_logical_replication_workers = 0
max_worker_processes = 2
max_wal_senders = 10
min_wal_size = 8MB
max_wal_size = 64MB
wal_keep_size = 1GB
wal_level = replica
wal_retrieve_retry_interval = 1s
wal_receiver_timeout = 10s
wal_sender_timeout = 10s
hot_standby = on
recovery_target_timeline = 'latest'
logging_collector = on
log_directory = '/var/log/postgresql'
log_filename = 'postgresql.log'
log_file_mode = 0644
log_line_prefix = '%m [%p] %r '
log_checkpoints = off
include 'node.conf'
"""

HBA = """
local all all trust
host all all 0.0.0.0/0 trust
host all all ::/0 trust
local replication all trust
host replication all 0.0.0.0/0 trust
host replication all ::/0 trust
"""

ROLES = f"""
CREATE ROLE {REPLICATION} LOGIN REPLICATION PASSWORD '{REPLICATION}' IN ROLE pg_monitor
CREATE ROLE {MONITOR} LOGIN PASSWORD '{MONITOR}' IN ROLE pg_monitor
"""
PASSFILE = "".join(f"*:*:*:{user}:{user}\n" for user in (REPLICATION, MONITOR))


def _as_postgres(*argv: object) -> list[str]:
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *map(str, argv)]


def make_template(place: Path) -> Path:
    """Make the data that all servers are copies of, in a directory that does not exist yet."""
    place.mkdir()
    shutil.chown(place, USER, USER)
    data = place / "data"
    kind = ["--no-locale", "--encoding=UTF8", "--wal-segsize=1", "--auth=trust"]
    quick = ["--no-sync", "--no-instructions"]
    run(_as_postgres(BIN / "initdb", "-D", data, *kind, *quick))
    (data / "postgresql.conf").write_text(CONF)
    (data / "pg_hba.conf").write_text(HBA)
    (data / "node.conf").touch()
    single = [BIN / "postgres", "--single", "-F", "-D", data, "postgres"]
    run(_as_postgres(*single), stdin=ROLES)
    return data


def conninfo(primary: str, application: str) -> str:
    """Return the conninfo with which a standby follows the primary at this address."""
    return f"host={primary} port={PORT} user={REPLICATION} application_name={application}"


def install(machine: Machine, primary: str, application: str | None = None) -> None:
    """Put a fresh copy on a machine, as a standby of the owner of the address `primary`.

    A fresh copy can follow a primary that has run for a while, because a primary keeps all its WAL.
    `application` is its name in the primary's list of standbys, by default the machine's name. It
    stays a standby unless `lead` is called.
    """
    home = machine.disk / HOME.relative_to("/")
    # the directory itself stays, because it is mounted
    run(["find", str(home), "-mindepth", "1", "-delete"])
    _data(machine).mkdir(parents=True)
    archive = prepared() / ARCHIVE
    run(["tar", "--extract", "--file", str(archive), "--directory", str(_data(machine))])
    name = application or machine.name
    settings = {"cluster_name": machine.name, "primary_conninfo": conninfo(primary, name)}
    lines = [f"{setting} = '{value}'\n" for setting, value in settings.items()]
    (_data(machine) / "node.conf").write_text("".join(lines))
    _signal(machine).touch()
    passfile = home / ".pgpass"
    passfile.write_text(PASSFILE)
    passfile.chmod(0o600)
    for path in (passfile, _data(machine).parent, _signal(machine)):
        shutil.chown(path, USER, USER)


def lead(machine: Machine) -> None:
    """Make the copy on a machine the primary, before its first start."""
    _signal(machine).unlink()


def _data(machine: Machine) -> Path:
    return machine.disk / DATA.relative_to("/")


def _signal(machine: Machine) -> Path:
    return _data(machine) / "standby.signal"


def start(machine: Machine) -> None:
    """Start the server of a machine that no cluster controls. Wait until it accepts queries."""
    log = "/var/log/postgresql/start.log"
    machine.run(_as_postgres(BIN / "pg_ctl", "start", "-D", DATA, "-w", "-s", "-l", log))


def stop(machine: Machine) -> None:
    """Stop the server."""
    machine.run(_as_postgres(BIN / "pg_ctl", "stop", "-D", DATA, "-m", "fast", "-s"))


def pid(machine: Machine) -> str:
    """Return the process id, on the machine, of the postmaster; "" if there is none."""
    try:
        lines = (_data(machine) / "postmaster.pid").read_text().split()
    except FileNotFoundError:
        return ""
    return lines[0] if lines else ""


def kill(machine: Machine) -> None:
    """Kill only the postmaster, with SIGKILL."""
    machine.run(["kill", "-KILL", pid(machine)])


def ask(machine: Machine, query: str) -> str:
    """Return the result of a query on a machine's server, unaligned and without a heading."""
    psql = ["psql", "-X", "-A", "-t", "-h", SOCKETS, "-p", str(PORT), "-U", USER]
    return machine.run([*psql, "-c", query, "postgres"]).stdout.strip()


def wait_for_standbys(primary: Machine, *names: str, seconds: float = 60.0) -> None:
    """Wait until exactly these are streaming from a primary."""
    query = "select application_name from pg_stat_replication where state = 'streaming'"
    wait_until(
        lambda: sorted(ask(primary, query).split()),
        lambda seen: seen == sorted(names),
        f"{', '.join(names)} stream from {primary.name}",
        seconds,
        pause=1.0,
    )
