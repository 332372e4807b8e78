"""A LINE chatbot as the SDKs' documentation and most articles show it: one Lambda handler that does everything."""

import json
import os
import time

import boto3
from boto3.dynamodb.conditions import Key
from linebot.v3 import WebhookHandler
from linebot.v3.exceptions import InvalidSignatureError
from linebot.v3.messaging import ApiClient, Configuration, MessagingApi, ReplyMessageRequest, TextMessage
from linebot.v3.webhooks import MessageEvent, TextMessageContent
from openai import OpenAI

PERSONA = "You are kind."
MODEL = "gpt-4.1-mini"
WINDOW = 20

configuration = Configuration(access_token=os.environ["BENCH_TOKEN"], host=os.environ["LINE_URL"])
line_handler = WebhookHandler(os.environ["BENCH_SECRET"])
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
openai_client = OpenAI()


def handler(event, context):
    """Verify a webhook and answer its messages."""
    signature = event["headers"].get("x-line-signature", "")
    try:
        line_handler.handle(event["body"], signature)
    except InvalidSignatureError:
        return {"statusCode": 400, "body": json.dumps({"message": "Invalid signature"})}
    return {"statusCode": 200, "body": json.dumps({"message": "OK"})}


@line_handler.add(MessageEvent, message=TextMessageContent)
def handle_message(event):
    """Remember what was said, ask the model, remember its answer, and send it."""
    user_id = event.source.user_id
    save_message(user_id, "user", event.message.text)
    answer = ask_model(load_history(user_id))
    save_message(user_id, "assistant", answer)
    with ApiClient(configuration) as api_client:
        MessagingApi(api_client).reply_message(
            ReplyMessageRequest(reply_token=event.reply_token, messages=[TextMessage(text=answer)])
        )


def save_message(user_id, role, text):
    """Put one message into the table."""
    table.put_item(Item={"pk": user_id, "sk": f"{time.time_ns():020d}", "role": role, "text": text})


def load_history(user_id):
    """The newest messages, oldest first."""
    found = table.query(KeyConditionExpression=Key("pk").eq(user_id), ScanIndexForward=False, Limit=WINDOW)
    return [{"role": item["role"], "content": item["text"]} for item in reversed(found["Items"])]


def ask_model(history):
    """The model's answer to a conversation."""
    completion = openai_client.chat.completions.create(
        model=MODEL, messages=[{"role": "system", "content": PERSONA}, *history]
    )
    return completion.choices[0].message.content
