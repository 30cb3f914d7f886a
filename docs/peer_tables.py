"""Tables of the comparison with other software, from the figures of ``make bench-peers``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

OURS = "lvsdr"
DIRECT = "directly"

IDLE = 0.7  # load of a machine without other work; the lab adds one processor to it
UNMEASURED = "Not measured yet: `make bench-peers` writes this part.\n"

Row = Mapping[str, Any]


def parts(figures: Mapping[str, Any]) -> dict[str, str]:
    """Return the generated parts, by the titles that mark their places in documents."""
    reaction, reads = figures.get("reaction"), figures.get("reads")
    return {
        "reaction": reaction_table(reaction) if reaction else UNMEASURED,
        "reaction in short": short_reaction_table(reaction) if reaction else UNMEASURED,
        "reads": reads_table(reads) if reads else UNMEASURED,
        "reads in short": short_reads_table(reads) if reads else UNMEASURED,
        "configurations": configurations(figures) or UNMEASURED,
    }


def render_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown; the first row is its head."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


# --- reaction


def reaction_table(figures: Mapping[str, Any]) -> str:
    """Return a row for each product and a column for each fault, with conditions and verdicts."""
    rows = figures["rows"]
    faults = faults_of(rows)
    body = [
        [name, *cells(own, faults, reaction_cell), str(sum(row["lost"] for row in own))]
        for name, own in by_product(rows).items()
    ]
    table = render_table([["product, check", *faults, "sessions lost elsewhere"], *body])
    verdicts = "".join(map(reaction_verdict, by_fault(rows)))
    return f"{conditions(figures)}\n{table}\n{verdicts}{not_measured(figures)}"


def short_reaction_table(figures: Mapping[str, Any]) -> str:
    """Return the same table with the times alone."""
    rows = figures["rows"]
    faults = faults_of(rows)
    body = [[name, *cells(own, faults, last_time)] for name, own in by_product(rows).items()]
    return render_table([["product, check", *faults], *body]) + brief_conditions(figures)


def cells(own: Sequence[Row], faults: Sequence[str], form: Callable[[Row], str]) -> list[str]:
    """Return the cells of a product, one for each fault."""
    found = {row["fault"]: form(row) for row in own}
    return [found.get(fault, "not measured") for fault in faults]


def faults_of(rows: Sequence[Row]) -> list[str]:
    """Return the faults in their order."""
    return list(dict.fromkeys(row["fault"] for row in rows))


def by_product(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows of each product."""
    names = dict.fromkeys(row["product"] for row in rows)
    return {name: [row for row in rows if row["product"] == name] for name in names}


def by_fault(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the rows of each fault."""
    return [[row for row in rows if row["fault"] == fault] for fault in faults_of(rows)]


def last_time(row: Row) -> str:
    """Return the time of the last wrong connection.

    >>> last_time({"last": 3.14, "unnoticed": False})
    '3.1 s'
    >>> last_time({"last": 44.0, "unnoticed": True}), last_time({"last": None})
    ('not noticed', 'none')
    """
    if row["last"] is None:
        return "none"
    return "not noticed" if row["unnoticed"] else f"{row['last']:.1f} s"


def reaction_cell(row: Row) -> str:
    """Return the reaction to one fault.

    >>> reaction_cell({"last": 3.1, "unnoticed": False, "connections": 400, "wrong": 20,
    ...     "delayed": 2, "slowest": 3.04, "broken": "reset"})
    '3.1 s; 20 of 400, 2 delayed (3.0 s); there: reset'
    """
    delayed = f", {row['delayed']} delayed ({row['slowest']:.1f} s)" if row["delayed"] else ""
    counted = f"{row['wrong']} of {row['connections']}{delayed}"
    return f"{last_time(row)}; {counted}; there: {row['broken']}"


def reaction_verdict(rows: Sequence[Row]) -> str:
    """Return a line that names the product with the fewest wrong connections.

    >>> print(reaction_verdict([
    ...     {"product": "lvsdr, tcp", "fault": "killed", "wrong": 20},
    ...     {"product": "HAProxy", "fault": "killed", "wrong": 0},
    ... ]), end="")
    - killed: fewest wrong connections with HAProxy (0); lvsdr, tcp: 20. HAProxy is better.
    """
    best = min(rows, key=lambda row: int(row["wrong"]))
    ours = min(
        (row for row in rows if row["product"].startswith(OURS)),
        key=lambda row: int(row["wrong"]),
    )
    line = f"- {best['fault']}: fewest wrong connections with {best['product']} ({best['wrong']})"
    if best["product"] == ours["product"]:
        return f"{line}.\n"
    compared = f"{line}; {ours['product']}: {ours['wrong']}."
    better = f" {best['product'].split(',')[0]} is better." if _beats(best, ours) else ""
    return f"{compared}{better}\n"


def _beats(best: Row, ours: Row) -> bool:
    return int(best["wrong"]) < int(ours["wrong"])


# --- reads


def reads_table(figures: Mapping[str, Any]) -> str:
    """Return a row for each path, with conditions and verdicts."""
    rate = f"{figures['rate']:g}/s"
    head = [
        *("path", "full speed", "latency", "CPU of all", f"at {rate}: latency"),
        *("CPU of all", "more than directly", "processes on the middle host"),
    ]
    fixed = {row["product"]: row for row in figures["fixed"]}
    direct = fixed[DIRECT]["all"]
    body = [_reads_row(row, fixed[row["product"]], direct) for row in figures["full"]]
    table = render_table([head, *body])
    return f"{conditions(figures)}\n{table}\n{reads_verdict(figures)}{not_measured(figures)}"


def short_reads_table(figures: Mapping[str, Any]) -> str:
    """Return the same table with one figure of each run."""
    fixed = {row["product"]: row for row in figures["fixed"]}
    body = [_reads_short(row, fixed[row["product"]]) for row in figures["full"]]
    table = render_table([["path", "full speed", f"CPU at {figures['rate']:g}/s"], *body])
    return table + brief_conditions(figures)


def _reads_short(full: Row, fixed: Row) -> list[str]:
    return [full["product"], f"{full['rate']:.0f} tps", f"{fixed['all']:.2f} ms"]


def _reads_row(full: Row, fixed: Row, direct: float) -> list[str]:
    return [
        full["product"],
        f"{full['rate']:.0f} tps",
        f"{full['latency']:.1f} ms",
        f"{full['all']:.2f} ms",
        f"{fixed['latency']:.1f} ms",
        f"{fixed['all']:.2f} ms",
        "" if fixed["product"] == DIRECT else f"{100 * (fixed['all'] / direct - 1):+.0f} %",
        "" if fixed["product"] == DIRECT else f"{fixed['middle']:.2f} ms",
    ]


def reads_verdict(figures: Mapping[str, Any]) -> str:
    """Return lines that name the product with the best figures, the direct path excluded."""
    full = [row for row in figures["full"] if row["product"] != DIRECT]
    fixed = [row for row in figures["fixed"] if row["product"] != DIRECT]
    fastest = max(full, key=lambda row: float(row["rate"]))["product"]
    cheapest = min(fixed, key=lambda row: float(row["all"]))["product"]
    return f"- fastest at full speed: {fastest}.\n- least CPU per transaction: {cheapest}.\n"


# --- both


def conditions(figures: Mapping[str, Any]) -> str:
    """Return the date, the machine and the versions of a measurement."""
    machine = figures["machine"]
    busy = ""
    if was_busy(machine):
        loads = f"{machine['load']:.1f} before and {machine['load_after']:.1f} after"
        busy = f", load {loads}: the machine was busy with other work"
    versions = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    return (
        f"Measured on {figures['date']}: {machine['processor']}, {machine['cores']} cores{busy};\n"
        f"{figures['kernel']};\n{versions}.\n"
    )


def was_busy(machine: Mapping[str, Any]) -> bool:
    """Return whether the machine had other work."""
    return bool(machine["load"] > IDLE or machine["load_after"] > IDLE + 1)


def brief_conditions(figures: Mapping[str, Any]) -> str:
    """Return the date and the kernel of a measurement."""
    busy = ", on a busy machine" if was_busy(figures["machine"]) else ""
    return f"\nMeasured on {figures['date']}{busy}: {figures['kernel']}.\n"


def not_measured(figures: Mapping[str, Any]) -> str:
    """Return a line for each product that failed in the measurement.

    >>> not_measured({"missing": {"pgpool-II": "it does not start"}})
    '- pgpool-II is not measured: it does not start.\\n'
    """
    missing = figures["missing"].items()
    return "".join(f"- {name} is not measured: {reason}.\n" for name, reason in missing)


def configurations(figures: Mapping[str, Any]) -> str:
    """Return all configurations, each once, indented as code."""
    texts: dict[str, list[str]] = {}
    for part in figures.values():
        for name, text in part["configurations"].items():
            names = texts.setdefault(text, [])
            if name not in names:
                names.append(name)
    return "\n".join(
        f"{' / '.join(names)}:\n\n"
        + "".join(f"    {line}\n" if line else "\n" for line in text.rstrip().splitlines())
        for text, names in texts.items()
    )
