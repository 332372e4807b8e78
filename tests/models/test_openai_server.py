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


def post(server: OpenAIServer, body: object, key: str) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx2.Client() as client:
        return client.post(f"{server.url}/chat/completions", content=json.dumps(body), headers=headers)
