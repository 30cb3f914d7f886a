"""The parameters as documentation."""

from __future__ import annotations

from lvsdr.ocf.parameter_docs import fill_paragraphs, render_manual, render_table
from lvsdr.ocf.parameters import defaulted, deprecated, optional, required
from lvsdr.ocf.value_parsers import one_of, whole_number

PORT = required("port", whole_number(1, 9), short="Port", long="The port.", unique_group="service")
MODE = defaulted(
    "mode", one_of("a", "b"), "a", short="Mode", long="Either a\n    or b | c.", reloadable=True
)
FILE = optional("file", str, short="File", long="A file.\n\nOf some kind.")
OLD = deprecated("old", FILE)


def test_the_table() -> None:
    assert render_table([PORT, MODE, FILE, OLD]) == (
        "| parameter | default | meaning |\n"
        "|---|---|---|\n"
        "| `port` | required | The port. |\n"
        "| `mode` | `a` | Either a or b \\| c. |\n"
        "| `file` |  | A file. Of some kind. |\n"
        "| `old` |  | Deprecated name of file. |\n"
    )


def test_the_manual() -> None:
    assert render_manual([PORT, MODE, FILE, OLD]) == (
        '.TP\n.BR port " (required, unique group service)"\n'
        "The port.\n.IP\nLegal: a whole number from 1 to 9.\n"
        '.TP\n.BR mode " (default a, changed without a restart)"\n'
        "Either a or b | c.\n.IP\nLegal: a or b.\n"
        '.TP\n.BR file " (not set)"\n'
        "A file. Of some kind.\n"
        '.TP\n.BR old " (deprecated, use file)"\n'
        "Deprecated name of file.\n"
    )


def test_the_manual_escapes_special_characters_of_roff() -> None:
    odd = optional("odd", str, short="Odd", long='.so /etc/passwd \\n -s "rr"')
    assert render_manual([odd]) == (
        '.TP\n.BR odd " (not set)"\n\\&.so /etc/passwd \\en \\-s \\(dqrr\\(dq\n'
    )


def test_long_paragraphs_are_filled_and_examples_kept() -> None:
    text = f"{'word ' * 40}\n\n    kept   as\n    it is\n\n\nlast"
    lines = fill_paragraphs(text).splitlines()
    assert max(map(len, lines)) <= 78
    assert lines[-5:] == ["", "    kept   as", "    it is", "", "last"]
    assert fill_paragraphs("") == ""
