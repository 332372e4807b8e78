"""What a good bot file means: short and long forms, defaults, words that stay words."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from botkit.messages import Reply as Answer
from botkit.spec import document
from botkit.spec.bot import BotSpec
from botkit.spec.loader import load_file, load_folder
from botkit.steps import STEPS
from botkit.steps.history import History
from botkit.steps.model import Model
from botkit.steps.persona import Persona
from botkit.steps.reply import Reply

ROOT = Path(__file__).parents[2]
GOOD = "persona: You are kind.\nmodel: gpt-4.1-mini\n"


def load(folder: Path, text: str, name: str = "bot") -> BotSpec:
    path = folder / f"{name}.yaml"
    path.write_text(text, "utf-8")
    spec, problems = load_file(path)
    assert spec is not None, problems
    return spec


def option(spec: BotSpec, kind: type) -> object:
    step = spec.step(kind)
    assert step is not None
    return step


def test_two_lines_are_a_bot_with_the_standard_pipeline(tmp_path: Path) -> None:
    spec = load(tmp_path, GOOD)
    assert (spec.name, spec.timezone, spec.line) == ("bot", ZoneInfo("UTC"), None)
    assert [type(step) for step in spec.steps] == list(STEPS.values())


def test_the_short_form_is_the_long_form_with_one_option(tmp_path: Path) -> None:
    short = load(tmp_path, "persona: hi\nmodel: m\nhistory: 5\n")
    long = load(tmp_path, "persona: {text: hi}\nmodel: {name: m}\nhistory: {window: 5}\n")
    assert short.step(History) == long.step(History)
    assert short.step(Model) == long.step(Model)
    persona = short.step(Persona)
    assert persona is not None
    assert persona.text == "hi"


@pytest.mark.parametrize("written", ["off", "no", "true", "null_", "1e3", "0123", "2026-11-22", "0x1f", "12:30:45"])
def test_words_stay_what_was_written(tmp_path: Path, written: str) -> None:
    spec = load(tmp_path, GOOD + f"description: {written}\nreply: {{quick_replies: [{written}], error: {written}}}\n")
    reply = spec.step(Reply)
    assert reply is not None
    assert (spec.description, reply.error) == (written, written)


@pytest.mark.parametrize("written", ["1e3", "0123", "true"])
def test_words_stay_in_short_forms_too(tmp_path: Path, written: str) -> None:
    spec = load(tmp_path, f"persona: {written}\nmodel: {written}\n")
    model = spec.step(Model)
    assert model is not None
    assert model.name == written


def test_numbers_are_read_as_yaml_1_2_reads_them(tmp_path: Path) -> None:
    spec = load(tmp_path, "persona: hi\nmodel: {name: m, temperature: 1e0, max_output_tokens: 0100}\n")
    model = spec.step(Model)
    assert model is not None
    assert (model.temperature, model.max_output_tokens) == (1.0, 100)


def test_several_channel_secrets_are_a_rotation(tmp_path: Path) -> None:
    spec = load(tmp_path, GOOD + "line: {channel_secret: [env:NEW, env:OLD], channel_access_token: env:T}\n")
    assert spec.line is not None
    assert spec.line.channel_secret == ("env:NEW", "env:OLD")


def test_secrets_may_lie_in_three_places(tmp_path: Path) -> None:
    spec = load(
        tmp_path,
        "persona: hi\nmodel: {name: m, api_key: 'secretsmanager:bots/kind#openai'}\n"
        "line: {channel_secret: [ssm:/bots/kind/secret, env:OLD], channel_access_token: ssm:/bots/kind/token}\n",
    )
    assert spec.secrets == (
        "ssm:/bots/kind/secret",
        "env:OLD",
        "ssm:/bots/kind/token",
        "secretsmanager:bots/kind#openai",
    )


def test_other_models_get_the_key_of_the_one_that_answers(tmp_path: Path) -> None:
    model = "persona: hi\nmodel: {name: m, api_key: env:MINE%s}\n%s"
    spec = load(tmp_path, model % ("", "moderation: {input: refuse}\nmedia: {transcription: {timeout: 5s}}\n"))
    assert spec.secrets == ("env:MINE",)
    spec = load(tmp_path, model % ("", "media: {transcription: {base_url: 'http://127.0.0.1:1'}}\n"))
    assert spec.secrets == ("env:OPENAI_API_KEY", "env:MINE")
    spec = load(tmp_path, model % (", base_url: 'http://127.0.0.1:1'", ""))
    assert spec.secrets == ("env:OPENAI_API_KEY", "env:MINE")


def test_the_pipeline_may_be_reordered_and_left_out(tmp_path: Path) -> None:
    spec = load(tmp_path, GOOD + "pipeline: [persona, reply, model]\n")
    assert [type(step).__name__ for step in spec.steps] == ["Persona", "Reply", "Model"]


def test_a_step_of_ones_own_stands_in_the_pipeline_with_its_options(tmp_path: Path) -> None:
    folder = tmp_path / "bots_own_step"
    (folder / "steps").mkdir(parents=True)
    (folder / "steps" / "hours.py").write_text(
        "from botkit import Handler, Reply, Step, Turn\n"
        "class Hours(Step):\n"
        "    opens: str\n"
        "    def __call__(self, turn: Turn, call_next: Handler) -> Reply:\n"
        "        return Reply.of(f'We open at {self.opens}.')\n"
    )
    entry = "{use: bots_own_step.steps.hours:Hours, with: {opens: 09:00}}"
    spec = load(folder, GOOD + f"pipeline: [{entry}, persona, model]\n")
    assert spec.steps[0](None, lambda _: Answer()).text == "We open at 09:00."  # type: ignore[arg-type]


def test_a_step_of_ones_own_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "bots_bad_step"
    folder.mkdir()
    (folder / "broken.py").write_text("1 / 0\n")
    (folder / "other.py").write_text("class Other: pass\n")
    entries = ", ".join(f"{{use: bots_bad_step.{use}}}" for use in ("broken:A", "other:Other", "other:Missing", "no:A"))
    path = folder / "bot.yaml"
    path.write_text(GOOD + f"pipeline: [persona, {entries}, model]\n")
    _, problems = load_file(path)
    assert [problem.text.partition(": ")[2] for problem in problems] == [
        "`bots_bad_step.broken` cannot be imported: ZeroDivisionError: division by zero; correct it",
        "`bots_bad_step.other:Other` is not a step; subclass botkit.Step",
        "`bots_bad_step.other` has no `Missing`; name the class as it stands there",
        "`bots_bad_step.no` cannot be imported: ModuleNotFoundError: No module named 'bots_bad_step.no'; correct it",
    ]


def test_files_that_start_with_an_underscore_and_scenarios_are_no_bots(tmp_path: Path) -> None:
    for name in ("a.yaml", "_base.yaml", "a.test.yaml", "notes.txt"):
        (tmp_path / name).write_text(GOOD)
    assert list(load_folder(tmp_path).bots) == ["a"]


def test_the_example_bots_are_good() -> None:
    loaded = load_folder(ROOT / "bots")
    assert loaded.problems == ()
    assert set(loaded.bots) == {"assistant", "companion", "concierge"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(content=st.binary(max_size=400) | st.text(alphabet="ab:-[]{}&*!<>|'\"#\n ?,%0~", max_size=200).map(str.encode))
@example(b"a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: {<<: [*c, *c]}\n")
@example(b"? {a: b}\n: c\n")
@example(b"%YAML 9.9\n---\na")
def test_no_bytes_make_the_reader_raise(content: bytes) -> None:
    read = document.read(content, "f.yaml")
    assert isinstance(read.problems, list)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*STEPS, "line", "pipeline", "name", "use", "with", "text", "x"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_no_data_makes_the_loader_raise(tmp_path: Path, data: object) -> None:
    path = tmp_path / "bot.yaml"
    path.write_text(repr(data).replace("None", "null").replace("True", "true").replace("False", "false"), "utf-8")
    spec, problems = load_file(path)
    assert (spec is None) == bool(problems)
