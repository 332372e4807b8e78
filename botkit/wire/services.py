"""The services that botkit calls, each with those operations alone, by the names that botocore gives them."""

from typing import Any, Final
from uuid import uuid4

from botkit.wire.answers import TransactionCanceledException
from botkit.wire.client import AwsClient, Service

Answer = dict[str, Any]


class _Exceptions:
    """The errors of DynamoDB that have a class of their own."""

    TransactionCanceledException = TransactionCanceledException


class DynamoDB(AwsClient):
    """Amazon DynamoDB (API reference: Actions)."""

    exceptions = _Exceptions

    def get_item(self, **asked: Any) -> Answer:
        """GetItem."""
        return self.call("GetItem", asked)

    def batch_get_item(self, **asked: Any) -> Answer:
        """BatchGetItem."""
        return self.call("BatchGetItem", asked)

    def batch_write_item(self, **asked: Any) -> Answer:
        """BatchWriteItem."""
        return self.call("BatchWriteItem", asked)

    def query(self, **asked: Any) -> Answer:
        """Query."""
        return self.call("Query", asked)

    def update_item(self, **asked: Any) -> Answer:
        """UpdateItem."""
        return self.call("UpdateItem", asked)

    def transact_write_items(self, **asked: Any) -> Answer:
        """TransactWriteItems, with a token of this call's own, so that all its attempts write once."""
        return self.call("TransactWriteItems", {"ClientRequestToken": str(uuid4()), **asked})


class Sqs(AwsClient):
    """Amazon SQS (API reference: Actions). What it says of a message's MD5 is not checked: TLS sees to that."""

    def send_message(self, **asked: Any) -> Answer:
        """SendMessage."""
        return self.call("SendMessage", asked)

    def send_message_batch(self, **asked: Any) -> Answer:
        """SendMessageBatch."""
        return self.call("SendMessageBatch", asked)

    def change_message_visibility(self, **asked: Any) -> Answer:
        """ChangeMessageVisibility."""
        return self.call("ChangeMessageVisibility", asked)


class Ssm(AwsClient):
    """Parameter Store (AWS Systems Manager API reference: Actions)."""

    def get_parameters(self, **asked: Any) -> Answer:
        """GetParameters."""
        return self.call("GetParameters", asked)


class SecretsManager(AwsClient):
    """AWS Secrets Manager (API reference: Actions)."""

    def get_secret_value(self, **asked: Any) -> Answer:
        """GetSecretValue. Where it is binary, it is the text that AWS sent, in Base64."""
        return self.call("GetSecretValue", asked)

    def batch_get_secret_value(self, **asked: Any) -> Answer:
        """BatchGetSecretValue."""
        return self.call("BatchGetSecretValue", asked)


SERVICES: Final[dict[str, tuple[type[AwsClient], Service]]] = {
    "dynamodb": (DynamoDB, Service("dynamodb", "DynamoDB_20120810", "1.0")),
    "sqs": (Sqs, Service("sqs", "AmazonSQS", "1.0", older_codes=True)),
    "ssm": (Ssm, Service("ssm", "AmazonSSM", "1.1")),
    "secretsmanager": (SecretsManager, Service("secretsmanager", "secretsmanager", "1.1")),
}
"""By botocore's names (botocore: the metadata in data/*/service-2.json)."""
