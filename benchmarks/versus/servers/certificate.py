"""The certificate of the servers, and the file of those that their clients trust."""

import ssl
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

import certifi

MAKE: Final = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
    "-addext subjectAltName=IP:127.0.0.1,DNS:localhost"
)


class Certificate(NamedTuple):
    """Where the servers' own files are, and the one that clients read."""

    chain: Path
    key: Path
    trusted: Path


def make_certificate(folder: Path) -> Certificate:
    """Make a certificate for 127.0.0.1 in a folder."""
    made = Certificate(folder / "server.pem", folder / "server.key", folder / "ca.pem")
    subprocess.run([*MAKE.split(), "-keyout", str(made.key), "-out", str(made.chain)], check=True, capture_output=True)
    # Clients trust the usual hundred beside it, because reading them is a part of every cold start.
    made.trusted.write_bytes(Path(certifi.where()).read_bytes() + made.chain.read_bytes())
    return made


def server_context(certificate: Certificate) -> ssl.SSLContext:
    """TLS as the servers speak it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context
