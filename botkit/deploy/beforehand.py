"""What would fail: looked for before anything is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError
from botocore.session import Session

from botkit.deploy.failures import DENIED, code_of, in_plain_words
from botkit.deploy.needs import Needs
from botkit.deploy.session import client
from botkit.stores.dynamodb_items import DUE_INDEX

REDO: Final = "ROLLBACK_COMPLETE"
"""The state of a stack whose first deployment failed: there is nothing in it, and it can only be deleted."""

_STUCK: Final = {
    "DELETE_IN_PROGRESS": "it is being deleted: wait until it is gone, and deploy again",
    "ROLLBACK_FAILED": (
        "its first deployment failed, and could not be undone: see why with `{events}`, then delete it with `{delete}`"
    ),
    "CREATE_FAILED": "its first deployment failed half-way: delete it with `{delete}`, and deploy again",
    "DELETE_FAILED": (
        "it could not be deleted: see what stands in the way with `{events}`, then repeat `{delete}`, "
        "if need be with --retain-resources"
    ),
    "UPDATE_ROLLBACK_FAILED": (
        "a deployment failed, and could not be undone: see why with `{events}`, mend that, then "
        "`aws cloudformation continue-update-rollback {which}`"
    ),
}
_UNDER_WAY: Final = "a deployment is under way ({status}): wait until it is over; `{events}` shows how far it is"


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found: `faults` forbid to deploy, `remarks` do not."""

    faults: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def status_fault(name: str, region: str, status: str | None) -> str | None:
    """Why a stack of this status cannot be changed, and what to do; None where it can, or is not there."""
    if status is None or status in (REDO, "REVIEW_IN_PROGRESS"):
        return None
    text = _STUCK.get(status, _UNDER_WAY if status.endswith("_IN_PROGRESS") else "")
    if not text:
        return None
    which = f"--stack-name {name} --region {region}"
    commands = {
        "which": which,
        "status": status,
        "delete": f"aws cloudformation delete-stack {which}",
        "events": f"aws cloudformation describe-stack-events {which}",
    }
    return f"the stack {name} cannot be changed: {text.format(**commands)}"


def look_at_table(session: Session, name: str) -> Findings:
    """Whether the table is there, with the keys, the index and the TTL that botkit needs. Raises DeployError."""
    dynamodb = client(session, "dynamodb")
    where = f"the table {name} in {dynamodb.meta.region_name}"
    with in_plain_words(f"look at {where}"):
        try:
            table = dynamodb.describe_table(TableName=name)["Table"]
            ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return Findings((f"there is no {where.removeprefix('the ')}; leave --table out to have one made",))
            if code_of(error) in DENIED:
                return Findings(remarks=(f"{where} could not be looked at: these credentials may not",))
            raise
    faults = [f"{where} {fault}: {cure}" for fault, cure in table_faults(table, ttl)]
    return Findings(tuple(faults))


def table_faults(table: Mapping[str, Any], ttl: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a table lacks that botkit needs, and the cure, by DynamoDB's descriptions of the table and of its TTL."""
    types = {one["AttributeName"]: one["AttributeType"] for one in table.get("AttributeDefinitions", ())}
    index = {one["IndexName"]: one for one in table.get("GlobalSecondaryIndexes", ())}.get(DUE_INDEX)
    faults = []
    if (status := table.get("TableStatus", "ACTIVE")) not in ("ACTIVE", "UPDATING"):
        faults.append((f"is {status}", "wait until it is ACTIVE"))
    if _keys(table, types) != [("pk", "S"), ("sk", "S")]:
        another = "leave --table out to have one made, which is right"
        faults.append(("is none of botkit's: its keys are not pk and sk, both text", another))
    elif index is None:
        text = f"has no index {DUE_INDEX} (due_pk text, due_at number), so messages may stay unanswered"
        faults.append((text, "make it"))
    elif _keys(index, types) != [("due_pk", "S"), ("due_at", "N")]:
        faults.append(
            (f"has an index {DUE_INDEX} of other keys", "make it anew with due_pk (text) and due_at (number)")
        )
    if ttl.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING") or ttl.get("AttributeName") != "ttl":
        cure = (
            f"aws dynamodb update-time-to-live --table-name {table['TableName']} "
            "--time-to-live-specification Enabled=true,AttributeName=ttl"
        )
        faults.append(("never deletes what is over its time, because TTL on `ttl` is off", cure))
    return faults


def _keys(described: Mapping[str, Any], types: Mapping[str, str]) -> list[tuple[str, str | None]]:
    order = sorted(described.get("KeySchema", ()), key=lambda one: str(one["KeyType"]))  # HASH, RANGE
    return [(one["AttributeName"], types.get(one["AttributeName"])) for one in order]


def look_at_secrets(session: Session, needs: Needs) -> Findings:
    """Whether the secrets that AWS keeps for the bots are there. They are not read. Raises DeployError."""
    region = session.get_config_variable("region")
    missing, unseen = [], []
    for names, kind, look in (
        (needs.parameters, "parameter", _missing_parameters),
        (needs.secrets, "secret", _missing_secrets),
    ):
        try:
            missing += [f"there is no {kind} {name} in {region}; {_HOW[kind]}" for name in look(session, names)]
        except _NotAllowed:
            unseen.append(f"whether AWS has {', '.join(names)} could not be looked at: these credentials may not")
    return Findings(tuple(missing), tuple(unseen))


_HOW: Final = {
    "parameter": "put it there: aws ssm put-parameter --type SecureString --name … --value …",
    "secret": "put it there: aws secretsmanager create-secret --name … --secret-string …",
}


class _NotAllowed(Exception):
    """The caller may not ask. The functions' role may, all the same."""


def _missing_parameters(session: Session, names: Sequence[str]) -> list[str]:
    missing: list[str] = []
    ssm: Any = client(session, "ssm") if names else None
    for start in range(0, len(names), 10):  # the most in one call (Systems Manager API reference: GetParameters)
        with in_plain_words("look for the parameters of the bots"):
            try:
                answer = ssm.get_parameters(Names=list(names[start : start + 10]), WithDecryption=False)
            except ClientError as error:
                raise (_NotAllowed() if code_of(error) in DENIED else error) from None
        missing += answer.get("InvalidParameters", ())
    return missing


def _missing_secrets(session: Session, names: Sequence[str]) -> list[str]:
    missing: list[str] = []
    manager: Any = client(session, "secretsmanager") if names else None
    for name in names:
        with in_plain_words(f"look for the secret {name}"):
            try:
                if "DeletedDate" in manager.describe_secret(SecretId=name):
                    missing.append(name)
            except ClientError as error:
                if code_of(error) in DENIED:
                    raise _NotAllowed from None
                if code_of(error) != "ResourceNotFoundException":
                    raise
                missing.append(name)
    return missing
