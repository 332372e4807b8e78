"""Queue URLs: how they are written, and what they tell."""

import re
from typing import Final

# AWS: up to 80 of these characters (SQS developer guide: Amazon SQS queue and message identifiers).
_URL: Final = re.compile(r"https?://(?P<host>[\w.-]+)(?::\d{1,5})?(?:/[^/\s?#]+)+/(?P<name>[\w-]{1,80})", re.ASCII)
# sqs.REGION.amazonaws.com, and the same for FIPS, dual-stack, China and VPC endpoints (AWS general reference).
_REGION: Final = re.compile(r"(?:^|\.)sqs(?:-fips)?\.([a-z]{2,}(?:-[a-z]+)+-\d+)\.", re.ASCII)


def queue_fault(url: str) -> str | None:
    """What is wrong with a queue's URL, in words that go after a noun; None where it may be one.

    The words never show it: what stands there by mistake may be a secret.
    """
    if url.endswith(".fifo"):
        return "names a FIFO queue; make a standard one: conversations keep their order by themselves"
    if not _URL.fullmatch(url):
        return "is not the URL of an SQS queue; write https://sqs.REGION.amazonaws.com/ACCOUNT/NAME"
    return None


def split_queue(url: str) -> tuple[str, str | None]:
    """The name of the queue, and its region where the host names one. The URL is one that has no fault."""
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("not a queue's URL")
    region = _REGION.search(match["host"])
    return match["name"], region and region[1]
