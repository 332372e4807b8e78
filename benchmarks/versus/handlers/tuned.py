"""The same chatbot with the same SDKs, by an expert on Lambda: fewer calls, one client of each kind, warmed in INIT."""

import os
import time

import boto3
from botocore.config import Config
from linebot.v3 import WebhookParser
from linebot.v3.exceptions import InvalidSignatureError
from linebot.v3.messaging import ApiClient, Configuration, MessagingApi, ReplyMessageRequest, TextMessage
from linebot.v3.webhooks import MessageEvent, TextMessageContent
from openai import OpenAI

PERSONA = {"role": "system", "content": "You are kind."}
MODEL = "gpt-4.1-mini"
WINDOW = 20
TABLE = os.environ["TABLE"]
OK = {"statusCode": 200, "body": "{}"}

parser = WebhookParser(os.environ["BENCH_SECRET"])
line = MessagingApi(ApiClient(Configuration(access_token=os.environ["BENCH_TOKEN"], host=os.environ["LINE_URL"])))
dynamodb = boto3.client(
    "dynamodb",
    config=Config(
        connect_timeout=1,
        read_timeout=3,
        retries={"mode": "standard", "total_max_attempts": 2},
        parameter_validation=False,
        tcp_keepalive=True,
    ),
)
# The attribute is looked up here, because the SDK imports what is behind it only then.
complete = OpenAI(timeout=25, max_retries=1).chat.completions.create


def handler(event, context):
    """Verify a webhook and answer its messages."""
    try:
        events = parser.parse(event["body"], event["headers"].get("x-line-signature", ""))
    except InvalidSignatureError:
        return {"statusCode": 401, "body": "{}"}
    for one in events:
        if isinstance(one, MessageEvent) and isinstance(one.message, TextMessageContent):
            answer(one)
    return OK


def answer(event):
    """Ask the model with what was said before, remember both messages in one write, and send the answer."""
    user_id, text, at = event.source.user_id, event.message.text, time.time_ns()
    asked = {"role": "user", "content": text}
    completion = complete(model=MODEL, messages=[PERSONA, *history(user_id), asked])
    said = completion.choices[0].message.content
    remember(item(user_id, at, "user", text), item(user_id, time.time_ns(), "assistant", said))
    line.reply_message(ReplyMessageRequest(reply_token=event.reply_token, messages=[TextMessage(text=said)]))


def history(user_id):
    """The newest messages before this one, oldest first."""
    found = dynamodb.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": user_id}},
        ScanIndexForward=False,
        Limit=WINDOW - 1,
    )
    return [{"role": one["role"]["S"], "content": one["text"]["S"]} for one in reversed(found["Items"])]


def item(user_id, at, role, text):
    """A message as DynamoDB has it."""
    return {"pk": {"S": user_id}, "sk": {"S": f"{at:020d}"}, "role": {"S": role}, "text": {"S": text}}


def remember(*items):
    """Put items into the table."""
    dynamodb.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": one}} for one in items]})
