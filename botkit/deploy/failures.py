"""What AWS refuses, in plain words: what could not be done, why, and what to do."""

import errno
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    ConnectionError,  # noqa: A004  botocore's own name for it
    CredentialRetrievalError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    SSLError,
    SSOError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from botkit.errors import DeployError

UNKNOWN_KEY: Final = (
    "AWS does not accept the access key: see `aws sts get-caller-identity`, renew it with `aws configure`, "
    "or see that the region is switched on for the account"
)
EXPIRED: Final = "the AWS credentials have expired: log in again (`aws sso login`), or set new ones"
NOT_SIGNED: Final = (
    "AWS does not accept the signature: AWS_SECRET_ACCESS_KEY is not the one of this access key, or this machine's "
    "clock is wrong"
)
BUSY: Final = "AWS asks to slow down, also after some patience: try again in a minute"
LIMIT: Final = "a limit of the account is reached ({message}): have it raised under Service Quotas, or free something"

CURES: Final = {
    **dict.fromkeys(("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"), UNKNOWN_KEY),
    **dict.fromkeys(("AuthFailure", "MissingAuthenticationToken", "MissingAuthenticationTokenException"), UNKNOWN_KEY),
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken"), EXPIRED),
    **dict.fromkeys(("SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"), NOT_SIGNED),
    **dict.fromkeys(("RequestTimeTooSkewed", "RequestExpired"), "this machine's clock is wrong: set it, and try again"),
    **dict.fromkeys(("Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded"), BUSY),
    **dict.fromkeys(("SlowDown", "TooManyRequestsException", "RequestThrottled", "PriorRequestNotComplete"), BUSY),
    **dict.fromkeys(("LimitExceededException", "LimitExceeded", "ServiceQuotaExceededException"), LIMIT),
    "TooManyBuckets": LIMIT,
    "OperationAborted": "AWS is still at work on it: try again in a minute",
    "OptInRequired": "the AWS account is not activated for this service: finish its sign-up in the console",
    "SubscriptionRequiredException": "the AWS account is not activated for this service: finish its sign-up",
}
"""By AWS's error code what it means; `{message}` is AWS's own words."""

DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403", "Forbidden"}
)

ACTIONS: Final = {
    "HeadBucket": "s3:ListBucket",
    "HeadObject": "s3:GetObject and s3:ListBucket",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CopyObject": "s3:GetObject and s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
    "PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
}
"""By the operation the permission that it needs, where AWS does not say (service authorization reference: S3)."""

# What must not be read over a shoulder: access keys and session tokens, signatures, presigned addresses.
_SECRETS: Final = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}|(?:X-Amz-(?:Signature|Credential|Security-Token)|Signature|Credential)=[^\s&,]+",
    re.IGNORECASE,
)
LONGEST: Final = 400
"""Characters of AWS's own words that are shown."""


@contextmanager
def in_plain_words(what: str, hidden: Collection[str] = ()) -> Iterator[None]:
    """Turns what botocore raises into a DeployError: `cannot WHAT: why, and what to do`.

    `what` is a verb with its object; `hidden` are values that may stand in AWS's words and must not be shown.
    The error of botocore is not chained to it: it may hold what was sent.
    """
    try:
        yield
    except ClientError as error:
        raise DeployError(f"cannot {what}: {refusal(error, hidden)}") from None
    except ParamValidationError as error:
        # Its report shows what was given, so only the names are told.
        names = ", ".join(dict.fromkeys(re.findall(r"parameter (\w+)", str(error)))) or "a value"
        raise DeployError(f"cannot {what}: AWS takes no such {names}; correct it") from None
    except BotoCoreError as error:
        raise DeployError(f"cannot {what}: {_silence(error, hidden)}") from None
    except (ResponseParserError, ValueError, KeyError):
        # An answer that is not AWS's, and an endpoint that is no URL; the texts hold what came.
        raise DeployError(f"cannot {what}: {_STRANGER}") from None
    except OSError as error:
        raise DeployError(f"cannot {what}: {local(error)}") from None


def local(error: OSError) -> str:
    """What this machine refuses, and what to do."""
    where = f": {error.filename}" if isinstance(error.filename, str) else ""
    cure = "make room on the disk" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "see what stands in the way"
    return f"{error.strerror or error}{where}; {cure}, and try again"


_STRANGER: Final = "what answers is not AWS; unset AWS_ENDPOINT_URL, or have it lead to AWS"


def refusal(error: ClientError, hidden: Collection[str] = ()) -> str:
    """Why AWS said no, and what to do."""
    code, message = code_of(error), shown(str(error.response.get("Error", {}).get("Message", "")), hidden)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in CURES:
        return CURES[code].format(message=message)
    if code in DENIED:
        return denial(message, error.operation_name)
    if status >= 500:
        return f"AWS fails at the moment ({code}): try again in a few minutes, or see https://health.aws.amazon.com"
    if code in ("", "Unknown") or (code.isdecimal() and not message.strip(". ")):
        return f"{_STRANGER} (it answered {status})"
    return f"AWS refuses: {message or code}"


def denial(message: str, operation: str = "") -> str:
    """What somebody with the rights has to allow, as AWS's words about a denial name it."""
    found = re.search(r"not authorized to perform:? ?([\w:*-]+)", message)
    action = found[1].rstrip(":") if found else ACTIONS.get(operation, operation)
    who = re.search(r"arn:[\w-]+:(?:sts|iam)::\d*:[\w/+=,.@-]+", message)
    whose = f" to {who[0]}" if who else ""
    barred = ", which a policy of the organization forbids" if "explicit deny" in message else ""
    return f"AWS does not allow it{barred}: have {action} allowed{whose}, or take other credentials (AWS_PROFILE)"


def code_of(error: ClientError) -> str:
    """AWS's code of an error, empty where it says none."""
    return str(error.response.get("Error", {}).get("Code", ""))


def shown(text: str, hidden: Collection[str] = ()) -> str:
    """AWS's words on one line, without access keys, signatures and `hidden` values, and not too many."""
    for value in sorted(filter(None, hidden), key=len, reverse=True):
        text = text.replace(value, "…")
    text = " ".join(_SECRETS.sub("…", text).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _silence(error: BotoCoreError, hidden: Collection[str]) -> str:
    """Why nobody was asked, or nobody answered, and what to do."""
    match error:
        case NoCredentialsError() | PartialCredentialsError():
            return (
                "there are no AWS credentials, or not all of them: run `aws configure` or `aws sso login`, or set "
                "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        case ProfileNotFound():
            name = error.kwargs.get("profile")
            return f"there is no AWS profile {name!r}: correct AWS_PROFILE, or run `aws configure --profile {name}`"
        case SSOError() | UnauthorizedSSOTokenError() | TokenRetrievalError():
            return "the AWS log-in has expired, or there was none: run `aws sso login`, and try again"
        case CredentialRetrievalError():
            return "AWS's credentials could not be fetched: see that `aws sts get-caller-identity` works here"
        case NoRegionError() | InvalidRegionError():
            return "there is no such AWS region: set AWS_DEFAULT_REGION to one, such as ap-northeast-1"
        case ConfigParseError() | ConfigNotFound():
            return f"AWS's configuration cannot be read: correct {error.kwargs.get('path')}"
        case SSLError():
            return "the connection is not trusted: see AWS_CA_BUNDLE, and what stands between this machine and AWS"
        case ProxyConnectionError():
            return "the proxy does not answer: see HTTPS_PROXY"
        case ConnectionError() | HTTPClientError():
            return f"nobody answers{_at(error)}: see the network, and that the region and AWS_ENDPOINT_URL are right"
        case _:
            return f"{shown(str(error), hidden)}; see that `aws sts get-caller-identity` works here"


def _at(error: BotoCoreError) -> str:
    """The host that was tried: an address may hold more than is to be shown."""
    found = re.match(r"\w+://([\w.:-]+)", str(error.kwargs.get("endpoint_url", "")))
    return f" at {found[1]}" if found else ""
