"""What AWS says instead of giving a secret, in our words and with the cure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  botocore's own name for it
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from botkit.aws.secrets import Failure

E = TypeVar("E", bound=Exception)

PASSING: Final = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "InternalServerError",
        "InternalServiceError",
    }
)
"""Refusals that pass by themselves, beside all those with a 5xx."""

NO_CREDENTIALS: Final = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    ProfileNotFound,
    SSOError,
)

EMPTY: Final = "botkit.Empty"
BINARY: Final = "botkit.Binary"
LEFT_OUT: Final = "botkit.LeftOut"
"""Our own codes, beside AWS's, for answers without a secret."""

_CREDENTIALS: Final = (
    "is refused, because AWS does not accept the credentials; renew them, or check the function's role"
)
_ANY: Final = {
    EMPTY: "is empty; put the value in",
    LEFT_OUT: "is not in the answer that AWS gave; see that AWS_ENDPOINT_URL, where it is set, leads to AWS",
    "UnrecognizedClientException": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "InvalidSignatureException": _CREDENTIALS,
    "IncompleteSignature": _CREDENTIALS,
    "ExpiredTokenException": _CREDENTIALS,
    "MissingAuthenticationTokenException": _CREDENTIALS,
}
_KEY: Final = "cannot be decrypted; see that its KMS key is enabled, and allow the role kms:Decrypt on it"
_NO_ID: Final = "is not an id that Secrets Manager takes; write the secret's name or ARN"

PARAMETER_CURES: Final = _ANY | {
    "ParameterNotFound": "is not in Parameter Store in {region}; create it, or correct the name or the region",
    "AccessDeniedException": "may not be read; allow the role ssm:GetParameters on it, and kms:Decrypt on its key",
    "InvalidKeyId": _KEY,
    "ValidationException": "is not a name that Parameter Store takes; correct it",
}
SECRET_CURES: Final = _ANY | {
    BINARY: "is binary; store it as text",
    "ResourceNotFoundException": (
        "is not in Secrets Manager in {region}, or has no value yet; create it, or correct the id or the region"
    ),
    "AccessDeniedException": (
        "may not be read; allow the role secretsmanager:GetSecretValue on it, and kms:Decrypt on its key"
    ),
    "DecryptionFailure": _KEY,
    "InvalidRequestException": "cannot be read as it is; where it is marked for deletion, restore it",
    "InvalidParameterException": _NO_ID,
    "ValidationException": _NO_ID,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """AWS's code, or one of ours, for why there is no secret; the HTTP status and the error where there are any."""

    code: str
    status: int = 0
    cause: ClientError | None = None


def read_refusal(error: ClientError) -> Refusal:
    """The refusal in botocore's error."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return Refusal(error.response["Error"]["Code"], status, _bare(error))


def explain_refusal(refusal: Refusal, cures: Mapping[str, str], region: str) -> Failure:
    """The failure to keep for a refusal."""
    text = cures.get(refusal.code, f"is refused by AWS ({refusal.code})").format(region=region)
    # 501 is how a stand-in for AWS says that it does not know the operation.
    passing = refusal.code in PASSING or (refusal.status >= 500 and refusal.status != 501)
    return Failure(text, passing, refusal.cause)


def explain_silence(error: BotoCoreError) -> Failure:
    """The failure to keep where AWS gave no answer, or was not asked at all."""
    if isinstance(error, NoRegionError):
        return Failure("cannot be asked for without an AWS region; set AWS_DEFAULT_REGION", cause=_bare(error))
    if isinstance(error, NO_CREDENTIALS):
        text = "cannot be asked for without AWS credentials; give the function a role, or set AWS_PROFILE"
        # Where credentials are fetched from a role's endpoint, that may be out of order for a moment.
        return Failure(text, isinstance(error, CredentialRetrievalError), _bare(error))
    if isinstance(error, (ConnectionError, HTTPClientError)):
        return Failure(f"cannot be asked for, because AWS does not answer: {error}", True, _bare(error))
    return Failure(f"cannot be asked for: {error}", cause=_bare(error))


def _bare(error: E) -> E:
    # A failure is kept. Tracebacks would keep the frames alive, with the secrets that came in the same call,
    # and some error reports print a frame's variables.
    error.__context__ = None
    return error.with_traceback(None)
