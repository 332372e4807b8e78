"""The permission to read the secrets that the bot files name, and no others."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from botkit.deploy.needs import Needs
from botkit.errors import DeployError

MOST_POLICIES: Final = 10
"""Managed policies of one role (IAM quotas: Managed policies attached to an IAM role)."""
_ROOM: Final = 5400
"""Characters of resources in one managed policy: of 6144 (IAM quotas), less what all of them have."""
_OVERHEAD: Final = 3
"""Characters of JSON around one resource."""

# As long as these can be.
_STANDING_IN: Final = {
    "${AWS::Partition}": "aws-us-gov",
    "${AWS::Region}": "ap-southeast-2",
    "${AWS::AccountId}": "123456789012",
}


def secret_policies(role: str, needs: Needs) -> dict[str, dict[str, Any]]:
    """Managed policies that let a role read what is needed, by logical name; none where nothing is.

    Not inline ones, which may have 10,240 characters together: fifty bots take more. Raises DeployError
    where it is too much for these, too.
    """
    wanted = [("ssm:GetParameters", one) for one in map(_parameter, needs.parameters)]
    wanted += [("secretsmanager:GetSecretValue", one) for id_ in needs.secrets for one in _secret(id_)]
    chunks = [*_chunks(wanted)]
    if len(chunks) > MOST_POLICIES:
        raise DeployError(
            f"the bots name {len(needs.parameters) + len(needs.secrets)} secrets in AWS, more than a role can be "
            "allowed one by one: keep several in one secret of Secrets Manager, as JSON, and write "
            "secretsmanager:id#key for each"
        )
    return {f"{role}Secrets{n or ''}": _policy(role, chunk) for n, chunk in enumerate(chunks)}


def batch_statement() -> dict[str, Any]:
    """What it takes to ask for several secrets at once; gives none of them by itself, and knows no resources.

    (Secrets Manager API reference: BatchGetSecretValue.)
    """
    return {"Sid": "Batch", "Effect": "Allow", "Action": "secretsmanager:BatchGetSecretValue", "Resource": "*"}


def _parameter(name: str) -> str:
    return f"arn:${{AWS::Partition}}:ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter{name}"


def _secret(id_: str) -> Iterator[str]:
    """A secret's ARN is its name and six characters more (Secrets Manager user guide: What's in a secret).

    An ARN may be written with them or without, and nobody can tell which.
    """
    if not id_.startswith("arn:"):
        yield f"arn:${{AWS::Partition}}:secretsmanager:${{AWS::Region}}:${{AWS::AccountId}}:secret:{id_}-??????"
    else:
        yield id_
        yield f"{id_}-??????"


def _chunks(wanted: Sequence[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    chunk: list[tuple[str, str]] = []
    room = _ROOM
    for one in wanted:
        room -= _length(one[1])
        if room < 0:
            yield chunk
            chunk, room = [], _ROOM - _length(one[1])
        chunk.append(one)
    if chunk:
        yield chunk


def _length(resource: str) -> int:
    for name, longest in _STANDING_IN.items():
        resource = resource.replace(name, longest)
    return len(resource) + _OVERHEAD


def _policy(role: str, wanted: Sequence[tuple[str, str]]) -> dict[str, Any]:
    by_action: dict[str, list[str]] = {}
    for action, resource in wanted:
        by_action.setdefault(action, []).append(resource)
    statements = [_statement(action, resources) for action, resources in by_action.items()]
    services = [action.partition(":")[0] for action in by_action]
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "Description": f"The secrets that the {role.lower()} may read",
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [*statements, _decrypt(services)]},
        },
    }


def _statement(action: str, resources: Sequence[str]) -> Mapping[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": [_substituted(one) for one in resources]}


def _decrypt(services: Sequence[str]) -> Mapping[str, Any]:
    """Keys of the owner's own. What they may decrypt is what the services may be asked for, so they need no names."""
    via = [_substituted(f"{service}.${{AWS::Region}}.${{AWS::URLSuffix}}") for service in services]
    return {
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": {"Fn::Sub": "arn:${AWS::Partition}:kms:${AWS::Region}:*:key/*"},
        "Condition": {"StringEquals": {"kms:ViaService": via}},
    }


def _substituted(text: str) -> Any:
    return {"Fn::Sub": text} if "${" in text else text
