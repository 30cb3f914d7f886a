"""ipvsadm over the timeouts of a fake kernel, in the place of a runner of programs."""

from __future__ import annotations

from collections.abc import Sequence

from lvsdr.system.locking import list_held
from lvsdr.system.process.run import Result
from lvsdr.values.deadline import Deadline

_MOST = 86400 * 31  # seconds: MAX_TIMEOUT of ipvsadm.c


class FakeTimeouts:
    """Runner of ``ipvsadm -L --timeout`` and ``--set``; ``broken`` makes each call fail."""

    def __init__(self) -> None:
        self.values = [900, 120, 300]
        self.broken = False
        self.deaf = False
        self.calls: list[tuple[str, ...]] = []

    def __call__(
        self,
        argv: Sequence[str],
        deadline: Deadline,
        *,
        stdin: bytes = b"",
        keep: tuple[int, ...] = (),
    ) -> Result:
        assert keep == list_held()
        assert not stdin
        assert not deadline.is_expired()
        program, *options = argv
        assert program == "ipvsadm"
        self.calls.append(tuple(options))
        if self.broken:
            return Result(1, b"", b"Can't initialize ipvs: Protocol not available\n")
        if options == ["-L", "--timeout"]:
            return Result(0, f"Timeout (tcp tcpfin udp): {self.shown}\n".encode(), b"")
        option, *texts = options
        assert option == "--set"
        return self._set(texts)

    @property
    def shown(self) -> str:
        return " ".join(map(str, self.values))

    def _set(self, texts: list[str]) -> Result:
        if not all(text.isdecimal() and int(text) <= _MOST for text in texts):
            return Result(2, b"", b"illegal timeout specified\n")
        if not self.deaf:
            pairs = zip(map(int, texts), self.values)
            self.values = [new or old for new, old in pairs]
        return Result(0, b"", b"")
