import pytest

from botkit.messages import Content, Message
from botkit.models.rehearsal import RehearsalModel
from botkit.models.tokens import count_messages, count_tokens
from botkit.ports import ChatModel, ChatRequest, ModerationRequest, TranscriptionRequest

CURE = "For a real answer set OPENAI_API_KEY, or OPENAI_BASE_URL, in .env or the environment."


def ask(*messages: Message) -> ChatRequest:
    return ChatRequest("gpt-4.1-mini", messages, timeout=1)


def test_it_says_what_it_heard_and_as_whom() -> None:
    model: ChatModel = RehearsalModel()
    persona = Message("system", "You are the night concierge of a small inn in Kyoto. Answer in the guest's language.")
    request = ask(
        persona, Message("user", "hi"), Message("assistant", "いらっしゃいませ"), Message("user", "何時から？")
    )
    assert model.complete(request).text == (
        "rehearsal: I heard “何時から？”.\n"
        "Persona: You are the night concierge of a small inn in Kyoto.\n"
        "Earlier messages: 2, the last “いらっしゃいませ”.\n"
        f"Prompt: {count_messages('gpt-4.1-mini', request.messages)} tokens for gpt-4.1-mini.\n" + CURE
    )


def test_what_there_is_not_is_not_spoken_of() -> None:
    assert RehearsalModel().complete(ask(Message("user", "hello world"))).text == (
        "rehearsal: I heard “hello world”.\nPrompt: 8 tokens for gpt-4.1-mini.\n" + CURE
    )


def test_an_empty_prompt_is_survived() -> None:
    assert RehearsalModel().complete(ask()).text.startswith("rehearsal: I heard “”.")


def test_the_usage_is_counted() -> None:
    request = ask(Message("user", "hello world"))
    completion = RehearsalModel().complete(request)
    assert completion.usage.model == "rehearsal"  # so that nobody is told what it cost
    assert completion.usage.input_tokens == 3 + 3 + 2
    assert completion.usage.output_tokens == count_tokens("gpt-4.1-mini", completion.text)


@pytest.mark.parametrize(
    ("persona", "sentence"),
    [
        ("あなたは宿の番頭です。丁寧に答えて。", "あなたは宿の番頭です。"),
        ("You are v1.2 of Yoshi. Be kind.", "You are v1.2 of Yoshi."),
        ("  Who are you?  Say it.", "Who are you?"),
        ("A title without a stop\nAnd a second line.", "A title without a stop"),
        ("x" * 100, "x" * 79 + "…"),
    ],
)
def test_of_the_persona_the_first_sentence_is_shown(persona: str, sentence: str) -> None:
    lines = RehearsalModel().complete(ask(Message("system", persona), Message("user", "hi"))).text.splitlines()
    assert lines[1] == f"Persona: {sentence}"


def test_a_long_message_is_shortened_to_one_line() -> None:
    first = RehearsalModel().complete(ask(Message("user", "word\n" * 4000))).text.splitlines()[0]
    assert first.startswith("rehearsal: I heard “word word")
    assert len(first) < 110


def test_the_same_question_gets_the_same_answer() -> None:
    request = ask(Message("user", "hello"))
    assert RehearsalModel().complete(request) == RehearsalModel().complete(request)


def test_photos_are_counted_and_not_seen() -> None:
    photo = Content(b"\xff\xd8\xff", "image/jpeg")
    asked = ask(Message("user", "(photo)", images=(photo,)), Message("user", "(photo)", images=(photo,)))
    text = RehearsalModel().complete(asked).text
    assert "Photos: 2, which I cannot see." in text


def test_a_recording_is_measured_and_not_listened_to() -> None:
    request = TranscriptionRequest("whisper-1", Content(b"12345", "audio/x-m4a"), 30.0)
    assert RehearsalModel().transcribe(request) == "rehearsal: a recording of 5 bytes, which whisper-1 would write down"


def test_everything_is_harmless() -> None:
    assert RehearsalModel().moderate(ModerationRequest("omni-moderation-latest", "a bomb", 10.0)) == ()
