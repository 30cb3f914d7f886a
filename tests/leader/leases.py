"""Patroni's handling of its key in etcd, without a database, so failovers take seconds."""

from __future__ import annotations

import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any

import urllib3

from tests.leader.etcd import KEY
from tests.leader.network import Host
from tests.leader.worker import Worker
from tests.support.waiting import wait_until

LOOP = 0.5  # seconds between two checks of the key
_TIMEOUT = 1.0


class NoAnswer(Exception):
    """No answer from any member of the store."""


class Contender:
    """A contender that takes the key under a lease if it is free, and renews the lease.

    It queries from `host` and writes that host's name. Late answers count as none.
    """

    def __init__(self, host: Host, endpoints: Sequence[str], ttl: float) -> None:
        self.leads = False
        """True if the store has confirmed the leadership at the last turn."""
        self.willing = True
        """True if a free key shall be taken."""
        self._host, self._ttl = host, ttl
        self._endpoints = list(endpoints)
        self._lease: str | None = None
        self._worker = Worker(self._run)

    def stop(self) -> None:
        """Stop as if killed: the lease expires by itself."""
        self._worker.stop()

    def hand_over(self, other: Contender) -> None:
        """Give the key to the other, as in a switchover, and wait until it leads."""
        self.willing = False
        with self._host.entered():
            self._post("/v3/kv/deleterange", {"key": _encoded(KEY)})
        wait_until(lambda: other.leads)
        self.willing = True

    def _run(self, over: threading.Event) -> None:
        with self._host.entered():
            while not over.wait(LOOP if self.leads else LOOP / 5):
                self.leads = self._turn()

    def _turn(self) -> bool:
        try:
            return self._asked()
        except NoAnswer:
            return False

    def _asked(self) -> bool:
        if self._lease is None or not self._renewed(self._lease):
            self._lease = None
            answer = self._post("/v3/lease/grant", {"TTL": str(int(self._ttl))})
            self._lease = str(answer["ID"])
        return self._taken(self._lease) if self.willing else False

    def _renewed(self, lease: str) -> bool:
        answer = self._post("/v3/lease/keepalive", {"ID": lease})
        return int(answer.get("result", {}).get("TTL", 0)) > 0

    def _taken(self, lease: str) -> bool:
        """Take the key if it is free. Return whether it is this contender's."""
        key = _encoded(KEY)
        mine = {"key": key, "value": _encoded(self._host.name), "lease": lease}
        answer = self._post(
            "/v3/kv/txn",
            {
                "compare": [{"key": key, "target": "VERSION", "version": "0"}],
                "success": [{"request_put": mine}],
                "failure": [{"request_range": {"key": key}}],
            },
        )
        if answer.get("succeeded"):
            return True
        (found,) = answer["responses"][0]["response_range"]["kvs"]
        return b64decode(found["value"]).decode() == self._host.name

    def _post(self, path: str, document: object) -> Any:
        """Return the first answer of a member, and query that member first from then on."""
        body = json.dumps(document).encode()
        for endpoint in list(self._endpoints):
            pool = urllib3.connection_from_url(endpoint, timeout=_TIMEOUT, retries=False)
            try:
                answer = pool.urlopen("POST", path, body=body)
            except urllib3.exceptions.HTTPError:
                continue
            finally:
                pool.close()
            if answer.status == 200:
                self._endpoints.remove(endpoint)
                self._endpoints.insert(0, endpoint)
                return json.loads(answer.data.splitlines()[0])
        raise NoAnswer


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()
