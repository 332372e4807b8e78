"""AWS behind its permissions: what a role does not allow is refused, and what it allows is remembered."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.support.wire import Lossy

REGION = "us-east-1"
ACCOUNT = f"{REGION}:000000000000"

# AWS's own mapping: IAM user guide / DynamoDB developer guide, "Using IAM with DynamoDB transactions"; SQS developer
# guide, "Amazon SQS API permissions" (the batch has none of its own).
IN_TRANSACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
SAME_AS = {"SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage"}


@dataclass(frozen=True)
class Grant:
    """One action on one pattern of resources, as a role allows it."""

    action: str
    resource: str

    def covers(self, action: str, resource: str) -> bool:
        return action == self.action and fnmatchcase(resource, self.resource)


def grants_of(iam: Any, role: str, policies: Iterable[Mapping[str, Any]]) -> set[Grant]:
    """All that a deployed role allows, and the documents of its managed policies.

    There is no Deny, no NotAction and no wildcard in actions.
    """
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    return {grant for document in [*documents, *policies] for grant in _read(document)}


def resolved(data: Any) -> Any:
    """A part of a template, with AWS's own values in the place of what names them."""
    if isinstance(data, dict) and "Fn::Sub" in data:
        text = data["Fn::Sub"].replace("${AWS::Region}:${AWS::AccountId}", ACCOUNT)
        for name, value in {"Partition": "aws", "Region": REGION, "URLSuffix": "amazonaws.com"}.items():
            text = text.replace(f"${{AWS::{name}}}", value)
        return text
    if isinstance(data, dict):
        return {key: resolved(value) for key, value in data.items()}
    return [resolved(one) for one in data] if isinstance(data, list) else data


def _read(document: Mapping[str, Any]) -> Iterator[Grant]:
    for statement in document["Statement"]:
        assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        assert statement["Effect"] == "Allow"
        for action in _list(statement["Action"]):
            assert "*" not in action
            yield from (Grant(action, resource) for resource in _list(statement["Resource"]))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class Gate(Lossy):
    """Passes on to AWS what `role` allows, and answers the rest as AWS does.

    `grants` are those of each role by name; `used` are those that something was allowed by, and `refused`
    what nothing allowed. `arns` are the ARNs of secrets by name.
    """

    def __init__(self, upstream: str, grants: Mapping[str, set[Grant]], arns: Mapping[str, str]) -> None:
        super().__init__(upstream, "", times=0)
        self.grants = grants
        self.arns = arns
        self.role = ""
        self.used: dict[str, set[Grant]] = {role: set() for role in grants}
        self.refused: list[tuple[str, str, str]] = []

    def answer(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes] | None:
        operation = headers["X-Amz-Target"].rpartition(".")[2]
        for action, resource in self._asked(operation, json.loads(body)):
            allowed = {grant for grant in self.grants[self.role] if grant.covers(action, resource)}
            self.used[self.role] |= allowed
            if not allowed:
                self.refused.append((self.role, action, resource))
                return 400, json.dumps({"__type": "com.amazonaws#AccessDeniedException", "message": "no"}).encode()
        return super().answer(headers, body)

    def _asked(self, operation: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The actions that a call needs, each with its resource."""
        if operation == "TransactWriteItems":
            for kind, write in (pair for one in body["TransactItems"] for pair in one.items()):
                yield f"dynamodb:{IN_TRANSACTIONS[kind]}", _table(write["TableName"])
        elif operation in ("BatchGetItem", "BatchWriteItem"):
            yield from ((f"dynamodb:{operation}", _table(name)) for name in body["RequestItems"])
        elif "TableName" in body:
            index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
            yield f"dynamodb:{operation}", _table(body["TableName"]) + index
        elif "QueueUrl" in body:
            queue = body["QueueUrl"].rpartition("/")[2]
            yield f"sqs:{SAME_AS.get(operation, operation)}", f"arn:aws:sqs:{ACCOUNT}:{queue}"
        elif operation == "GetParameters":
            yield from (("ssm:GetParameters", f"arn:aws:ssm:{ACCOUNT}:parameter{name}") for name in body["Names"])
        elif operation == "BatchGetSecretValue":
            yield "secretsmanager:BatchGetSecretValue", "*"
            yield from (("secretsmanager:GetSecretValue", self.arns[name]) for name in body["SecretIdList"])
        elif operation == "GetSecretValue":
            yield "secretsmanager:GetSecretValue", self.arns[body["SecretId"]]
        else:
            yield operation, "of a kind that the gate does not know"


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{ACCOUNT}:table/{name}"
