"""What is not a webhook of LINE's is refused in the contract's order, and what LINE adds tomorrow is not."""

import json
from base64 import b64encode
from collections.abc import Iterator

import pytest

from botkit.errors import SpecError
from botkit.line.signature import sign
from botkit.wiring import ConfigurationError
from tests.support.shapes import SHAPES, Shape, http_api, load_balancer, rest_api
from tests.support.stage import Stage

KIND = "persona: You are kind.\nmodel: gpt-4.1-mini\n"
HOOK = b'{"destination":"U","events":[]}'
UNAUTHORIZED = (401, {"error": "unauthorized"})


def said(answer: dict[str, object]) -> tuple[object, object]:
    return answer["statusCode"], json.loads(str(answer["body"]))


@pytest.fixture
def kind(stage: Stage) -> Stage:
    stage.bot("kind", KIND)
    return stage


def signed(stage: Stage, body: bytes) -> dict[str, str]:
    return {"X-Line-Signature": sign(stage.accounts["kind"].channel_secret, body)}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_wrong_missing_and_unknown_look_the_same(kind: Stage, shape: Shape) -> None:
    right = signed(kind, HOOK)
    assert said(kind.post("kind", body=HOOK, shape=shape)) == UNAUTHORIZED
    assert said(kind.post("kind", body=HOOK, headers={"x-line-signature": ""}, shape=shape)) == UNAUTHORIZED
    assert said(kind.post("kind", body=HOOK + b" ", headers=right, shape=shape)) == UNAUTHORIZED
    assert said(kind.post("nobody", body=HOOK, headers=right, shape=shape)) == UNAUTHORIZED
    assert said(kind.post("", body=HOOK, headers=right, shape=shape, path="/line")) == UNAUTHORIZED
    assert said(kind.post("kind", body=HOOK, headers=right, shape=shape)) == (200, {})


def test_two_signatures_are_no_signature(kind: Stage) -> None:
    (value,) = signed(kind, HOOK).values()
    assert said(kind.post("kind", body=HOOK, headers={"x-line-signature": f"{value},{value}"})) == UNAUTHORIZED
    event = rest_api("POST", "/line/kind", {"x-line-signature": value}, HOOK, False)
    event["multiValueHeaders"]["x-line-signature"] = [value, value]
    assert kind.handler is not None
    assert said(kind.handler(event, None)) == UNAUTHORIZED


def test_a_header_name_may_come_in_any_case(kind: Stage) -> None:
    (value,) = signed(kind, HOOK).values()
    for name in ("x-line-signature", "X-LINE-SIGNATURE", "X-Line-Signature"):
        assert said(kind.post("kind", body=HOOK, headers={name: value}, shape=rest_api)) == (200, {})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'"hi"',
        b"{}",
        b'{"destination":5,"events":[]}',
        b'{"destination":"U","events":{}}',
        b"\xff\xfe",
        b"[" * 9000,
    ],
)
def test_signed_rubbish_is_a_bad_request(kind: Stage, body: bytes) -> None:
    answer = kind.post("kind", body=body, headers=signed(kind, body), is_base64=True)
    assert answer["statusCode"] == 400


def test_a_destination_that_is_another_bot_is_a_bad_request(stage: Stage) -> None:
    stage.bot("kind", KIND, by_destination=True)
    answer = stage.post("kind", body=HOOK, headers=signed(stage, HOOK))
    assert said(answer) == (400, {"error": "destination is not this bot"})


def test_the_order_of_refusals(kind: Stage) -> None:
    large = b"x" * (1024 * 1024 + 1)
    assert kind.post("", path="/other", body=large)["statusCode"] == 404
    assert kind.post("kind", method="GET", body=large)["statusCode"] == 405
    assert kind.post("", path="/health", method="POST")["statusCode"] == 405
    assert kind.post("kind", body=large)["statusCode"] == 413
    assert kind.post("kind", body=large, is_base64=True)["statusCode"] == 413
    event = http_api("POST", "/line/kind", {}, b"", True) | {"body": "not base64!"}
    assert kind.handler is not None
    assert kind.handler(event, None)["statusCode"] == 400
    assert kind.handler(event | {"body": b64encode(b"{}").decode()}, None)["statusCode"] == 401


def test_a_load_balancer_gets_its_status_line_and_its_kind_of_headers(kind: Stage) -> None:
    answer = kind.post("", path="/health", method="GET", shape=load_balancer)
    assert answer["statusDescription"] == "200 OK"
    event = load_balancer("GET", "/health", {}, b"", False)
    event["multiValueHeaders"] = {name: [value] for name, value in event.pop("headers").items()}
    assert kind.handler is not None
    answer = kind.handler(event, None)
    assert answer["multiValueHeaders"] == {"content-type": ["application/json"]}
    assert "headers" not in answer


def test_an_event_of_no_known_shape_says_what_to_send(kind: Stage) -> None:
    kind.restart()
    assert kind.handler is not None
    with pytest.raises(ConfigurationError, match=r"its keys: a.*HTTP API, REST API"):
        kind.handler({"a": 1}, None)


def test_what_line_adds_tomorrow_costs_the_rest_of_the_batch_nothing(kind: Stage) -> None:
    account, hana = kind.accounts["kind"], kind.platform.add_person("Hana")
    (event,) = kind.platform.say(account, hana, "hi").events
    event["message"]["newField"] = {"a": [1]}
    strange = [
        {
            "type": "teleported",
            "webhookEventId": "01J",
            "timestamp": event["timestamp"],
            "source": event["source"],
            "mode": "active",
            "replyToken": "r",
        },
        {"type": "message", "message": {"type": "hologram", "id": "1"}, "source": {"type": "planet"}, "mode": "lazy"},
        {"type": 5, "message": []},
        "not an event",
    ]
    assert said(kind.post("kind", kind.platform.webhook(account, *strange, event))) == (200, {})
    assert kind.platform.chat(account, hana).texts == ["hi"]


def test_an_old_event_is_taken_and_dropped(kind: Stage) -> None:
    account, hana = kind.accounts["kind"], kind.platform.add_person("Hana")
    (event,) = kind.platform.say(account, hana, "hi").events
    event["timestamp"] -= 24 * 3600 * 1000 + 60_000
    assert said(kind.post("kind", kind.platform.webhook(account, event))) == (200, {})
    assert kind.platform.chat(account, hana).texts == []
    assert kind.openai.requests == []


def test_standby_events_are_never_answered(kind: Stage) -> None:
    account, hana = kind.accounts["kind"], kind.platform.add_person("Hana")
    (event,) = kind.platform.say(account, hana, "hi").events
    event["mode"] = "standby"
    assert said(kind.post("kind", kind.platform.webhook(account, event))) == (200, {})
    assert kind.platform.calls == ()
    assert kind.openai.requests == []


def test_a_broken_file_is_503_and_the_other_bots_are_served(kind: Stage, caplog: pytest.LogCaptureFixture) -> None:
    (kind.bots / "broken.yaml").write_text("persona: hi\nmodle: m\n")
    assert kind.post("broken", body=HOOK)["statusCode"] == 503
    assert kind.post("kind", body=HOOK, headers=signed(kind, HOOK))["statusCode"] == 200
    assert f"{kind.bots}/broken.yaml:2:1: modle: unknown option; did you mean `model`?" in caplog.text


def test_a_start_with_no_good_bot_stops_with_the_places(stage: Stage) -> None:
    (stage.bots / "broken.yaml").write_text("persona: hi\n")
    with pytest.raises(SpecError, match=r"broken\.yaml:1:1: `model` is missing"):
        stage.restart()


def test_on_lambda_a_bot_is_read_when_it_is_called(kind: Stage, caplog: pytest.LogCaptureFixture) -> None:
    (kind.bots / "broken.yaml").write_text("persona: hi\n")
    kind.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
    kind.restart()
    assert kind.post("kind", body=HOOK, headers=signed(kind, HOOK))["statusCode"] == 200
    assert "`model` is missing" not in caplog.text
    assert [kind.post("broken", body=HOOK)["statusCode"] for _ in range(2)] == [503, 503]
    assert caplog.text.count("`model` is missing") == 1


def test_a_start_with_no_bots_says_what_to_add(stage: Stage) -> None:
    with pytest.raises(SpecError, match=r"holds no bots; add one, such as hello\.yaml"):
        stage.restart()


def test_a_missing_channel_secret_is_not_the_callers_fault(kind: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KIND_SECRET")
    assert said(kind.post("kind", body=HOOK, headers=signed(kind, HOOK))) == (503, {"error": "the bot is not set up"})


SETTINGS = {
    ("BOTKIT_STORE", "mysql://x"): "BOTKIT_STORE is 'mysql://x'; write sqlite:///path.db, dynamodb://TABLE or memory:",
    ("BOTKIT_STORE", "sqlite:///"): "BOTKIT_STORE is 'sqlite:///'; write ",
    ("BOTKIT_LOG", "loud"): "BOTKIT_LOG is 'loud'; write debug, info or warning",
    ("BOTKIT_QUEUE", "wake"): "BOTKIT_QUEUE is not the URL of an SQS queue; write https://sqs.",
}


@pytest.mark.parametrize(("setting", "expected"), SETTINGS.items(), ids=lambda value: str(value)[:20])
def test_a_wrong_setting_stops_the_start(kind: Stage, setting: tuple[str, str], expected: str) -> None:
    kind.setenv(*setting)
    with pytest.raises(ConfigurationError) as raised:
        kind.restart()
    assert str(raised.value).startswith(expected)


def test_lambda_needs_a_store_that_outlives_it(kind: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOTKIT_STORE")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
    with pytest.raises(ConfigurationError, match="BOTKIT_STORE is not set"):
        kind.restart()


def test_an_unreachable_store_is_answered_500_so_that_line_may_send_again(
    kind: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "BOTKIT_STORE": "dynamodb://nowhere",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    delivery = kind.platform.say(kind.accounts["kind"], kind.platform.add_person("Hana"), "hi")
    assert said(kind.post("kind", delivery)) == (500, {"error": "try again"})


@pytest.fixture(autouse=True)
def no_secret_is_shown(stage: Stage, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever went wrong in a test, no secret and no token is in what was logged."""
    caplog.set_level("DEBUG", "botkit")
    yield
    for account in stage.accounts.values():
        assert account.channel_secret not in caplog.text
        assert account.access_token not in caplog.text
    assert stage.openai.key not in caplog.text


def test_an_event_without_a_time_or_an_id_is_answered_once(kind: Stage) -> None:
    account, hana = kind.accounts["kind"], kind.platform.add_person("Hana")
    (event,) = kind.platform.say(account, hana, "hi").events
    del event["timestamp"], event["webhookEventId"]
    for _ in range(2):
        assert said(kind.post("kind", kind.platform.webhook(account, event))) == (200, {})
    assert kind.platform.chat(account, hana).texts == ["hi"]
