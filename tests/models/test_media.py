"""Photos, recordings and moderations, as they go to OpenAI and come back."""

import traceback
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from botkit.errors import ModelError
from botkit.messages import Content, Message
from botkit.models.openai import OpenAIModel
from botkit.models.tokens import IMAGE_TOKENS, count_messages, count_tokens
from botkit.ports import ChatModel, ModerationRequest, TranscriptionRequest
from tests.models.asking import Ask, MovingClock
from tests.support.openai_server import OpenAIServer

JPEG = Content(b"\xff\xd8\xff\xe0 a garden", "image/jpeg")
VOICE = Content(b"\x00\x00\x00\x1cftypM4A hello", "audio/x-m4a")


def listen(server: OpenAIServer, audio: Content = VOICE, **parts: Any) -> TranscriptionRequest:
    parts = {"model": "whisper-1", "timeout": 30.0, "base_url": server.url, "api_key": server.key} | parts
    return TranscriptionRequest(audio=audio, **parts)


def judge(server: OpenAIServer, text: str = "hi", *images: Content, **parts: Any) -> ModerationRequest:
    parts = {"model": "omni-moderation-latest", "timeout": 10.0, "base_url": server.url, "api_key": server.key} | parts
    return ModerationRequest(text=text, images=images, **parts)


Make = Callable[..., Any]
# Both services besides the chat: its place at the stand-in, how a request is made, how it is asked.
LISTEN: tuple[Any, Make, Callable[[ChatModel, Any], object]] = (
    "audio",
    listen,
    lambda model, asked: model.transcribe(asked),
)
JUDGE: tuple[Any, Make, Callable[[ChatModel, Any], object]] = (
    "moderation",
    judge,
    lambda model, asked: model.moderate(asked),
)
both = pytest.mark.parametrize(("place", "make", "ask_it"), [LISTEN, JUDGE], ids=["audio", "moderation"])


def fault(ask_it: Callable[[ChatModel, Any], object], model: ChatModel, request: object) -> ModelError:
    with pytest.raises(ModelError) as caught:
        ask_it(model, request)
    return caught.value


# ---------------------------------------------------------------- photos


def test_photos_follow_the_text(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    model.complete(ask(Message("user", "hi"), Message("user", "Which?", images=(JPEG, JPEG))))
    image = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/4CBhIGdhcmRlbg=="}}
    assert server.requests[0].body["messages"] == [
        {"role": "user", "content": "hi"},
        {"role": "user", "content": [{"type": "text", "text": "Which?"}, image, image]},
    ]


def test_beside_a_photo_half_an_emoji_is_replaced_too(model: ChatModel, ask: Ask) -> None:
    assert model.complete(ask(Message("user", "sushi \ud83c!", images=(JPEG,)))).text == "sushi \ufffd!"


def test_photos_are_counted_where_the_server_does_not(server: OpenAIServer, model: ChatModel, ask: Ask) -> None:
    server.omit_usage("nice")
    words = count_tokens("gpt-4.1-mini", "hi")
    usage = model.complete(ask(Message("user", "hi", images=(JPEG, JPEG)))).usage
    assert usage.input_tokens == 3 + 3 + words + 2 * IMAGE_TOKENS
    assert count_messages("gpt-4.1-mini", [Message("user", "hi")]) == 3 + 3 + words


def test_a_model_that_cannot_see_says_so(model: ChatModel, ask: Ask) -> None:
    with pytest.raises(ModelError, match="a model that sees"):
        model.complete(ask(Message("user", "hi", images=(JPEG,)), model="gpt-3.5-turbo"))


# ---------------------------------------------------------------- recordings


def test_a_recording_is_sent_as_a_form(server: OpenAIServer, model: ChatModel) -> None:
    server.hear(" When is breakfast? ")
    assert model.transcribe(listen(server)) == "When is breakfast?"
    (seen,) = server.recordings
    assert seen.body == {"model": "whisper-1", "file": ("audio.m4a", VOICE.data, "audio/m4a")}
    assert seen.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert seen.headers["authorization"] == f"Bearer {server.key}"


@pytest.mark.parametrize(
    ("media_type", "ending"),
    [
        ("audio/x-m4a", "m4a"),
        ("audio/m4a", "m4a"),
        ("audio/mp4", "m4a"),
        ("audio/aac", "m4a"),
        ("video/mp4", "m4a"),
        ("application/octet-stream", "m4a"),
        ("audio/mpeg", "mp3"),
        ("audio/x-wav", "wav"),
        ("audio/ogg", "ogg"),
        ("audio/webm", "webm"),
        ("audio/flac", "flac"),
    ],
)
def test_the_file_is_named_for_its_format(server: OpenAIServer, model: ChatModel, media_type: str, ending: str) -> None:
    model.transcribe(listen(server, Content(VOICE.data, media_type)))
    assert server.recordings[0].body["file"][0] == f"audio.{ending}"


@pytest.mark.parametrize("media_type", ["", "audio/x-m4a\r\nX-Evil: 1", "ünknown", "audio/" + "x" * 10_000])
def test_a_hostile_media_type_forges_nothing(server: OpenAIServer, model: ChatModel, media_type: str) -> None:
    assert model.transcribe(listen(server, Content(VOICE.data, media_type))) == "hello"
    assert server.recordings[0].body["file"] == ("audio.m4a", VOICE.data, "audio/m4a")


def test_where_nothing_was_said_there_are_no_words(server: OpenAIServer, model: ChatModel) -> None:
    server.hear(" \n")
    assert model.transcribe(listen(server)) == ""


# ---------------------------------------------------------------- moderations


def test_a_text_is_judged(server: OpenAIServer, model: ChatModel) -> None:
    assert model.moderate(judge(server, "good \ud83cmorning")) == ()
    assert [seen.body for seen in server.judged] == [
        {"model": "omni-moderation-latest", "input": ["good \ufffdmorning"]}
    ]


def test_what_is_found_is_named(server: OpenAIServer, model: ChatModel) -> None:
    server.find("violence", "harassment/threatening")
    assert model.moderate(judge(server)) == ("harassment/threatening", "violence")


def test_what_is_found_without_a_name_is_found(server: OpenAIServer, model: ChatModel) -> None:
    server.send(200, {"results": [{"flagged": True}]}, at="moderation")
    assert model.moderate(judge(server)) == ("unnamed",)


def test_a_category_that_was_not_flagged_is_harmless(server: OpenAIServer, model: ChatModel) -> None:
    server.send(200, {"results": [{"flagged": False, "categories": {"violence": True}}]}, at="moderation")
    assert model.moderate(judge(server)) == ()


def test_any_result_counts(server: OpenAIServer, model: ChatModel) -> None:
    results = [{"flagged": False}, {"flagged": True, "categories": {"hate": True, "violence": None}}]
    server.send(200, {"results": results}, at="moderation")
    assert model.moderate(judge(server)) == ("hate",)


def test_long_names_are_cut(server: OpenAIServer, model: ChatModel) -> None:
    names = {f"{n:03}" * 100: True for n in range(100)}
    server.send(200, {"results": [{"flagged": True, "categories": names}]}, at="moderation")
    found = model.moderate(judge(server))
    assert (len(found), max(map(len, found))) == (20, 64)


def test_each_photo_is_a_request_of_its_own(server: OpenAIServer, model: ChatModel) -> None:
    assert model.moderate(judge(server, "look", JPEG, JPEG)) == ()
    kinds = [[part["type"] for part in seen.body["input"]] for seen in server.judged]
    assert kinds == [["text", "image_url"], ["image_url"]]


def test_after_a_finding_nothing_more_is_judged(server: OpenAIServer, model: ChatModel) -> None:
    server.find("violence")
    model.moderate(judge(server, "look", JPEG, JPEG))
    assert len(server.judged) == 1


def test_nothing_is_harmless_without_being_asked(server: OpenAIServer, model: ChatModel) -> None:
    assert model.moderate(judge(server, " \n")) == ()
    assert server.judged == []


# ---------------------------------------------------------------- what goes wrong


@both
@pytest.mark.parametrize(
    "content",
    ["<html>Welcome!</html>", [], {}, {"text": 5}, {"text": None}, {"results": []}, {"results": [{}]}, "null"],
)
def test_an_answer_that_is_none_is_an_error(
    server: OpenAIServer, model: ChatModel, place: Any, make: Make, ask_it: Any, content: object
) -> None:
    server.send(200, content, at=place)
    error = fault(ask_it, model, make(server))
    assert "answered with something else than a" in str(error)
    assert not error.retryable


@both
def test_what_was_said_is_in_no_error(
    server: OpenAIServer, model: ChatModel, place: Any, make: Make, ask_it: Any
) -> None:
    server.send(200, {"text": ["a secret"], "results": ["a secret"]}, at=place)
    assert "a secret" not in "".join(traceback.format_exception(fault(ask_it, model, make(server))))


@both
def test_a_failing_server_is_tried_three_times(
    server: OpenAIServer, model: ChatModel, clock: MovingClock, place: Any, make: Make, ask_it: Any
) -> None:
    for _ in range(3):
        server.fail(500, at=place)
    assert fault(ask_it, model, make(server)).retryable
    assert clock.slept == [500, 1000]
    assert len(server.recordings) + len(server.judged) == 3


@both
def test_a_connection_broken_off_is_tried_again(
    server: OpenAIServer, model: ChatModel, place: Any, make: Make, ask_it: Any
) -> None:
    server.drop(at=place)
    ask_it(model, make(server))
    assert len(server.recordings) + len(server.judged) == 2


@both
def test_the_time_covers_a_server_that_says_nothing(
    server: OpenAIServer, model: ChatModel, place: Any, make: Make, ask_it: Any
) -> None:
    server.hang(at=place)
    error = fault(ask_it, model, make(server, timeout=0.2))
    assert "did not answer" in str(error)
    assert error.retryable


FAULTS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "model to hear": (LISTEN, {"model": "ear-9"}, "check media.transcription.model, and media.transcription.base_url,"),
    "model to judge": (JUDGE, {"model": "judge-9"}, "check moderation.model, and moderation.base_url, which usually"),
    "key to hear": (LISTEN, {"api_key": "sk-wrong-0123456789"}, "API key: check media.transcription.api_key, by"),
    "key to judge": (JUDGE, {"api_key": "sk-wrong-0123456789"}, "did not accept the API key: check moderation.api_key"),
    "bad key": (LISTEN, {"api_key": "two words"}, "cannot be sent: it holds a space"),
    "no address to hear": (LISTEN, {"base_url": "ftp://x"}, "media.transcription.base_url (or OPENAI_BASE_URL) is not"),
    "no address to judge": (JUDGE, {"base_url": "x"}, "moderation.base_url (or OPENAI_BASE_URL) is not an address"),
    "nobody hears": (LISTEN, {"base_url": "http://127.0.0.1:9/v1"}, "cannot be reached, or it broke the connection"),
    "in time": (LISTEN, {"timeout": 0.0}, "in time: try again, or raise media.transcription.timeout"),
}


@pytest.mark.parametrize(("service", "parts", "text"), FAULTS.values(), ids=FAULTS)
def test_an_error_names_the_option_that_cures_it(
    server: OpenAIServer, model: ChatModel, service: Any, parts: dict[str, Any], text: str
) -> None:
    _, make, ask_it = service
    error = fault(ask_it, model, make(server, **parts))
    assert text in str(error)
    assert "sk-wrong" not in "".join(traceback.format_exception(error))


@both
def test_openai_without_a_key_is_not_even_asked(
    model: ChatModel, server: OpenAIServer, place: Any, make: Make, ask_it: Any
) -> None:
    error = fault(ask_it, model, make(server, api_key="", base_url="https://api.openai.com/v1"))
    assert "there is no API key for api.openai.com" in str(error)


def test_a_recording_said_to_be_too_long_is_no_prompt_too_long(server: OpenAIServer, model: ChatModel) -> None:
    server.fail(400, "audio duration exceeds: maximum context length", at="audio")
    error = fault(LISTEN[2], model, listen(server))
    assert type(error) is ModelError
    assert str(error).endswith("with status 400")


def test_what_is_sent_is_in_no_repr(server: OpenAIServer) -> None:
    assert server.key not in repr(listen(server)) + repr(judge(server))
    assert "hello" not in repr(listen(server))


def test_the_model_is_asked_over_one_client(server: OpenAIServer, clock: MovingClock) -> None:
    with httpx2.Client() as client:
        model = OpenAIModel(clock, client)
        model.transcribe(listen(server))
        model.moderate(judge(server))
    assert {seen.connection for seen in server.recordings} == {seen.connection for seen in server.judged}
