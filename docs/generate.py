"""Generator of the parts of the documentation that repeat declarations: ``make docs``.

With ``--check`` it changes nothing, and names the documents that are not current.
Two lines of a document mark the place of a generated part. They contain its title and ``begin``, or
its title and ``end``. These titles exist:

- ``parameters of AGENT``: the parameters of an agent, in ``docs/reference`` and the man pages;
- ``options of vip-manager``: the options of the daemon, in the same places;
- ``tested systems``: the records of ``make other-systems`` in ``docs/tested.json``;
- ``measured ...``: the records of ``make bench-peers`` in ``docs/peers.json``.

The first line of a man page has the version and its date.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "lib"), str(ROOT)]

from lvsdr import __date__, __version__  # noqa: E402
from lvsdr.agents import AGENTS, describe_agent  # noqa: E402
from lvsdr.ocf.parameter_docs import render_manual, render_table  # noqa: E402
from lvsdr.ocf.parameters import Parameter  # noqa: E402
from lvsdr.vipmanager.options import OPTIONS, Option  # noqa: E402

from docs import peer_tables  # noqa: E402

TESTED = ROOT / "docs/tested.json"
PEERS = ROOT / "docs/peers.json"


class Form(NamedTuple):
    """The way in which a kind of document shows parameters and options."""

    parameters: Callable[[Iterable[Parameter[Any]]], str]
    options: Callable[[Iterable[Option]], str]


def documents() -> Iterable[tuple[Path, Form]]:
    """Yield each document that may have generated parts, with its form."""
    measured = ROOT / "README.md", ROOT / "docs/comparison.md"
    for page in (*measured, *sorted((ROOT / "docs/reference").glob("*.md"))):
        yield page, Form(render_table, option_table)
    for page in sorted((ROOT / "docs/man").glob("*.[0-9]")):
        yield page, Form(render_manual, option_manual)


def current(text: str, form: Form) -> str:
    """Return the document with all of its generated parts renewed."""
    for name in AGENTS:
        generated = form.parameters(describe_agent(name).all_parameters)
        text = placed(text, f"parameters of {name}", generated)
    text = placed(text, "options of vip-manager", form.options(OPTIONS))
    text = placed(text, "tested systems", tested_table(json.loads(TESTED.read_text())))
    for title, generated in peer_tables.parts(json.loads(PEERS.read_text())).items():
        text = placed(text, f"measured {title}", generated)
    return titled(text)


def titled(text: str) -> str:
    """Return the text with the date and the version in the title of a man page.

    >>> print(titled('.TH tool 1 "" lvsdr "manual"'))  # doctest: +ELLIPSIS
    .TH tool 1 ... "lvsdr ..." "manual"
    """
    title = rf'\1 {__date__} "lvsdr {__version__}" \2'
    return re.sub(r'^(\.TH \S+ \d) \S+ (?:\w+|"[^"]*") (".*")$', title, text, flags=re.MULTILINE)


def placed(text: str, title: str, generated: str) -> str:
    """Return the text with the generated part between the two lines that mark its place."""
    begin, end = (rf"^.*{title} {word}.*\n" for word in ("begin", "end"))
    place = re.search(f"{begin}((?s:.*?)){end}", text, re.MULTILINE)
    return text[: place.start(1)] + generated + text[place.end(1) :] if place else text


def option_table(options: Iterable[Option]) -> str:
    """Return the table of the daemon's options."""
    head = ["option", "variable", "default", "meaning", "old names"]
    return peer_tables.render_table([head, *map(option_row, options)])


def option_row(option: Option) -> list[str]:
    """Return the cells of one option.

    >>> option_row(Option("ip", str, "The address.", metavar="ADDRESSES", old_names=("vip",)))
    ['`--ip ADDRESSES`', '`VIP_IP`', '', 'The address.', '`vip`']
    """
    flag = f"--{option.name} {option.metavar}".strip()
    default = "" if option.default is None else f"`{option.default}`"
    old = ", ".join(f"`{name}`" for name in option.old_names)
    return [f"`{flag}`", f"`{option.variable}`", default, option.help.replace("|", r"\|"), old]


def option_manual(options: Iterable[Option]) -> str:
    r"""Return the options as the body of a section of a manual page (man(7)).

    >>> print(option_manual([Option("dcs-type", str, "The store.", "etcd", metavar="TYPE")]))
    .TP
    .BR \-\-dcs\-type " " \fITYPE\fR
    The store. Default: etcd.
    <BLANKLINE>
    """
    return "".join(option_entry(option) for option in options)


def option_entry(option: Option) -> str:
    """Return one option for a manual page."""
    value = rf' " " \fI{option.metavar}\fR' if option.metavar else ""
    text = option.help
    if option.default is not None and option.metavar:
        text += f" Default: {option.default}."
    if option.old_names:
        text += f" Old names: {', '.join(option.old_names)}."
    macro, name, text = ("BR" if value else "B"), roff(f"--{option.name}"), roff(text)
    return f".TP\n.{macro} {name}{value}\n{text}\n"


def roff(text: str) -> str:
    """Return text in which hyphens stay hyphens; the help of options has no other special sign."""
    return text.replace("-", r"\-")


def tested_table(rows: list[dict[str, str]]) -> str:
    """Return the table of the systems that tests ran on."""
    return (
        peer_tables.render_table([list(rows[0]), *(list(row.values()) for row in rows)])
        if rows
        else ""
    )


def main() -> int:
    """Write the documents. With ``--check``, name the stale ones and return 1."""
    stale = []
    for path, form in documents():
        text = path.read_text()
        wanted = current(text, form)
        if text != wanted:
            stale.append(str(path.relative_to(ROOT)))
            if "--check" not in sys.argv:
                path.write_text(wanted)
    for name in stale:
        print(f"{name}: {'not current, run make docs' if '--check' in sys.argv else 'written'}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
