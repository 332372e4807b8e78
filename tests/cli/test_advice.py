"""What `botkit check` says of good files: each piece of advice at its place, and none where none is due."""

from pathlib import Path

import pytest

from botkit.cli.advice import advise
from botkit.spec.loader import load_file

KEY = {"OPENAI_API_KEY": "sk"}
HERE = "media: {audio: text}\n"  # nothing is said of voice messages then
LINE = "line: {channel_secret: env:SECRET, channel_access_token: env:TOKEN}\n"
SET = {**KEY, "SECRET": "s", "TOKEN": "t"}


@pytest.fixture(autouse=True)
def _in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def advice(text: str, environ: dict[str, str] | None = None, base: str = "") -> list[str]:
    """The advice on a bot file `x.yaml` with these lines, as it is shown."""
    path = Path("x.yaml").absolute()
    path.write_text(text)
    path.with_name("_base.yaml").write_text(base)
    bot, problems = load_file(path)
    assert bot is not None, problems
    found = advise(bot, KEY if environ is None else environ)
    assert {one.severity for one in found} <= {"warning"}
    return [str(one) for one in found]


def test_a_bot_with_all_it_needs_gets_no_advice() -> None:
    assert advice(f"persona: hi\nmodel: gpt-4.1\nhistory: {{keep: 24h}}\n{LINE}", SET) == []


def test_references_to_variables_that_are_not_set_are_told_each_at_its_place() -> None:
    text = """\
persona: hi
model: gpt-4.1
history: {keep: 24h}
line:
  channel_secret: [env:OLD, env:NEW]
  channel_access_token: env:TOKEN
"""
    assert advice(text, {**KEY, "OLD": "s", "NEW": " "}) == [
        "x.yaml:5:29: line.channel_secret[1]: NEW is not set here; set it where the bot goes on LINE",
        "x.yaml:6:3: line.channel_access_token: TOKEN is not set here; set it where the bot goes on LINE, or write "
        "`channel_id:` instead, which needs no token",
    ]


def test_a_bot_with_a_channel_id_misses_no_token() -> None:
    line = "line: {channel_secret: env:SECRET, channel_id: 2001234567}\n"
    assert advice(f"persona: hi\nmodel: gpt-4.1\nhistory: {{keep: 24h}}\n{line}", {**KEY, "SECRET": "s"}) == []


def test_a_single_secret_is_told_without_a_number() -> None:
    found = advice(f"persona: hi\nmodel: gpt-4.1\nhistory: {{keep: 24h}}\n{LINE}", {**KEY, "TOKEN": "t"})
    assert found == ["x.yaml:4:8: line.channel_secret: SECRET is not set here; set it where the bot goes on LINE"]


def test_the_default_key_is_missed_only_where_openai_is_asked() -> None:
    saying = "x.yaml:2:1: model: OPENAI_API_KEY is not set here; set it, or base_url for a server of your own"
    assert advice("persona: hi\nmodel: gpt-4.1\n", {}) == [saying]
    assert advice("persona: hi\nmodel: gpt-4.1\n", {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}) == []
    assert advice("persona: hi\nmodel: {name: gpt-4.1, base_url: 'http://127.0.0.1:1/v1'}\n" + HERE, {}) == []


def test_a_key_that_the_file_names_is_missed_wherever_it_is_sent() -> None:
    text = "persona: hi\nmodel:\n  name: gpt-4.1\n  base_url: http://127.0.0.1:1/v1\n  api_key: env:MINE\n"
    assert advice(text + HERE) == ["x.yaml:5:3: model.api_key: MINE is not set here; set it before the model is asked"]


def test_a_window_that_nobody_knows_is_told_for_each_model() -> None:
    text = "persona: hi\nmodel:\n  name: llama3\n  fallback: [gpt-4.1, qwen]\n"
    cure = "is not known, so 8192 tokens are assumed; write context_tokens: with what it has"
    assert advice(text) == [
        f"x.yaml:3:3: model.name: the context window of `llama3` {cure}",
        f"x.yaml:4:23: model.fallback[1]: the context window of `qwen` {cure}",
    ]
    assert advice(text + "  context_tokens: 32000\n") == []


@pytest.mark.parametrize(("words", "told"), [(240, False), (260, True)])
def test_a_persona_that_takes_a_quarter_of_the_window_is_told(words: int, told: bool) -> None:
    found = advice(f"model: {{name: gpt-4.1, context_tokens: 1000, max_output_tokens: 9}}\npersona: {'hi ' * words}\n")
    saying = (
        f"x.yaml:2:1: persona.text: the persona is {words} of the 1,000 tokens that `gpt-4.1` takes "
        f"({words / 10:.0f}%); shorten it, or take a model with more"
    )
    assert found == ([saying] if told else [])


def test_a_persona_in_a_file_is_told_where_it_is_named() -> None:
    Path("p.j2").write_text("hi " * 2000)
    found = advice("model: {name: gpt-4.1, context_tokens: 4000, max_output_tokens: 9}\npersona: {file: p.j2}\n")
    assert [one.partition(": the persona is ")[0] for one in found] == ["x.yaml:2:11: persona.file"]


@pytest.mark.parametrize(
    ("history", "place", "kept"),
    [
        ("history: {window: 5, keep: 36h}\n", "x.yaml:4:22: ", "36 hours"),
        ("history: {keep: 2d}\n", "x.yaml:4:11: ", "2 days"),
        ("history: 5\n", "x.yaml: ", "30 days"),
        ("", "x.yaml: ", "30 days"),
    ],
)
def test_storing_for_more_than_a_day_is_told_to_bots_on_line(history: str, place: str, kept: str) -> None:
    text = f"persona: hi\nmodel: gpt-4.1\n{LINE}{history}"
    saying = f"history.keep: messages are stored for {kept}, and LINE's user data policy wants people told"
    assert advice(text, SET) == [f"{place}{saying}; tell them, or write keep: 24h"]
    assert advice(text.replace(LINE, "description: local\n")) == []


@pytest.mark.parametrize("host", ["models.example", "192.168.1.2", "localhost.example", "[2001:db8::1]"])
def test_a_key_that_crosses_a_network_in_the_open_is_told(host: str) -> None:
    text = f"persona: hi\nmodel: {{name: gpt-4.1, base_url: 'http://me:secret@{host}:1/v1'}}\n{HERE}"
    shown = host.strip("[]")
    assert advice(text) == [f"x.yaml:2:24: model.base_url: the API key is sent to {shown} unencrypted; write https://"]
    assert advice(text, {}) == []
    assert advice(text.replace("http:", "https:")) == []


@pytest.mark.parametrize("host", ["localhost", "llm.localhost", "127.8.8.8", "[::1]", "[::1"])
def test_a_key_that_stays_on_the_machine_or_goes_nowhere_is_not_told(host: str) -> None:
    assert advice(f"persona: hi\nmodel: {{name: gpt-4.1, base_url: 'http://{host}:1/v1'}}\n{HERE}") == []


def test_a_key_that_the_file_names_will_be_sent_where_the_bot_runs() -> None:
    text = "persona: hi\nmodel: {name: gpt-4.1, api_key: env:MINE, base_url: 'http://models.example'}\n" + HERE
    assert [one.split(": ")[1] for one in advice(text, {})] == ["model.api_key", "model.base_url"]


def test_advice_comes_at_its_place_in_the_file_that_is_extended_after_the_bots_own() -> None:
    found = advice("extends: _base.yaml\npersona: hi\nmodel: {fallback: [qwen]}\n", base="model: llama3\n")
    assert [one.partition(": the")[0] for one in found] == [
        "x.yaml:3:20: model.fallback[0]",
        "_base.yaml:1:1: model.name",
    ]


def test_a_bot_that_stores_nothing_has_nothing_to_tell() -> None:
    assert advice(f"persona: hi\nmodel: gpt-4.1\npipeline: [media, persona, model]\n{LINE}", SET) == []


OWN = "persona: hi\nmodel: {name: gpt-4.1, base_url: 'https://models.example'}\n"
OPENAIS = "persona: hi\nmodel: gpt-4.1\n"
ELSEWHERE = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}


@pytest.mark.parametrize("manner", ["input", "output"])
def test_moderation_that_lacks_its_key_is_told(manner: str) -> None:
    judges = f"{HERE}moderation: {{{manner}: refuse}}\n"
    saying = (
        "x.yaml:4:1: moderation: what is said goes to api.openai.com and needs OPENAI_API_KEY; "
        "set it, or write moderation.base_url"
    )
    assert advice(OWN + judges, {}) == [saying]
    assert advice(OWN + judges) == []
    assert advice(OWN + judges, ELSEWHERE) == []
    at_home = judges.replace("refuse}", "refuse, base_url: 'https://judge.example'}")
    assert advice(OWN + at_home, {}) == []


def test_a_key_that_the_model_lacks_too_is_told_once() -> None:
    text = f"{OPENAIS}media: {{audio: transcribe}}\nmoderation: {{input: refuse}}\n"
    assert [one.split(": ")[1] for one in advice(text, {})] == ["model"]
    other = text.replace("refuse", "refuse, api_key: env:OTHER").replace("transcribe", "transcribe, transcription: T")
    other = other.replace("T}", "{model: whisper-1, api_key: env:THIRD}}")
    found = advice(other)
    assert [one.split(": ")[1] for one in found] == ["media.transcription", "moderation"]
    assert "need THIRD;" in found[0]
    assert "needs OTHER;" in found[1]


def test_a_moderation_that_judges_nothing_is_told() -> None:
    saying = "x.yaml:3:1: moderation: nothing is judged; write input: refuse or output: refuse"
    assert advice(f"{OPENAIS}moderation: {{notice: No.}}\n") == [saying]
    assert advice(f"{OPENAIS}moderation: {{notice: No., output: refuse}}\n") == []


CURE = "write media.transcription.base_url, or audio: text"


@pytest.mark.parametrize(
    ("environ", "saying"),
    [
        ({}, f"voice messages go to api.openai.com and need OPENAI_API_KEY; set it, {CURE}"),
        (KEY, f"voice messages go to api.openai.com, and not to the model's server; {CURE}"),
    ],
)
def test_voices_that_leave_for_openai_although_the_model_is_ones_own_are_told(
    environ: dict[str, str], saying: str
) -> None:
    assert advice(OWN, environ) == [f"x.yaml: media.transcription: {saying}"]
    assert advice(f"{OWN}media: {{audio: transcribe}}\n", environ) == [f"x.yaml:3:1: media.transcription: {saying}"]
    assert advice(OWN + HERE, environ) == []
    assert advice(OWN, {**environ, **ELSEWHERE}) == []
    assert advice(f"{OWN}media: {{transcription: {{base_url: 'https://ears.example'}}}}\n", environ) == []
    assert advice(f"{OWN}media: {{transcription: {{api_key: env:MINE}}}}\n", {"MINE": "sk"}) == []


def test_photos_that_nothing_answers_are_told() -> None:
    text = "photos, stickers and voice messages get no answer without media; add media to the pipeline"
    assert advice(f"{OPENAIS}pipeline: [persona, model]\n") == [f"x.yaml:3:1: pipeline: {text}"]


def test_lines_that_are_overheard_are_stored_and_people_should_know() -> None:
    text = f"{OPENAIS}history: {{scope: group, keep: 24h}}\ngroups: {{overhear: 5, keep_overheard: 36h}}\n"
    stored = "groups.overhear: lines said to others are stored for 36 hours"
    assert advice(text + LINE, SET) == [
        f"x.yaml:4:10: {stored}, and LINE's user data policy wants people told; tell the groups"
    ]
    assert advice(text) == []
    assert advice((text + LINE).replace("overhear: 5, ", ""), SET) == []


def test_nothing_is_overheard_where_everything_is_answered() -> None:
    text = f"{OPENAIS}history: {{scope: group}}\ngroups:\n  answer: always\n  overhear: 5\n"
    cure = "write answer: addressed, or leave overhear out"
    assert advice(text) == [f"x.yaml:6:3: groups.overhear: everything is answered, so nothing is overheard; {cure}"]
