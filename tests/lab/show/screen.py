"""Layout of a demonstration: headlines, paragraphs, tables; colour or plain, 80 to 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TextIO, Union

INDENT = "  "
GAP = "  "
FIRST = 7  # columns, at least, of a table's first column, so that tables line up
ASCII = str.maketrans("─│┌┐┼█…", "-|+++#~")
SGR = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


class Styled(NamedTuple):
    """A piece of text in a style, one of SGR, or "" for none."""

    text: str
    style: str


Cell = Union[str, Styled]


class Screen:
    """Screen that writes lines of at most `width` columns to `stream`, unbuffered."""

    def __init__(self, stream: TextIO, width: int, *, colour: bool, unicode: bool) -> None:
        self.width = width
        self._stream = stream
        self._colour = colour
        self._unicode = unicode

    @classmethod
    def on(cls, stream: TextIO, environ: Mapping[str, str]) -> Screen:
        """Return the screen for this stream and environment.

        Colours need a terminal, and NO_COLOR disables them (no-color.org).
        """
        columns = environ.get("COLUMNS", "")
        colour = stream.isatty() or bool(environ.get("FORCE_COLOR"))
        unwanted = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
        return cls(
            stream,
            min(100, max(80, int(columns) if columns.isdecimal() else 80)),
            colour=colour and not unwanted,
            unicode=environ.get("LAB_CHARMAP") == "UTF-8",
        )

    def line(self, *cells: Cell) -> None:
        """Write these cells side by side, at any length; without cells, write an empty line."""
        text = "".join(map(self._painted, cells)).rstrip()
        print(text if self._unicode else text.translate(ASCII), file=self._stream, flush=True)

    def _painted(self, cell: Cell) -> str:
        text, style = (cell, "") if isinstance(cell, str) else cell
        return f"\033[{SGR[style]}m{text}\033[0m" if text and style and self._colour else text

    def headline(self, title: str) -> None:
        """Write a title into a rule that spans the screen."""
        rule = "─" * (self.width - len(title) - 3)
        self.line()
        self.line(Styled("─", "dim"), " ", Styled(title, "bold"), " ", Styled(rule, "dim"))
        self.line()

    def paragraph(self, text: str, style: str = "") -> None:
        """Write a text, wrapped."""
        room = self.width - len(INDENT)
        for line in textwrap.wrap(text.strip(), room, break_on_hyphens=False):
            self.line(INDENT, Styled(line, style))

    def quote(self, text: str, style: str = "") -> None:
        """Write one line, cut at the width of the screen."""
        self.line(INDENT, self._cut(Styled(text, style), len(INDENT)))

    def table(self, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
        """Write rows below a header.

        Columns are aligned, and the last one is cut at the width of the screen.
        """
        label, *titles = header
        top = [Styled(label, "bold"), *(Styled(title, "dim") for title in titles)]
        cells: list[Sequence[Cell]] = [top, *rows]
        widths = [max(map(_length, column)) for column in zip(*cells)]
        for row in cells:
            self._row(row, [max(FIRST, widths[0]), *widths[1:]])

    def _row(self, row: Sequence[Cell], widths: Sequence[int]) -> None:
        padded: list[Cell] = [INDENT]
        for cell, width in zip(row[:-1], widths):
            padded += [cell, " " * (width - _length(cell)), GAP]
        taken = sum(map(_length, padded))
        self.line(*padded, self._cut(row[-1], taken))

    def _cut(self, cell: Cell, taken: int) -> Cell:
        text, style = (cell, "") if isinstance(cell, str) else cell
        room = self.width - taken
        return Styled(text if len(text) <= room else f"{text[: room - 1]}…", style)


def _length(cell: Cell) -> int:
    return len(cell if isinstance(cell, str) else cell.text)
