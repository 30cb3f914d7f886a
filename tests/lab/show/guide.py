"""Guide of the demonstration: runs actions of the agent, and compares results with promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from lvsdr.errors import ExitCode, SourceUnavailable
from lvsdr.pacemaker.cluster import ClusterState
from lvsdr.pool.change_messages import Row
from lvsdr.pool.model import Outcome

from tests.lab.client import Session, State
from tests.lab.operation import AgentResult
from tests.lab.show.demo_cluster import CONNECTIONS, DemoCluster
from tests.lab.show.screen import Cell, Screen, Styled

VERDICTS = {
    Outcome.IN: Styled("in", "green"),
    Outcome.WITHDRAWN: Styled("withdrawn", "yellow"),
    Outcome.FAILED: Styled("failed", "red"),
    Outcome.UNKNOWN: Styled("unknown", "cyan"),
}
FATES = {
    State.ALIVE: Styled("goes on", "green"),
    State.RESET: Styled("was reset", "red"),
    State.ENDED: Styled("was ended", "red"),
    State.SILENT: Styled("hangs", "red"),
}
LEVELS = ("INFO: ", "WARNING: ", "ERROR: ")
NODES = ("node1", "node2", "node3")


class Unexpected(AssertionError):
    """A step that did not show its promised result."""


class Seen(NamedTuple):
    """Effects of an action of the agent, by node."""

    weights: dict[str, int]
    spread: dict[str, int]
    """The number of new connections."""
    sessions: dict[str, State]
    """The state of sessions that were opened in earlier steps."""


class Guide:
    """Guide through the steps that are played on `cluster` and shown on `screen`."""

    def __init__(self, cluster: DemoCluster, screen: Screen) -> None:
        self.cluster = cluster
        self._screen = screen
        self._cluster: dict[str, tuple[str, ...]] = {}

    def tell(self, text: str) -> None:
        """Print the events in the cluster."""
        self._screen.paragraph(text)
        self._screen.line()

    def remark(self, text: str) -> None:
        """Print a remark below the results."""
        self._screen.line()
        self._screen.paragraph(text, "dim")

    def play(self, action: str, exits: ExitCode = ExitCode.SUCCESS) -> Seen:
        """Run an action of the agent, open connections, and show all of it.

        Raises Unexpected if the exit code differs, or the table is not that of the verdicts.
        """
        self._show_cluster()
        rows = self.cluster.verdicts()
        self._show_verdicts(rows)
        result = self.cluster.agent(action)
        if result.exit_code != exits:
            raise Unexpected(f"{action} exits {result.exit_code}, not {exits:d}:\n{result.stderr}")
        self._show_words(f"{action} exits {exits:d} (OCF_{exits.name})", result)
        weights = self.cluster.weights()
        implied = {row.host: row.weight_after for row in rows if row.weight_after is not None}
        check("the kernel's table follows from the verdicts", weights, implied)
        sessions = self.cluster.sessions()
        return Seen(weights, self._show_connections(sessions), sessions)

    def lay_path(self) -> None:
        """Let the agents lay the packet path, and show the log of each."""
        said: list[str] = []
        for host, agent, result in self.cluster.lay_path():
            if result.exit_code != ExitCode.SUCCESS:
                raise Unexpected(f"{agent} on {host} exits {result.exit_code}:\n{result.stderr}")
            words = list(_logged(result))
            self._screen.line(f"  {host}  {agent}", "  says the same" if words == said else "")
            for line in words if words != said else ():
                self._screen.quote(f"log: {line}", "dim")
            said = words
        self._screen.line()

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Show that a promise was kept. Raise Unexpected if it was not."""
        check(what, found, wanted)
        self._screen.line("  ", Styled("ok", "green"), f"  {what}")

    def expect_spread(self, seen: Seen, **wanted: int) -> None:
        """Show that new connections are spread over nodes as wanted, and reach no other node."""
        shares = ", ".join(f"{number} on {node}" for node, number in wanted.items())
        self.expect(f"{CONNECTIONS} new connections: {shares}", seen.spread, wanted)

    def expect_sessions(self, seen: Seen, **wanted: State) -> None:
        """Show that earlier sessions are in the wanted state, by node."""
        fates = [f"the session on {node} {FATES[fate].text}" for node, fate in wanted.items()]
        self.expect(", ".join(fates), seen.sessions, wanted)

    # --- health checks

    @contextmanager
    def checking(self, check: str) -> Iterator[None]:
        """Have a watcher make this health check, until the end of the block."""
        for parameters in ({"watch": "true", "realserver_check": check}, {}):
            result = self.cluster.reload(parameters)
            if result.exit_code != ExitCode.SUCCESS:
                raise Unexpected(f"reload-agent exits {result.exit_code}:\n{result.stderr}")
            if parameters:
                yield

    def await_withdrawal(self, node: str) -> None:
        """Wait until the watcher has had a node withdrawn; show the time and the reason."""
        seconds = self.cluster.await_weight(node, 0)
        self._show_cluster()
        self._screen.quote(f"lvsdr: {self.cluster.last_verdict(node)}", "dim")
        self._screen.line()
        kept = self.cluster.weights().get(node, 0)
        self.expect(f"{node} gets no new connections after {seconds:.1f} s", kept, 0)

    def await_return(self, node: str) -> None:
        """Wait until the watcher has had a node brought back; show the time."""
        seconds = self.cluster.await_weight(node, 1)
        weight = self.cluster.weights()[node]
        self.expect(f"{node} answers again, and serves after {seconds:.1f} s", weight, 1)

    # --- parts of the screen

    def _show_cluster(self) -> None:
        try:
            state = self.cluster.state()
        except SourceUnavailable as error:
            self._screen.paragraph(str(error), "red")
        else:
            before, now = self._cluster, {node: _resources(node, state) for node in state.nodes}
            header = ("crm_mon", "state", "pgsql", "lvsdr-realsvr", "pgsql-status")
            rows = [[node, *_news(row, before.get(node, row))] for node, row in now.items()]
            self._screen.table(header, rows)
            self._cluster = now
        self._screen.line()

    def _show_verdicts(self, rows: Iterable[Row]) -> None:
        cells = [(row.host, VERDICTS[row.verdict.outcome], row.verdict.reason) for row in rows]
        self._screen.table(("lvsdr", "verdict", "because"), cells)

    def _show_words(self, ended: str, result: AgentResult) -> None:
        """Show the end of the action and its log, except lines that its reason repeats."""
        for line in _logged(result):
            if line.partition(": ")[2] not in result.reason:
                self._screen.quote(f"log: {line}", "dim")
        if result.reason:
            self._screen.paragraph(f"{ended}: {result.reason}", "yellow")
        else:
            self._screen.paragraph(ended, "dim")
        self._screen.line()

    def _show_connections(self, before: dict[str, State]) -> dict[str, int]:
        """Show the kernel's table and the real servers of new connections while these are open."""
        sessions = self._connected()
        self._screen.line("  ", Styled("ipvsadm -Ln", "bold"))
        for line in self.cluster.table().splitlines()[1:]:
            self._screen.line("  ", line)
        self._screen.line()
        spread = Counter(session.host for session in sessions)
        rows = [_bar(node, spread[node], before.get(node)) for node in NODES]
        new = f"{CONNECTIONS} new connections".ljust(CONNECTIONS)
        self._screen.table(("clients", "", new, "opened earlier" if before else ""), rows)
        self._screen.line()
        self.cluster.release(sessions)
        return dict(sorted(spread.items()))

    def _connected(self) -> list[Session]:
        try:
            return self.cluster.connect()
        except (OSError, EOFError) as error:
            raise Unexpected(f"a new connection fails: {error!r}") from error


def check(what: str, found: object, wanted: object) -> None:
    """Compare a result with the wanted one. Raise Unexpected when they differ."""
    if found != wanted:
        raise Unexpected(f"not so: {what}\n  expected  {wanted}\n  found     {found}")


def _resources(node: str, state: ClusterState) -> tuple[str, ...]:
    """Return a node's state in crm_mon, the roles of its two resources, and the attribute."""
    online = state.nodes[node].online

    def role(resource: str) -> str:
        roles = [it.role.value for it in state.resources[resource] if it.node == node]
        return next(iter(roles), "Stopped" if online else "-")

    status = state.attributes.get(node, {}).get("pgsql-status", "-")
    presence = "online" if online else "OFFLINE"
    return presence, role("pgsql-clone"), role("lvsdr-realsvr-clone"), status


def _news(row: Iterable[str], before: Iterable[str]) -> list[Cell]:
    """Return the cells of a row, with those that have changed in bold type."""
    return [new if new == old else Styled(new, "bold") for new, old in zip(row, before)]


def _logged(result: AgentResult) -> list[str]:
    """Return the agent's log lines, from the level on."""
    lines = result.stderr.splitlines()
    return [line[line.index(level) :] for line in lines for level in LEVELS if level in line]


def _bar(node: str, connections: int, before: State | None) -> list[Cell]:
    fate = "" if before is None else FATES[before]
    return [node, f"{connections:2}", Styled("█" * connections, "green"), fate]
