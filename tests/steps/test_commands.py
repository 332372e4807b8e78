"""Which messages are commands, and which words a bot file may give them."""

from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.spec.loader import load_file
from botkit.steps.commands import Commands

HEAD = "persona: {text: hi, vars: {inn: Yoshi-an}}\nmodel: gpt-4.1-mini\n"
OWN = Commands.model_validate(
    {"reset": ["/reset", "リセット", "Ｎｅｗ ｃｈａｔ"], "say": {"営業時間": "9–18", "ß": "s"}}
)


def problems(tmp_path: Path, section: str) -> list[str]:
    path = tmp_path / "bot.yaml"
    path.write_text(HEAD + section, "utf-8")
    return [f"{one.line}:{one.column} {one.text}" for one in load_file(path)[1]]


@pytest.mark.parametrize(
    "text",
    [
        "/reset",
        "/RESET",
        "／ｒｅｓｅｔ",
        " /Reset\n",
        "　リセット　",
        "ﾘｾｯﾄ",
        "new chat",
        "営業時間",
        "SS",
        "/help",
        "/Forget",
        "/usage",
    ],
)
def test_a_whole_message_is_a_command_in_any_case_and_width(text: str) -> None:
    assert OWN.matches(text)


@pytest.mark.parametrize(
    "text",
    [
        "リセットってどういう意味？",
        "/reset now",
        "please /reset",
        "/reset\n/forget",
        "newchat",
        "reset",
        "/",
        "",
        " \n",
        "営業時間は？",
    ],
)
def test_a_message_that_says_more_or_less_is_none(text: str) -> None:
    assert not OWN.matches(text)


@given(st.text(max_size=40), st.sampled_from(["/reset", "リセット"]))
def test_words_around_a_command_make_it_a_sentence(around: str, word: str) -> None:
    is_blank = not normalize("NFKC", around).strip()
    assert OWN.matches(around + word) is is_blank
    assert OWN.matches(word + around) is is_blank


@given(
    st.text(min_size=1, max_size=40).filter(
        lambda text: (
            text.strip()
            and not normalize("NFKC", text).startswith("/")
            and text.strip().casefold() not in ("off", "false", "true")
        )
    )
)
def test_every_word_of_ones_own_matches_itself(word: str) -> None:
    commands = Commands.model_validate({"reset": [word], "say": {}})
    assert all(commands.matches(form) for form in (word, word.strip(), normalize("NFKC", word), f" {word}\n"))


@pytest.mark.parametrize("written", ["off", "Off", "OFF", "false", "False", "' off '"])
def test_a_switch_in_place_of_the_words_is_no_word(tmp_path: Path, written: str) -> None:
    assert problems(tmp_path, f"commands: {{usage: {written}}}\n") == []
    off = Commands.model_validate({"usage": False if written.casefold() == "false" else written.strip("'")})
    assert not any(off.matches(word) for word in ("/usage", "off", "false"))


@pytest.mark.parametrize("word", ["no", "No", "none", "yes", "on"])
def test_a_word_that_could_be_a_switch_may_stand_in_a_list(tmp_path: Path, word: str) -> None:
    assert problems(tmp_path, f"commands: {{forget: [{word}], say: {{'{word}!': {word}}}}}\n") == []
    assert Commands.model_validate({"forget": [word]}).matches(word)


def test_off_and_an_empty_list_leave_a_command_out(tmp_path: Path) -> None:
    assert problems(tmp_path, "commands: {reset: off, forget: [], help: 0123, usage: [1.50, /usage]}\n") == []
    commands = Commands.model_validate({"reset": "off", "forget": [], "help": "0123", "usage": ["1.50"]})
    assert [commands.matches(text) for text in ("off", "/reset", "/forget", "/help", "0123", "1.50")] == [
        *(False, False, False, False),
        *(True, True),
    ]


MISTAKES = {
    "commands: {reset: [/help]}": "3:12 commands.reset: `/help` stands for both `reset` and `help`; "
    "keep one (`off` leaves a command out)",
    "commands: {reset: リセット, forget: ﾘｾｯﾄ}": "3:25 commands.forget: `リセット` and `ﾘｾｯﾄ` are one word, which stands for both "
    "`reset` and `forget`; keep one (`off` leaves a command out)",
    "commands: {say: {/Usage: a}}": "3:18 commands.say./Usage: `/usage` and `/Usage` are one word, which stands for both "
    "`usage` and `say./Usage`; keep one (`off` leaves a command out)",
    "commands: {say: {/menu: a, /MENU: b}}": "3:28 commands.say./MENU: `/menu` and `/MENU` are one word, which stands for both "
    "`say./menu` and `say./MENU`; keep one (`off` leaves a command out)",
    "commands: {say: {/menu: '{{ inn'}}": "3:18 commands.say./menu: `{{` is not closed; add `}}`",
    "commands: {say: {/menu: '{{ ins }}'}}": "3:18 commands.say./menu: unknown variable `ins`; did you mean `inn`?",
    "commands: {usage_text: '{{ message }}'}": "3:12 commands.usage_text: unknown variable `message`; "
    "did you mean `messages`?",
    "commands: {help_text: '{{ messages }}'}": "3:12 commands.help_text: unknown variable `messages`; "
    "there is inn, bot, user, chat, now, today",
    **{
        f"commands: {{forget: {word}}}": f"3:12 commands.forget: {shown} is a switch, not a word that people send; "
        "write `off` for no such command; put other words in a list"
        for word, shown in {"no": "'no'", "No": "'No'", "none": "'none'", "'null'": "'null'"}.items()
    },
    **{
        f"commands: {{forget: {word}}}": f"3:12 commands.forget: {shown} is a switch, not a word that people send; "
        "remove the line for the standard word, or write `off` for no such command; put other words in a list"
        for word, shown in {"yes": "'yes'", "on": "'on'", "true": "true"}.items()
    },
    **{
        f"commands: {{reset: [/x, {word}]}}": f"3:24 commands.reset[1]: '{word}' is no word of a command; "
        "write `off` in place of the list, or remove it"
        for word in ("off", "OFF", "false", "true")
    },
    **{
        f"commands: {{{option}: {word}}}": f"3:12 commands.{option}: '{word}' is no text to say; write one, "
        "or remove the line"
        for option, word in {
            "reset_text": "off",
            "forget_text": "false",
            "help_text": "true",
            "usage_text": "Off",
            "unknown_text": "off",
        }.items()
    },
    "commands: {say: {hours: off}}": "3:18 commands.say.hours: 'off' is no text to say; write one, or remove the line",
    "commands: {say: {' ': a}}": "3:18 commands.say: a word must not be empty",
    "commands: {forget: null}": "3:12 commands.forget: is empty; write a text, or remove the line",
    "commands: {reset: ''}": "3:12 commands.reset: '' must not be empty",
    "commands: {reset: }": "3:12 commands.reset: is empty; write a text, or remove the line",
    "commands: {restart: /x}": "3:12 commands.restart: unknown option; did you mean `reset`?",
}


@pytest.mark.parametrize(("section", "problem"), MISTAKES.items())
def test_a_mistake_is_told_with_its_cure(tmp_path: Path, section: str, problem: str) -> None:
    assert problems(tmp_path, section + "\n") == [problem]
