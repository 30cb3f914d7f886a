"""What Patroni does with its key in etcd, and nothing else: so failovers take seconds."""

from __future__ import annotations

import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any

import urllib3

from tests.leader.etcd import KEY
from tests.leader.network import Host
from tests.leader.waiting import until
from tests.leader.worker import Worker

LOOP = 0.5  # seconds from one look at the key to the next
_TIMEOUT = 1.0


class NoAnswer(Exception):
    """No member of the store has answered."""


class Contender:
    """Takes the key, under a lease, whenever there is none, and renews the lease.

    Asks from `host`, whose name it writes; what it does not hear of in time it does not know.
    """

    def __init__(self, host: Host, endpoints: Sequence[str], ttl: float) -> None:
        self.leads = False
        """Whether the store has said so lately."""
        self.willing = True
        """Whether to take a key that is free."""
        self._host, self._ttl = host, ttl
        self._endpoints = list(endpoints)
        self._lease: str | None = None
        self._worker = Worker(self._run)

    def stop(self) -> None:
        """As if killed: the lease is left to itself."""
        self._worker.stop()

    def hand_over(self, other: Contender) -> None:
        """Give the key to the other, as in a switchover; returns when it has it."""
        self.willing = False
        with self._host.entered():
            self._post("/v3/kv/deleterange", {"key": _encoded(KEY)})
        until(lambda: other.leads)
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
        """Whether the key is this one's; takes it if it is nobody's."""
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
        """What the first member that answers says; that one is asked first from then on."""
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
