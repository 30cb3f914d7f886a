"""What the library needs of the typing module at run time, without importing it.

The typing module, and what it makes of the annotations of a named tuple, would be a fifth of all
that a monitor does.  Type checkers see the real thing; these stand-ins behave like it where it
matters: classes of named fields with defaults and methods, and subscripts that change nothing.

>>> class Point(NamedTuple):
...     x: int
...     y: int = 0
...     def shifted(self) -> Point:
...         return self._replace(x=self.x + 1)
>>> Point(1).shifted()
Point(x=2, y=0)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generic as Generic
    from typing import NamedTuple as NamedTuple
    from typing import TypeVar as TypeVar
    from typing import cast as cast
else:
    from collections import namedtuple

    class _NamedTupleMeta(type):
        """Makes the class that collections.namedtuple makes, with what else is in the body."""

        def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, object]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            fields = namespace.pop("__annotations__", {})
            defaults = [namespace.pop(field) for field in fields if field in namespace]
            made = namedtuple(name, fields, defaults=defaults, module=namespace["__module__"])
            for attribute, value in namespace.items():
                if attribute not in ("__module__", "__classcell__"):
                    setattr(made, attribute, value)
            made.__annotations__ = fields
            return made

    class NamedTuple(metaclass=_NamedTupleMeta):
        pass

    class Generic:
        __slots__ = ()

        def __class_getitem__(cls, _parameters: object) -> type:
            return cls

    def TypeVar(name: str) -> str:  # noqa: N802
        return name

    def cast(_type: object, value: object) -> object:
        return value
