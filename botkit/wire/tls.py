"""The TLS context that all connections of the process share: making one reads every certificate authority there is."""

import os
import ssl
from functools import lru_cache
from threading import Lock

from botkit.wire.modules import load

_making = Lock()


def tls_context(bundle: str | None = None) -> ssl.SSLContext:
    """The context that trusts what OpenSSL trusts here, or else the authorities in the PEM file `bundle` alone.

    Certificates and host names are verified. OpenSSL's own places can be changed by SSL_CERT_FILE and
    SSL_CERT_DIR. Made when it is first asked for. Raises OSError where `bundle` holds no certificates.
    """
    with _making:  # else threads that begin together would each make one
        return _context(bundle)


@lru_cache(maxsize=4)
def _context(bundle: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=bundle)
    if bundle is None and _trusts_nobody(context):
        context.load_verify_locations(load("certifi").where())
    return context


def _trusts_nobody(context: ssl.SSLContext) -> bool:
    """Whether nothing is installed where OpenSSL looks, as beside python.org's Python for macOS."""
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        return False  # somebody has said whom to trust
    # A folder's certificates are read one by one when they are needed, so the context does not count them.
    folder = ssl.get_default_verify_paths().capath
    return context.cert_store_stats()["x509_ca"] == 0 and not (folder and os.listdir(folder))
