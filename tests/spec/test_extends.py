"""`extends`: bots that share a file, and mistakes told where they stand."""

from pathlib import Path

import pytest

from botkit.spec.bot import BotSpec
from botkit.spec.loader import load_file, load_folder
from botkit.steps.history import History
from botkit.steps.model import Model
from botkit.steps.persona import Persona
from botkit.steps.reply import Reply


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")


def load(path: Path) -> BotSpec:
    spec, problems = load_file(path)
    assert spec is not None, problems
    return spec


def test_maps_merge_lists_replace_and_this_file_wins(tmp_path: Path) -> None:
    write(
        tmp_path,
        _inn="model: {name: gpt-4.1, temperature: 0.2}\nhistory: {window: 5, keep: 24h}\nreply: {quick_replies: [a, b]}\n",
        bot="extends: _inn.yaml\npersona: hi\nmodel: {name: gpt-4o}\nhistory: {window: 7}\nreply: {quick_replies: [c]}\n",
    )
    spec = load(tmp_path / "bot.yaml")
    model, history, reply = spec.step(Model), spec.step(History), spec.step(Reply)
    assert model is not None
    assert history is not None
    assert reply is not None
    assert (model.name, model.temperature) == ("gpt-4o", 0.2)
    assert (history.window, history.keep) == (7, 86400)
    assert [button.label for button in reply.quick_replies] == ["c"]


@pytest.mark.parametrize(
    ("base", "top"),
    [("model: gpt-4.1", "model: {temperature: 0.5}"), ("model: {name: gpt-4o, temperature: 0.5}", "model: gpt-4.1")],
)
def test_a_short_form_and_a_long_form_are_the_same_thing(tmp_path: Path, base: str, top: str) -> None:
    write(tmp_path, _base=f"{base}\npersona: hi\n", bot=f"extends: _base.yaml\n{top}\n")
    model = load(tmp_path / "bot.yaml").step(Model)
    assert model is not None
    assert (model.name, model.temperature) == ("gpt-4.1", 0.5)


def test_chains_are_allowed(tmp_path: Path) -> None:
    write(
        tmp_path,
        _a="persona: from a\nmodel: gpt-4.1\n",
        _b="extends: _a.yaml\npersona: from b\n",
        bot="extends: _b.yaml\ndescription: mine\n",
    )
    spec = load(tmp_path / "bot.yaml")
    persona = spec.step(Persona)
    assert persona is not None
    assert (persona.text, spec.description) == ("from b", "mine")


def test_circles_are_refused(tmp_path: Path) -> None:
    write(tmp_path, _a="extends: _b.yaml\n", _b="extends: _a.yaml\n", bot="extends: _a.yaml\npersona: hi\nmodel: m\n")
    _, problems = load_file(tmp_path / "bot.yaml")
    assert [str(problem) for problem in problems] == [
        f"{tmp_path}/_b.yaml:1:1: extends: goes round in a circle (bot.yaml → _a.yaml → _b.yaml → _a.yaml); "
        "take one of them out"
    ]


def test_a_mistake_in_an_extended_file_is_told_at_its_own_place_and_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        _inn="model: gpt-4.1\nhistory:\n  window: many\npersona: |\n  Hello\n  {{ usr.name }}\n",
        one="extends: _inn.yaml\n",
        two="extends: _inn.yaml\nhistroy: 3\n",
    )
    loaded = load_folder(tmp_path)
    assert [str(problem).removeprefix(f"{tmp_path}/") for problem in loaded.problems] == [
        "_inn.yaml:3:3: history.window: 'many' must be a whole number",
        "_inn.yaml:6:6: persona: unknown variable `usr`; did you mean `user`?",
        "two.yaml:2:1: histroy: unknown option; did you mean `history`?",
    ]
    assert list(loaded.broken) == ["one", "two"]


def test_what_is_overridden_is_not_complained_about(tmp_path: Path) -> None:
    write(
        tmp_path, _inn="model: gpt-4.1\npersona: hi\nhistory: {window: many}\n", bot="extends: _inn.yaml\nhistory: 3\n"
    )
    assert load(tmp_path / "bot.yaml").step(History) == History(window=3)


def test_words_of_an_extended_file_stay_words(tmp_path: Path) -> None:
    write(
        tmp_path,
        _inn="model: gpt-4.1\ndescription: 0123\nreply: {error: off}\n",
        bot="extends: _inn.yaml\npersona: hi\n",
    )
    spec = load(tmp_path / "bot.yaml")
    assert (spec.description, spec.error_reply.text) == ("0123", "off")


def test_options_know_where_they_come_from(tmp_path: Path) -> None:
    write(tmp_path, _inn="model: gpt-4.1\nhistory: 3\n", bot="extends: _inn.yaml\npersona: hi\n")
    spec = load(tmp_path / "bot.yaml")
    assert spec.place_of(("history", "window")) == (str(tmp_path / "_inn.yaml"), 2, 1)
    assert spec.place_of(("persona", "text")) == (str(tmp_path / "bot.yaml"), 2, 1)


@pytest.mark.parametrize("option", ["channel_secret", "channel_id", "user_id"])
def test_two_bots_cannot_share_an_account(tmp_path: Path, option: str) -> None:
    def account(number: int) -> str:
        values = {"channel_secret": f"env:S{number}", "channel_id": f"{number}", "user_id": f"U{number:032x}"}
        # The same number, written in the two ways that there are.
        same = {"channel_secret": "env:SAME", "channel_id": ("9", "'9'")[number - 1], "user_id": f"U{9:032x}"}
        values[option] = same[option]
        lines = "".join(f"\n  {name}: {value}" for name, value in values.items())
        return f"persona: hi\nmodel: gpt-4.1\nline:{lines}\n"

    write(tmp_path, one=account(1), other="persona: hi\nmodel: gpt-4.1\n", two=account(2))
    loaded = load_folder(tmp_path)
    assert list(loaded.bots) == ["other"]
    assert [problem.text for problem in loaded.problems] == [
        f"line.{option}: is the same as in two.yaml; each bot needs a LINE account of its own",
        f"line.{option}: is the same as in one.yaml; each bot needs a LINE account of its own",
    ]
    assert {problem.line for problem in loaded.problems} == {
        {"channel_secret": 4, "channel_id": 5, "user_id": 6}[option]
    }


def test_a_secret_may_stand_twice_in_one_rotation(tmp_path: Path) -> None:
    write(tmp_path, bot="persona: hi\nmodel: m\nline: {channel_secret: [env:A, env:A], channel_access_token: env:T}\n")
    assert load_folder(tmp_path).problems == ()


def test_a_yml_file_is_told_to_be_renamed(tmp_path: Path) -> None:
    (tmp_path / "bot.yml").write_text("persona: hi\nmodel: m\n")
    assert [problem.text for problem in load_folder(tmp_path).problems] == [
        "a bot file ends in .yaml; rename it to bot.yaml"
    ]


def test_a_mistake_in_a_persona_file_is_told_in_that_file(tmp_path: Path) -> None:
    (tmp_path / "p.j2").write_text("Hello\n  {{ user.name }} {{ inn }}\n{% endif %}\n")
    write(tmp_path, bot="persona: {file: p.j2}\nmodel: m\n")
    (problem,) = load_folder(tmp_path).problems
    assert str(problem).startswith(f"{tmp_path}/p.j2:3:1: persona: Encountered unknown tag 'endif'")
    (tmp_path / "p.j2").write_text("Hello\n  {{ user.name }} {{ inn }}\n")
    (problem,) = load_folder(tmp_path).problems
    assert (
        str(problem) == f"{tmp_path}/p.j2:2:22: persona: unknown variable `inn`; there is bot, user, chat, now, today"
    )


def test_numbers_in_vars_that_would_lose_digits_stay_as_written(tmp_path: Path) -> None:
    write(
        tmp_path,
        bot="persona: {text: '{{ phone }} {{ version }} {{ guests + 1 }}', vars: {phone: 0312345678, version: 1.10, guests: 3}}\nmodel: m\n",
    )
    persona = load(tmp_path / "bot.yaml").step(Persona)
    assert persona is not None
    assert persona.render_sample() == "0312345678 1.10 4"


def test_a_mistake_in_a_persona_file_of_a_sub_folder_is_told_there(tmp_path: Path) -> None:
    (tmp_path / "personas").mkdir()
    (tmp_path / "personas" / "p.j2").write_text("Hello {{ usr }}\n")
    write(tmp_path, bot="persona: {file: personas/p.j2}\nmodel: m\n")
    (problem,) = load_folder(tmp_path).problems
    assert str(problem) == f"{tmp_path}/personas/p.j2:1:10: persona: unknown variable `usr`; did you mean `user`?"


@pytest.mark.parametrize(
    ("base", "top", "expected"),
    [("file: p.j2", "hi", ("hi", None)), ("text: hi", "{file: p.j2}", (None, "p.j2"))],
)
def test_a_persona_text_and_a_persona_file_replace_each_other(
    tmp_path: Path, base: str, top: str, expected: tuple[str | None, str | None]
) -> None:
    (tmp_path / "p.j2").write_text("from the file")
    write(tmp_path, _base=f"persona:\n  {base}\nmodel: m\n", bot=f"extends: _base.yaml\npersona: {top}\n")
    persona = load(tmp_path / "bot.yaml").step(Persona)
    assert persona is not None
    assert (persona.text, persona.file) == expected


WRONG_BASES = {
    "- 1\n": "_base.yaml:1:1: a file to extend is a mapping of sections, as a bot file is",
    "words\n": "_base.yaml:1:1: a file to extend is a mapping of sections, as a bot file is",
    "persona: [\n": "_base.yaml:2:1: this is not valid YAML: did not find expected node content; check the indentation and the quotes",
}


@pytest.mark.parametrize(("base", "expected"), WRONG_BASES.items())
def test_a_base_that_cannot_be_one_is_told_and_nothing_else(tmp_path: Path, base: str, expected: str) -> None:
    write(tmp_path, _base=base, bot="extends: _base.yaml\n")
    assert [str(one).removeprefix(f"{tmp_path}/") for one in load_folder(tmp_path).problems] == [expected]


def test_a_missing_base_is_the_only_thing_told(tmp_path: Path) -> None:
    write(tmp_path, bot="description: x\nextends: _gone.yaml\n")
    assert [problem.text for problem in load_folder(tmp_path).problems] == [
        "extends: there is no file _gone.yaml in this folder; it counts from there"
    ]


def test_a_long_chain_is_refused(tmp_path: Path) -> None:
    files = {f"_{n}": f"extends: _{n + 1}.yaml\n" for n in range(1200)}
    write(tmp_path, **files, bot="extends: _0.yaml\npersona: hi\nmodel: m\n")
    (problem,) = load_folder(tmp_path).problems
    assert problem.text == "extends: more than 10 files in a row; put some of them together"


@pytest.mark.parametrize(
    "text", ["description: ~", "reply: {error: null}", "reply: {quick_replies: [~]}", "model: {name: ~}"]
)
def test_nothing_is_not_a_word(tmp_path: Path, text: str) -> None:
    write(tmp_path, bot=f"persona: hi\n{text}\n" + ("" if text.startswith("model") else "model: m\n"))
    assert load_folder(tmp_path).problems != ()


def test_a_template_cannot_reach_beyond_what_it_is_given(tmp_path: Path) -> None:
    text = "{% set b = bot %}{% if b.file is defined %}{{ b.file.read_text() }}{% else %}safe{% endif %}"
    write(tmp_path, bot=f"persona: '{text}'\nmodel: m\n")
    persona = load(tmp_path / "bot.yaml").step(Persona)
    assert persona is not None
    assert persona.render_sample() == "safe"
