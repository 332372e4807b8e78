"""The signature of a webhook: Base64 of HMAC-SHA256 over the raw body (LINE reference: Signature validation)."""

import base64
import hmac
from collections.abc import Iterable


def sign(secret: str, body: bytes) -> str:
    """What LINE sends as `x-line-signature` with `body`, for the channel secret `secret`."""
    # A secret comes from an environment that may hold any bytes; it must never make this raise.
    key = secret.encode("utf-8", "surrogatepass")
    return base64.b64encode(hmac.digest(key, body, "sha256")).decode("ascii")


def verify(secrets: Iterable[str], body: bytes, signature: str) -> bool:
    """Whether one of `secrets` (several while a secret is rotated) has signed `body`. Never raises.

    Every secret is tried, also after a match, so the time taken does not tell which one it was.
    """
    given = signature.encode("utf-8", "surrogatepass")
    verified = False
    for secret in secrets:
        matches = hmac.compare_digest(sign(secret, body).encode("ascii"), given)
        # Anybody can sign with an empty secret, so it proves nothing.
        verified |= matches and secret != ""
    return verified
