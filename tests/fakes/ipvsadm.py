"""ipvsadm over the fake kernel, in the place of a runner of programs."""

from __future__ import annotations

from collections.abc import Sequence

from lvsdr.system.locking import list_held
from lvsdr.system.process.run import Result
from lvsdr.values.deadline import Deadline

from tests.fakes.kernel import FakeKernel


class FakeIpvsadm:
    """Runner of ``ipvsadm -R`` and ``-Sn`` that records its calls.

    It dies after ``lines`` lines, if given.
    """

    def __init__(self, kernel: FakeKernel, lines: int | None = None) -> None:
        self._kernel = kernel
        self._lines = lines
        self.calls: list[str] = []

    def __call__(
        self,
        argv: Sequence[str],
        deadline: Deadline,
        *,
        stdin: bytes = b"",
        keep: tuple[int, ...] = (),
    ) -> Result:
        assert keep == list_held()
        assert not deadline.is_expired()
        program, option = argv
        assert program == "ipvsadm"
        self.calls.append(option)
        if option == "-Sn":
            return Result(0, self._kernel.saved().encode(), b"")
        assert option == "-R"
        messages = self._kernel.restore(stdin.decode(), self._lines)
        said = "".join(f"{message}\n" for message in messages)
        return Result(0 if self._lines is None else 137, b"", said.encode())
