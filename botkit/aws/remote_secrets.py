"""Parameter Store and Secrets Manager: many secrets in few calls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from botkit.aws.secrets import Failure
from botkit.aws.secrets_refusals import (
    BINARY,
    EMPTY,
    LEFT_OUT,
    PARAMETER_CURES,
    SECRET_CURES,
    Refusal,
    explain_refusal,
    explain_silence,
    read_refusal,
)
from botkit.wire.connect import Patience, connect_botocore, connect_to

if TYPE_CHECKING:
    from botocore.session import Session

CONNECT_TIMEOUT: Final = 1.0
READ_TIMEOUT: Final = 3.0
"""Seconds. botocore would wait for 60, and LINE waits for two."""

_Found = dict[str, str | Refusal]


def _ask_parameters(client: Any, names: Sequence[str]) -> _Found:
    answer = client.get_parameters(Names=names, WithDecryption=True)
    found: _Found = {name: Refusal("ParameterNotFound") for name in answer.get("InvalidParameters", ())}
    return found | {parameter["Name"]: parameter["Value"] for parameter in answer.get("Parameters", ())}


def _ask_secrets(client: Any, ids: Sequence[str]) -> _Found:
    if len(ids) == 1:  # this needs one permission less
        return {ids[0]: _content(client.get_secret_value(SecretId=ids[0]))}
    answer = client.batch_get_secret_value(SecretIdList=ids)
    found: _Found = {error["SecretId"]: Refusal(error["ErrorCode"]) for error in answer.get("Errors", ())}
    for secret in answer.get("SecretValues", ()):
        found |= dict.fromkeys((secret["Name"], secret["ARN"]), _content(secret))
    return {one: found[one] for one in ids if one in found}


def _content(secret: Mapping[str, Any]) -> str | Refusal:
    text: str | None = secret.get("SecretString")
    if text is None:
        return Refusal(BINARY if "SecretBinary" in secret else LEFT_OUT)
    return text


@dataclass(frozen=True, slots=True)
class _Service:
    """A service that keeps secrets: botocore's name for it, the most names in one call, the call, the cures."""

    name: str
    batch: int
    ask: Callable[[Any, Sequence[str]], _Found]
    cures: Mapping[str, str]


# By kind of reference. The sizes: API references, GetParameters (Names), BatchGetSecretValue (SecretIdList).
SERVICES: Final = {
    "ssm": _Service("ssm", 10, _ask_parameters, PARAMETER_CURES),
    "secretsmanager": _Service("secretsmanager", 20, _ask_secrets, SECRET_CURES),
}


class RemoteSecrets:
    """Fetches secrets from AWS. Lives as long as the process, and makes each client when it is first needed.

    Region, endpoints and credentials are those of `session`, by default from the SDK's own
    environment variables. `attempts` counts the first one; the second is for a connection that
    died while Lambda kept the process frozen.
    """

    def __init__(self, session: "Session | None" = None, attempts: int = 2) -> None:
        self._session = session
        self._patience = Patience(CONNECT_TIMEOUT, READ_TIMEOUT, attempts)
        self._clients: dict[str, Any] = {}
        self._lock = Lock()

    def fetch(self, sources: Sequence[str]) -> dict[str, str | Failure]:
        """The text of each source (`ssm:/path/name`, `secretsmanager:id`), or why there is none."""
        answers: dict[str, str | Failure] = {}
        for kind, service in SERVICES.items():
            names = [source.removeprefix(f"{kind}:") for source in sources if source.startswith(f"{kind}:")]
            found = self._fetch(service, names, service.batch)
            answers |= {f"{kind}:{name}": answer for name, answer in found.items()}
        return answers

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()

    def _fetch(self, service: _Service, names: Sequence[str], size: int) -> dict[str, str | Failure]:
        answers: dict[str, str | Failure] = {}
        for start in range(0, len(names), size):
            answers |= self._fetch_batch(service, names[start : start + size])
            outage = next((one for one in answers.values() if isinstance(one, Failure) and one.retryable), None)
            if outage:  # the rest would run into the same timeouts, one after the other
                return dict.fromkeys(names, outage) | answers
        return answers

    def _fetch_batch(self, service: _Service, names: Sequence[str]) -> dict[str, str | Failure]:
        """What AWS answers; each one alone where AWS refuses all of them, or leaves some out.

        GetParameters refuses all where one is forbidden, and BatchGetSecretValue wants a permission of its own.
        """
        found = self._ask(service, names)
        if isinstance(found, Failure):
            if found.retryable or len(names) == 1:
                return dict.fromkeys(names, found)
            found = {}
        left = [name for name in names if name not in found]
        if left and len(names) == 1:
            return {names[0]: self._explain(service, Refusal(LEFT_OUT))}
        return found | self._fetch(service, left, 1)

    def _ask(self, service: _Service, names: Sequence[str]) -> dict[str, str | Failure] | Failure:
        """One call. A failure is one of all the names."""
        try:
            found = service.ask(self._client(service), names)
        except ClientError as error:
            return self._explain(service, read_refusal(error))
        except BotoCoreError as error:
            return explain_silence(error)
        except ValueError:
            # Clients let these through: an endpoint that is no URL, and an answer not in UTF-8. The error
            # holds the answer, so it goes no further.
            return Failure("cannot be asked for; see that AWS_ENDPOINT_URL, where it is set, is a URL and leads to AWS")
        return {name: self._read(service, one) for name, one in found.items()}

    def _client(self, service: _Service) -> Any:
        with self._lock:  # a session is not safe to share among threads
            if service.name not in self._clients:
                self._clients[service.name] = self._connect(service.name)
            return self._clients[service.name]

    def _connect(self, service: str) -> Any:
        if self._session is None:
            return connect_to(service, self._patience)
        return connect_botocore(service, self._patience, session=self._session)

    def _read(self, service: _Service, found: str | Refusal) -> str | Failure:
        if isinstance(found, Refusal):
            return self._explain(service, found)
        return found.strip() or self._explain(service, Refusal(EMPTY))

    def _explain(self, service: _Service, refusal: Refusal) -> Failure:
        return explain_refusal(refusal, service.cures, self._clients[service.name].meta.region_name)
