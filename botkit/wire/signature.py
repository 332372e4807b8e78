"""AWS Signature Version 4 for the one request that botkit makes: a POST of JSON to `/`."""

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

ALGORITHM: Final = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request is signed with. `token` goes with a role's credentials, and a user's have none."""

    key: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


class Signer:
    """Signs the requests to one service in one region; lives as long as the client, shared by its threads.

    (AWS IAM user guide: Create a signed AWS API request.)
    """

    def __init__(self, credentials: Credentials, region: str, service: str) -> None:
        self._credentials = credentials
        self._region = region
        self._service = service
        self._key_of_day = ("", b"")

    def sign(self, headers: Mapping[str, str], body: bytes, now: float) -> dict[str, str]:
        """The headers, all of them signed, and those that prove it. `Host` is among them; `now`: s since 1970."""
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        signed = {**headers, "X-Amz-Date": moment}
        if self._credentials.token is not None:
            signed["X-Amz-Security-Token"] = self._credentials.token
        return {**signed, "Authorization": self._authorization(signed, body, moment)}

    def _authorization(self, headers: Mapping[str, str], body: bytes, moment: str) -> str:
        fields = sorted((name.lower(), value) for name, value in headers.items())
        names = ";".join(name for name, _ in fields)
        lines = "".join(f"{name}:{value}\n" for name, value in fields)
        request = f"POST\n/\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
        scope = f"{moment[:8]}/{self._region}/{self._service}/aws4_request"
        text = f"{ALGORITHM}\n{moment}\n{scope}\n{sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(self._key(moment[:8]), text.encode(), "sha256").hex()
        return f"{ALGORITHM} Credential={self._credentials.key}/{scope}, SignedHeaders={names}, Signature={signature}"

    def _key(self, day: str) -> bytes:
        """The key of a day, made once: four hashes that need not be paid for by every request."""
        known, key = self._key_of_day
        if known != day:
            key = f"AWS4{self._credentials.secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key_of_day = day, key
        return key
