"""The parts of the typing module that the library needs at run time, without its import.

The typing module and its processing of annotations would cost a fifth of a monitor's run.  Type
checkers see the real module.  At run time these stand-ins provide classes of named fields with
defaults and methods, and subscripts without effect.

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
        """The metaclass that adds methods to a class of collections.namedtuple."""

        def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, object]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            fields = namespace.pop("__annotations__", {})
            defaults = [namespace.pop(field) for field in fields if field in namespace]
            named_tuple = namedtuple(
                name, fields, defaults=defaults, module=namespace["__module__"]
            )
            for attribute, value in namespace.items():
                if attribute not in ("__module__", "__classcell__"):
                    setattr(named_tuple, attribute, value)
            named_tuple.__annotations__ = fields
            return named_tuple

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
