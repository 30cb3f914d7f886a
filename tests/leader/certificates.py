"""Certificates for the tests, made by openssl as an administrator would."""

from __future__ import annotations

from pathlib import Path

from tests.support.processes import run

_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


class Authority:
    """A certificate authority with the files of all signed certificates: name.crt, name.key."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        self.directory = directory
        self._name = name
        directory.mkdir(parents=True, exist_ok=True)
        subject = ["-subj", f"/CN={name}", "-days", "2"]
        run(["openssl", "req", "-x509", *_KEY, *subject, *self._out(name)])

    def file(self, name: str) -> str:
        return str(self.directory / name)

    @property
    def certificate(self) -> str:
        return self.file(f"{self._name}.crt")

    def sign(self, name: str, *addresses: str, subject: str = "") -> None:
        """Make key and certificate for these addresses."""
        extensions = self.directory / f"{name}.extensions"
        names = ",".join(f"IP:{address}" for address in addresses)
        extensions.write_text(f"subjectAltName={names}\n")
        request = self.file(f"{name}.csr")
        key = ["-keyout", self.file(f"{name}.key"), "-out", request]
        run(["openssl", "req", *_KEY, "-subj", subject or f"/CN={name}", *key])
        signer = ["-CA", self.certificate, "-CAkey", self.file(f"{self._name}.key")]
        signed = ["-out", self.file(f"{name}.crt"), "-extfile", str(extensions), "-days", "2"]
        run(["openssl", "x509", "-req", "-in", request, *signer, "-CAcreateserial", *signed])

    def _out(self, name: str) -> list[str]:
        return ["-keyout", self.file(f"{name}.key"), "-out", self.file(f"{name}.crt")]
