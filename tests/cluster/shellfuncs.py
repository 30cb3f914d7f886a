"""The library of the shell agents, as the nodes have it: its differences, and their reasons.

Debian's is resource-agents 4.12, ocf-shellfuncs.
"""

from __future__ import annotations

from pathlib import Path

PLACE = Path("lib/ocf/lib/heartbeat/ocf-shellfuncs")  # below /usr

# The library calls `crm_attribute -p -v -INFINITY` for a shell agent. Pacemaker 2.1.5 takes the
# last argument for a name. It understands the long option.
SHORT, LONG = "/crm_attribute -p ", "/crm_attribute --promotion "

# The library takes seven processes to compare two versions, 25 ms each in a guest, and a monitor of
# pgsql compares ten. Versions that this function cannot judge are left to the original.
COMPARE, ORIGINAL = "ocf_version_cmp() {", "ocf_version_cmp_original() {"
QUICK = """
ocf_version_cmp() {
	case "$1 $2" in
	*[!0-9.\\ ]* | *\\ *\\ * | [.\\ ]* | *\\ | *\\ .*) ocf_version_cmp_original "$@"; return ;;
	esac
	[ "$1" = "$2" ] && return 1
	local left="$1...." right="$2...." field a b
	for field in 1 2 3 4; do
		a=${left%%.*} b=${right%%.*}
		left=${left#*.} right=${right#*.}
		[ "${a:-0}" -lt "${b:-0}" ] && return 0
		[ "${a:-0}" -gt "${b:-0}" ] && return 2
	done
	ocf_version_cmp_original "$@"
}
"""


def adapted(library: str) -> str:
    """Return the text of the library for the nodes."""
    before, found, after = library.replace(SHORT, LONG).partition(COMPARE)
    if not found:
        return before
    body, end, rest = after.partition("\n}\n")
    return f"{before}{ORIGINAL}{body}{end}{QUICK}{rest}"
