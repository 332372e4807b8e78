"""The bucket where packages lie: private, encrypted, one for each account and region."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError
from botocore.session import Session

from botkit.deploy.failures import code_of, in_plain_words
from botkit.deploy.session import Caller, caller, client
from botkit.deploy.stack import Deployed
from botkit.errors import DeployError

CHUNK: Final = 1024 * 1024
MISSING: Final = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NotFound"})
RETIRED: Final = ".retired"
"""Folder of packages that no stack runs on any more; no stack's name begins with a dot."""
KEPT_DAYS: Final = 90
"""How long a package is kept after another took its place, for who wants to go back."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """The bucket, through a client; every call says whose it has to be. Every method raises DeployError."""

    name: str
    owner: str
    region: str
    s3: Any

    @property
    def _ours(self) -> dict[str, str]:
        return {"Bucket": self.name, "ExpectedBucketOwner": self.owner}

    def exists(self) -> bool:
        """Whether it is there. Raises DeployError where it is somebody else's."""
        with in_plain_words(f"look for the bucket {self.name}"):
            try:
                self.s3.head_bucket(**self._ours)
            except ClientError as error:
                if code_of(error) in MISSING:
                    return False
                if code_of(error) in ("403", "AccessDenied"):
                    raise DeployError(
                        f"the bucket {self.name} is another account's, or s3:ListBucket on it is not allowed: "
                        "have it allowed, or deploy in another region"
                    ) from None
                raise
        return True

    def make(self, partition: str = "aws") -> None:
        """Make it: private, encrypted, over TLS alone. What fails half-way leaves no bucket behind."""
        # us-east-1 is S3's default, and may not be named (S3 API reference: CreateBucket).
        place = {} if self.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        with in_plain_words(f"make the bucket {self.name}"):
            try:
                self.s3.create_bucket(Bucket=self.name, **place)
            except ClientError as error:
                if code_of(error) == "BucketAlreadyOwnedByYou":
                    return
                if code_of(error) == "BucketAlreadyExists":
                    raise DeployError(
                        f"the bucket {self.name} is another account's; botkit has no other name for it in this "
                        "region: deploy in another one (AWS_DEFAULT_REGION)"
                    ) from None
                raise
        try:
            self.lock(partition)
        except BaseException:
            self.remove()
            raise

    def lock(self, partition: str = "aws") -> None:
        """Have it private, encrypted, over TLS alone; also where it is so already."""
        with in_plain_words(f"protect the bucket {self.name}"):
            self.s3.put_public_access_block(
                **self._ours,
                PublicAccessBlockConfiguration=dict.fromkeys(
                    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
                ),
            )
            rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
            self.s3.put_bucket_encryption(**self._ours, ServerSideEncryptionConfiguration={"Rules": [rule]})
            self.s3.put_bucket_policy(**self._ours, Policy=json.dumps(_tls_only(self.name, partition)))
            self.s3.put_bucket_lifecycle_configuration(**self._ours, LifecycleConfiguration=_LIFECYCLE)

    def holds(self, key: str) -> bool:
        """Whether there is an object of this key."""
        with in_plain_words(f"look into the bucket {self.name}"):
            try:
                self.s3.head_object(**self._ours, Key=key)
            except ClientError as error:
                if code_of(error) in MISSING:
                    return False
                raise
        return True

    def put(self, key: str, file: Path, tell: Callable[[int], None]) -> None:
        """Upload a zip. `tell` gets the bytes that went so far."""
        with in_plain_words(f"upload to the bucket {self.name}"), _Told(file, tell) as body:
            self.s3.put_object(**self._ours, Key=key, Body=body, ContentType="application/zip")

    def put_text(self, key: str, text: str) -> None:
        """Upload a text, such as a template that is too long to be sent along."""
        with in_plain_words(f"upload to the bucket {self.name}"):
            self.s3.put_object(**self._ours, Key=key, Body=text.encode(), ContentType="application/json")

    def retire(self, key: str) -> None:
        """Set a package aside that nothing runs on any more: it is kept for 90 days; also where there is none."""
        with in_plain_words(f"set an old package aside in the bucket {self.name}"):
            source = {"CopySource": {"Bucket": self.name, "Key": key}, "ExpectedSourceBucketOwner": self.owner}
            try:
                self.s3.copy_object(**self._ours, **source, Key=f"{RETIRED}/{key}")
            except ClientError as error:
                if code_of(error) in MISSING:
                    return
                raise
        self.drop(key)

    def drop(self, key: str) -> None:
        """Delete an object; also where there is none."""
        with in_plain_words(f"tidy the bucket {self.name}"):
            self.s3.delete_object(**self._ours, Key=key)

    def remove(self) -> None:
        """Delete the bucket, unless something is in it; also where there is none."""
        with in_plain_words(f"delete the bucket {self.name}"):
            try:
                self.s3.delete_bucket(**self._ours)
            except ClientError as error:
                if code_of(error) not in {*MISSING, "BucketNotEmpty"}:
                    raise

    def address(self, key: str) -> str:
        """The https address of an object, for CloudFormation."""
        return f"{self.s3.meta.endpoint_url.rstrip('/')}/{self.name}/{key}"


# Counted from when a package was set aside: what a stack runs on is kept, however old it is. CloudFormation needs it
# when it rolls back.
_LIFECYCLE: Final = {
    "Rules": [
        {
            "ID": "packages that others took the place of",
            "Status": "Enabled",
            "Filter": {"Prefix": f"{RETIRED}/"},
            "Expiration": {"Days": KEPT_DAYS},
        }
    ]
}


def _tls_only(bucket: str, partition: str) -> dict[str, Any]:
    arn = f"arn:{partition}:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OverTlsAlone",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


class _Told:
    """A file that tells how much of it was read: what botocore sends. Read again from the start for another try."""

    def __init__(self, path: Path, tell: Callable[[int], None]) -> None:
        self._file = path.open("rb")
        self._tell = tell

    def __enter__(self) -> "_Told":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self._tell(self._file.tell())
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def bucket_of(session: Session, who: Caller) -> Bucket:
    """The bucket of the caller's account in the session's region, there or not."""
    s3 = client(session, "s3")
    region = s3.meta.region_name
    return Bucket(f"botkit-{who.account}-{region}", who.account, region, s3)


def key_of(stack: str, digest: str) -> str:
    """The key of a package, by its SHA-256."""
    return f"{stack}/{digest}.zip"


def fetch(session: Session, deployed: Deployed, to: Path) -> Path:
    """Download the package that a stack runs on into the folder `to`; the file. Its digest is checked.

    Raises DeployError.
    """
    if not deployed.bucket or not deployed.key:
        raise DeployError(f"the stack {deployed.name} does not say where its package lies; deploy it anew")
    owner, s3, target = caller(session).account, client(session, "s3"), to / "deployed.zip"
    digest = sha256()
    with in_plain_words(f"download what is deployed ({deployed.bucket}/{deployed.key})"):
        try:
            answer = s3.get_object(Bucket=deployed.bucket, Key=deployed.key, ExpectedBucketOwner=owner)
        except ClientError as error:
            if code_of(error) in MISSING:
                raise DeployError(
                    f"the package of the stack {deployed.name} is gone from the bucket {deployed.bucket}; "
                    "`botkit deploy` uploads a new one"
                ) from None
            raise
        with target.open("wb") as file:
            for chunk in answer["Body"].iter_chunks(CHUNK):
                digest.update(chunk)
                file.write(chunk)
    named = re.fullmatch(r".*/([0-9a-f]{64})\.zip", deployed.key)
    if named and named[1] != digest.hexdigest():
        target.unlink()
        raise DeployError(f"what lies at {deployed.bucket}/{deployed.key} is not what was uploaded; deploy anew")
    return target
