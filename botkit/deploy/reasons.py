"""Why a deployment failed, and what to do: the reasons that CloudFormation tells, in plain words."""

import re
from collections.abc import Collection
from typing import Final

from botkit.deploy.changes import called
from botkit.deploy.failures import denial, shown
from botkit.deploy.rollout import Event

_CURES: Final = (
    (
        r"memorysize.*(less than or equal|at most|between)",
        "the account may not have so much memory yet: --set WorkerMemory=3008, or have the limit raised",
    ),
    (r"unzipped size must be smaller", "the package is too large: take out what the bots do not need"),
    (
        r"environment variables.*(4 ?kb|4096|size)",
        "the secrets are too long for Lambda's 4 KB: keep some in AWS and name them ssm:/path/name",
    ),
    (r"already exists|alreadyexists|is already", "something of that name is there: delete it, or take another --stack"),
    (r"limit|quota|exceeded the maximum", "a limit of the account is reached: have it raised under Service Quotas"),
    (r"rate exceeded|throttl|too many requests", "AWS was too busy: run botkit deploy again in a minute"),
    (
        r"tokens? (is|has|included).*expired|expiredtoken",
        "the AWS credentials expired meanwhile: log in, and try again",
    ),
    (r"internal ?(failure|error)|service ?unavailable|\b50[03]\b", "AWS failed: run botkit deploy again"),
    (
        r"does not exist|not ?found|nosuch",
        "something that it needs is gone: see what AWS names, and run botkit deploy again",
    ),
)
"""By a pattern of AWS's reason (in lower case) what to do; the first that fits counts."""

_DOING: Final = {"CREATE": "made", "UPDATE": "changed", "DELETE": "deleted"}


def cause_of(event: Event, hidden: Collection[str] = ()) -> str:
    """The failure of a resource: which, why, and what to do. `hidden` values are not shown."""
    what = f"{called(event.logical, event.kind)} could not be {_DOING.get(event.status.partition('_')[0], 'made')}"
    reason = shown(_bare(event.reason), hidden)
    if re.search(r"not authorized|access ?denied|unauthorized", reason, re.IGNORECASE):
        return f"{what}: {denial(reason)}"
    for pattern, cure in _CURES:
        if re.search(pattern, reason.lower()):
            return f"{what}: {cure} (AWS: {reason})"
    return f"{what}: {reason or 'AWS does not say why'}"


def _bare(reason: str) -> str:
    """Without what only AWS's support needs: request tokens, handler codes."""
    reason = re.sub(r"\(RequestToken: [^)]*\)|\(Service: [^)]*\)|HandlerErrorCode: \w+", "", reason)
    reason = re.sub(r'^Resource handler returned message: "?', "", reason.strip())
    return reason.strip().rstrip('"').strip(" ,")
