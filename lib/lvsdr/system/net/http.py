"""Single requests over HTTP or HTTPS: the only importer of urllib3, loaded on demand.

Every request opens its own connection, so that none waits on one that died quietly.  Each failure
raises SourceUnavailable, with a sentence that contains no secret.
"""

from __future__ import annotations

from ...dependencies import from_package
from ...errors import Refused, SourceUnavailable
from ...values.deadline import Deadline
from ...values.light_typing import NamedTuple
from ...values.parsing import join_endpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_LONGEST_BODY = 1024 * 1024  # bytes of an answer
_LONGEST_LINE = 64 * 1024  # bytes of a line
_PIECE = 64  # bytes between checks of the deadline: a server may send single bytes


class Endpoint(NamedTuple):
    """The server of a request; an IPv6 address has no brackets here."""

    host: str
    port: int
    tls: bool = False
    address: str | None = None
    """The address to connect to; None: any address of ``host``."""

    def __str__(self) -> str:
        return f"http{'s' * self.tls}://{join_endpoint(self.host, self.port)}"


class Trust(NamedTuple):
    """Files in PEM form: the authority of the servers, and this client's certificate and key.

    Without ``authority``, the authorities of the system are trusted.
    """

    authority: str | None = None
    certificate: str | None = None
    key: str | None = None


class Request(NamedTuple):
    """A request; ``path`` starts with a slash and is already quoted."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = {}


class Response(NamedTuple):
    """An answer; the names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def exchange(endpoint: Endpoint, request: Request, trust: Trust, deadline: Deadline) -> Response:
    """Send a request and return the whole answer, whatever its status."""
    with _Exchange(endpoint, request, trust, deadline) as answer:
        body = bytearray()
        for piece in answer.stream(_PIECE):
            body += piece
            if len(body) > _LONGEST_BODY:
                raise SourceUnavailable(f"answered more than {_LONGEST_BODY} bytes")
            _require_time(deadline)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status, headers, bytes(body))


def stream_lines(
    endpoint: Endpoint, request: Request, trust: Trust, deadline: Deadline
) -> Iterator[Response]:
    """Send a request and yield each line of the answer, until its end or the deadline."""
    with _Exchange(endpoint, request, trust, deadline) as answer:
        line = bytearray()
        for piece in answer.stream(1):
            line += piece
            if line.endswith(b"\n") or len(line) > _LONGEST_LINE:
                yield Response(answer.status, {}, bytes(line))
                line.clear()
            _require_time(deadline)
        if line:
            yield Response(answer.status, {}, bytes(line))


class _Exchange:
    """A connection with an answer on it; translates every failure to SourceUnavailable."""

    def __init__(
        self, endpoint: Endpoint, request: Request, trust: Trust, deadline: Deadline
    ) -> None:
        self._urllib3 = _import_urllib3()
        self._endpoint, self._request = endpoint, request
        self._trust, self._deadline = trust, deadline
        self._pool: Any = None

    def __enter__(self) -> Any:
        try:
            return self._open()
        except Exception as error:
            self._close()
            raise self._translate_error(error) from None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self._close()
        if isinstance(error, Exception):
            raise self._translate_error(error) from None

    def _open(self) -> Any:
        seconds_left = _require_time(self._deadline)
        host, port, tls, address = self._endpoint
        method, path, body, headers = self._request
        tls_settings = _build_tls_settings(self._trust) if tls else {}
        if tls and address is not None:
            tls_settings.update(assert_hostname=host, server_hostname=host)
        kind = self._urllib3.HTTPSConnectionPool if tls else self._urllib3.HTTPConnectionPool
        timeout = self._urllib3.Timeout(total=seconds_left)
        self._pool = kind(address or host, port, timeout=timeout, retries=False, **tls_settings)
        from .bounded import (
            build_bounded_class,  # imports socket: too costly for describing a store
        )

        self._pool.ConnectionCls = build_bounded_class(kind.ConnectionCls, self._deadline)
        headers = {"Host": str(self._endpoint).partition("://")[2], **headers}
        options: dict[str, Any] = {"redirect": False, "preload_content": False}
        self._answer = self._pool.urlopen(method, path, body=body, headers=headers, **options)
        return self._answer

    def _close(self) -> None:
        answer, pool = getattr(self, "_answer", None), self._pool
        if answer is not None:
            answer.close()
        if pool is not None:
            pool.close()

    def _translate_error(self, error: Exception) -> Exception:
        known_errors = (self._urllib3.exceptions.HTTPError, OSError, ValueError)
        if not isinstance(error, known_errors):
            return error
        is_refused = any(isinstance(cause, ConnectionRefusedError) for cause in _walk_causes(error))
        return (
            Refused(_describe_cause(error))
            if is_refused
            else SourceUnavailable(_describe_cause(error))
        )


def _require_time(deadline: Deadline) -> float:
    if deadline.is_expired():
        raise SourceUnavailable("no answer in time")
    return deadline.remaining()


def _describe_cause(error: BaseException) -> str:
    """Return the cause of an error, in a few words; urllib3 wraps system errors several times."""
    causes = list(_walk_causes(error))
    for cause in causes:
        if getattr(cause, "verify_message", ""):
            return f"its certificate is not valid: {getattr(cause, 'verify_message', '')}"
    for cause in causes:
        if isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__:
            return "no answer in time"
        if type(cause).__name__ == "SSLError" and getattr(cause, "reason", None):
            return f"TLS: {getattr(cause, 'reason', '')}".replace("_", " ").lower()
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    for cause in causes:
        if "Cert" in type(cause).__name__:  # the certificate of another host, rejected by urllib3
            return f"its certificate is not valid: {cause}"
    if any(type(cause) in (ValueError, UnicodeEncodeError) for cause in causes):
        # The original text "Invalid header value ..." would show a token.
        return (
            "the request cannot be sent: a configured value has a character that is illegal in HTTP"
        )
    # urllib3 raises and catches TypeError internally.
    relevant_causes = [cause for cause in causes if not isinstance(cause, TypeError)]
    return str(relevant_causes[-1]) or type(relevant_causes[-1]).__name__


def _walk_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and the errors that it wraps, outermost first."""
    yield error
    for inner in (*error.args, error.__cause__, error.__context__):
        if isinstance(inner, BaseException):
            yield from _walk_causes(inner)


def _import_urllib3() -> Any:
    """Return the module; raise NotInstalled without it."""
    with from_package("python3-urllib3"):
        import urllib3
    return urllib3


def _build_tls_settings(trust: Trust) -> dict[str, Any]:
    """Return urllib3's settings for TLS; it reads the files anew for every connection."""
    for path in filter(None, trust):
        _require_readable(path)
    files = {"ca_certs": trust.authority, "cert_file": trust.certificate, "key_file": trust.key}
    return {"cert_reqs": "CERT_REQUIRED", **files}


def _require_readable(path: str) -> None:
    """Raise SourceUnavailable for an unreadable file.

    The error of OpenSSL would not name the file.
    """
    try:
        with open(path, "rb"):
            return
    except OSError as error:
        raise SourceUnavailable(f"cannot read {path}: {error.strerror}") from None
