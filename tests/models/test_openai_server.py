import json

import httpx2
import pytest

from tests.support.openai_server import OpenAIServer

HI = [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"messages": []}, 400, "empty_array"),
        ({"messages": None}, 400, "missing_required_parameter"),
        ({"messages": [{"role": "bot", "content": "hi"}]}, 400, "invalid_value"),
        ({"messages": [{"role": "user", "content": None}]}, 400, "invalid_type"),
        ({"messages": [{"role": "user", "content": "hi", "text": "hi"}]}, 400, "unknown_parameter"),
        ({"tokens": 1}, 400, "unknown_parameter"),
        ({"max_tokens": 1, "max_completion_tokens": 1}, 400, "invalid_parameter_combination"),
        ({"model": "gpt-5", "max_tokens": 1}, 400, "unsupported_parameter"),
        ({"model": "gpt-5", "temperature": 0.5}, 400, "unsupported_value"),
        ({"temperature": 3}, 400, "decimal_out_of_range"),
        ({"model": "gpt-9"}, 404, "model_not_found"),
        ({"model": "tiny", "messages": HI * 20}, 400, "context_length_exceeded"),
    ],
)
def test_the_stand_in_refuses_what_openai_refuses(
    server: OpenAIServer, changes: dict[str, object], status: int, code: str
) -> None:
    response = post(server, {"model": "gpt-4o", "messages": HI} | changes, server.key)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


def test_it_echoes_a_wrong_key_as_openai_does(server: OpenAIServer) -> None:
    response = post(server, {}, "sk-proj-abcdefghijklmnop-TAIL")
    assert response.status_code == 401
    assert "Incorrect API key provided: sk-proj-*****************TAIL." in response.json()["error"]["message"]


def test_it_asks_for_a_key(server: OpenAIServer) -> None:
    assert post(server, {}, "").status_code == 401


def test_other_places_and_methods_are_refused_in_the_same_shape(server: OpenAIServer) -> None:
    with httpx2.Client() as client:
        elsewhere = client.post(f"{server.url}/completions")
        method = client.get(f"{server.url}/chat/completions")
    assert (elsewhere.status_code, method.status_code) == (404, 405)
    assert elsewhere.json()["error"]["message"] == "Invalid URL (POST /v1/completions)"
    assert method.json()["error"]["type"] == "invalid_request_error"


def test_a_function_may_answer(server: OpenAIServer) -> None:
    server.say(lambda body: f"{len(body['messages'])} messages")
    answer = post(server, {"model": "gpt-4o", "messages": HI}, server.key).json()
    assert answer["choices"][0]["message"]["content"] == "1 messages"


URL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
BAD_URLS = {
    "no data": ("data:image/png;base64", "invalid_image_url"),
    "not base64": ("data:image/png;base64,####", "invalid_base64"),
    "no image": ("data:image/png;base64,aGVsbG8=", "invalid_image_format"),
    "another image": ("data:image/jpeg;base64,iVBORw0KGgo=", "invalid_image_format"),
    "no such format": ("data:image/svg+xml;base64,iVBORw0KGgo=", "invalid_image_format"),
}


@pytest.mark.parametrize(("url", "code"), BAD_URLS.values(), ids=BAD_URLS)
def test_a_photo_that_is_none_is_refused(server: OpenAIServer, url: str, code: str) -> None:
    part = {"type": "image_url", "image_url": {"url": url}}
    asked = post(server, {"model": "gpt-4o", "messages": [{"role": "user", "content": [part]}]}, server.key)
    judged = post(server, {"model": "omni-moderation-latest", "input": [part]}, server.key, "moderations")
    assert [one.json()["error"]["code"] for one in (asked, judged)] == [code, code]


@pytest.mark.parametrize(
    ("role", "model", "content"),
    [
        ("user", "gpt-4o", []),
        ("user", "gpt-4o", ["hi"]),
        ("user", "gpt-4o", [{"type": "text", "text": 5}]),
        ("user", "gpt-4o", [{"type": "text"}]),
        ("user", "gpt-4o", [{"type": "image_url", "image_url": "data:image/png;base64,iVBORw0KGgo="}]),
        ("system", "gpt-4o", [URL]),
        ("user", "gpt-3.5-turbo", [URL]),
    ],
)
def test_parts_that_openai_does_not_take_are_refused(
    server: OpenAIServer, role: str, model: str, content: list[object]
) -> None:
    assert (
        post(server, {"model": model, "messages": [{"role": role, "content": content}]}, server.key).status_code == 400
    )


def test_a_photo_costs_tokens(server: OpenAIServer) -> None:
    bodies = ({"model": "gpt-4o", "messages": [{"role": "user", "content": content}]} for content in ("", [URL]))
    empty, photo = (post(server, body, server.key).json()["usage"]["prompt_tokens"] for body in bodies)
    assert photo - empty == 765


FORMS: dict[str, tuple[dict[str, str], tuple[str, bytes] | None, int]] = {
    "no model": ({}, ("a.m4a", b"....ftyp"), 400),
    "no file": ({"model": "whisper-1"}, None, 400),
    "unknown field": ({"model": "whisper-1", "tone": "low"}, ("a.m4a", b"....ftyp"), 400),
    "unknown ending": ({"model": "whisper-1"}, ("a.aac", b"....ftyp"), 400),
    "no ending": ({"model": "whisper-1"}, ("audio", b"....ftyp"), 400),
    "empty": ({"model": "whisper-1"}, ("a.m4a", b""), 400),
    "no sound": ({"model": "whisper-1"}, ("a.m4a", b"hello"), 400),
    "too large": ({"model": "whisper-1"}, ("a.m4a", b"....ftyp" + bytes(26_214_400)), 413),
    "unknown model": ({"model": "ear-9"}, ("a.m4a", b"....ftyp"), 404),
}


@pytest.mark.parametrize(("fields", "file", "status"), FORMS.values(), ids=FORMS)
def test_recordings_that_openai_does_not_take_are_refused(
    server: OpenAIServer, fields: dict[str, str], file: tuple[str, bytes] | None, status: int
) -> None:
    # A field without a file name keeps the form multipart where there is no file.
    files = {"file": file} if file else {"prompt": (None, b"hi")}
    with httpx2.Client(headers={"Authorization": f"Bearer {server.key}"}) as client:
        response = client.post(f"{server.url}/audio/transcriptions", data=fields, files=files)
    assert response.status_code == status


def test_a_recording_as_json_is_refused(server: OpenAIServer) -> None:
    assert post(server, {"model": "whisper-1"}, server.key, "audio/transcriptions").status_code == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ({"model": "omni-moderation-latest"}, 400),
        ({"model": "omni-moderation-latest", "input": []}, 400),
        ({"model": "omni-moderation-latest", "input": [5]}, 400),
        ({"model": "omni-moderation-latest", "input": ["hi"], "tone": 1}, 400),
        ({"model": "omni-moderation-latest", "input": [URL, URL]}, 400),
        ({"model": "text-moderation-latest", "input": [URL]}, 400),
        ({"model": "gpt-4o", "input": ["hi"]}, 404),
    ],
)
def test_moderations_that_openai_does_not_make_are_refused(server: OpenAIServer, body: object, status: int) -> None:
    assert post(server, body, server.key, "moderations").status_code == status


def test_every_text_of_a_list_has_a_result_and_all_parts_have_one(server: OpenAIServer) -> None:
    inputs: list[object] = ["hi", ["hi", "ho"], [{"type": "text", "text": "hi"}, URL]]
    bodies = [{"model": "omni-moderation-latest", "input": one} for one in inputs]
    answers = [post(server, body, server.key, "moderations").json() for body in bodies]
    assert [len(answer["results"]) for answer in answers] == [1, 2, 1]
    assert "harassment/threatening" in answers[0]["results"][0]["categories"]


def post(server: OpenAIServer, body: object, key: str, place: str = "chat/completions") -> httpx2.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx2.Client() as client:
        return client.post(f"{server.url}/{place}", content=json.dumps(body), headers=headers)
