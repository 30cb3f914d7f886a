"""Durations and ids of resources in Pacemaker's notation."""

from __future__ import annotations

_MOST_DIGITS = 18
# The units of Pacemaker's crm_get_msec().
UNITS = {
    **dict.fromkeys(("", "s", "sec"), 1.0),
    **dict.fromkeys(("ms", "msec"), 1e-3),
    **dict.fromkeys(("us", "usec"), 1e-6),
    **dict.fromkeys(("m", "min"), 60.0),
    **dict.fromkeys(("h", "hr"), 3600.0),
}


def seconds(text: str) -> float:
    """Return the seconds of a duration; raise ValueError for any other text.

    >>> seconds("10"), seconds("500ms"), seconds("2min")
    (10.0, 0.5, 120.0)
    """
    unit = text.lstrip("0123456789")
    number = text[: len(text) - len(unit)]
    factor = UNITS.get(unit.strip().lower())
    if factor is None or not 0 < len(number) <= _MOST_DIGITS:
        raise ValueError
    return int(number) * factor


def without_instance_number(resource: str) -> str:
    """Return the id of a resource; an instance of a clone may be named ``id:NUMBER``.

    >>> without_instance_number("read-vip:1"), without_instance_number("read-vip")
    ('read-vip', 'read-vip')
    """
    name, colon, number = resource.rpartition(":")
    return name if colon and number.isdecimal() else resource
