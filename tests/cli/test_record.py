"""`botkit record`: a stored conversation becomes a scenario of the bot's test file, which passes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from botkit.cli.main import main
from botkit.messages import Message
from botkit.ports import Conversation, Memory
from botkit.scenarios.file.loader import load_tests
from botkit.stores.sqlite import SqliteStore
from tests.support.samples import BOT, NOW, SECOND, memory, remember

HANA, GROUP = "U" + "a" * 32, "C" + "b" * 32
INN = "persona: You are {{ bot.name }}.\nmodel: gpt-4.1\ntimezone: Asia/Tokyo\n"
SHARED = INN + "history: {scope: group}\ngroups: {overhear: 5}\n"
HEAD = "# by hand\n- name: old   # keep\n  turns:\n  - hana: Hello\n    model: Hi\n    expect: {via: reply}\n"

Say = Callable[..., None]


@pytest.fixture
def bots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a bot in Tokyo, whose store is empty."""
    folder = tmp_path / "bots"
    folder.mkdir()
    (folder / "inn.yaml").write_text(INN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOTKIT_STORE", f"sqlite:///{tmp_path}/botkit.db")
    monkeypatch.setenv("COLUMNS", "200")
    return folder


@pytest.fixture
def say(bots: Path) -> Say:
    """Puts a question and its answer into a conversation, so many seconds after the start of 2100 in UTC."""
    store = SqliteStore(bots.parent / "botkit.db")

    def said(*rows: tuple[float, str, str | None], conversation: str = f"user:{HANA}", **changes: object) -> None:
        memories: list[Memory] = []
        for number, (seconds, text, answer) in enumerate(rows, 10):
            asked = memory(text, f"e{number}", at=NOW + int(seconds * SECOND))
            memories.append(replace(asked, message=replace(asked.message, **changes)))
            if answer is not None:
                memories.append(replace(asked, message=Message(BOT, answer)))
        remember(store, Conversation("inn", conversation), *memories)

    return said


def record(*arguments: str) -> int:
    return main(["record", "inn", *arguments])


def recorded(bots: Path) -> str:
    return (bots / "inn.test.yaml").read_text("utf-8")


def passes(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["test", "inn"]) == 0, capsys.readouterr().out


def test_a_conversation_becomes_a_test_that_passes(bots: Path, say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    say((0, "My name is Yuki. When is check-in?", "At three, Yuki."), (7200, "yes", "Fine."))
    assert record(HANA, "--name", "asks about check-in") == 0
    assert capsys.readouterr().out.splitlines() == [
        "“asks about check-in” (3 turns) is added to bots/inn.test.yaml.",
        "Replaced: 1 name.",
        "How LINE calls this person is not kept in 1:1 chats: names were guessed from the texts.",
        "Read it before you commit it: what else people tell of themselves is still in it.",
    ]
    assert recorded(bots) == (
        "- name: asks about check-in\n  at: 2100-01-01 09:00\n  turns:\n"
        "    - hana: My name is Hana. When is check-in?\n      model: At three, Hana.\n      expect: {via: reply}\n"
        "    - pause: 2h\n"
        '    - hana: "yes"\n      model: Fine.\n      expect: {via: reply}\n'
    )
    passes(capsys)


def test_a_group_is_overheard_and_answered_as_it_was(bots: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "inn.yaml").write_text(SHARED)
    lunch, asked = memory("Lunch at noon, Bert?", "e1"), memory("when do we eat?", "e2", at=NOW + 30 * SECOND)
    remember(
        SqliteStore(bots.parent / "botkit.db"),
        Conversation("inn", f"group:{GROUP}"),
        replace(lunch, message=replace(lunch.message, speaker="Ann", overheard=True)),
        replace(asked, message=replace(asked.message, speaker="Bert")),
        replace(asked, message=Message(BOT, "At noon, as Ann says.")),
    )
    assert record(GROUP) == 0
    assert recorded(bots) == (
        "- name: when do we eat?\n  chat: group\n  at: 2100-01-01 09:00\n  turns:\n"
        "    - hana: Lunch at noon, Ken?\n      expect: silent\n"
        '    - ken: "@inn when do we eat?"\n      model: At noon, as Hana says.\n'
        '      expect: {via: reply, prompt_has: "Lunch at noon, Ken?"}\n'
    )
    passes(capsys)
    (bots / "inn.yaml").write_text(SHARED.replace("overhear: 5", "overhear: 0"))
    assert main(["test", "inn"]) == 1  # what is expected can be missed
    capsys.readouterr()
    assert record(GROUP, "--print") == 0
    printed = capsys.readouterr()
    assert "expect: {via: reply}\n" in printed.out  # what is overheard is no longer told
    assert "does not come" not in printed.err


def test_the_bots_own_answers_are_no_script(bots: Path, say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "inn.yaml").write_text(INN + "commands: {say: {Wi-Fi: It is yoshi.}}\n")
    say((0, "wi-fi", "It is yoshi."), (200, "thanks", "Welcome."))
    assert record(HANA) == 0
    assert "- hana: wi-fi\n      expect: {via: reply, model_calls: 0}\n" in recorded(bots)
    assert "does not come" not in capsys.readouterr().out
    passes(capsys)


def test_an_answer_that_failed_fails_again_at_every_model(
    bots: Path, say: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    (bots / "inn.yaml").write_text(INN.replace("gpt-4.1\n", "{name: gpt-4.1, fallback: [gpt-4o]}\n"))
    say((0, "Hello?", None), (600, "Hello??", "Hi."))
    assert record(HANA) == 0
    assert "model: [{fails: down}, {fails: down}]\n" in recorded(bots)
    passes(capsys)


def test_a_burst_is_one_answer(bots: Path, say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    say((0, "Hello?", None), (4, "(photo)", None), (9, "What is it?", "A cat."))
    assert record(HANA) == 0
    assert "- hana: [Hello?, {image: true}, What is it?]\n" in recorded(bots)
    assert "expect: {via: reply, model_calls: 1}\n" in recorded(bots)
    passes(capsys)


def test_pauses_are_exact_where_a_limit_asks_for_it(bots: Path, say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "inn.yaml").write_text(INN + "limits: {user: {messages: 2/min}}\n")
    say(*((number * 40, f"q{number}", "a") for number in range(4)))
    assert record(HANA) == 0
    assert recorded(bots).count("pause: 40s") == 3
    passes(capsys)


def test_what_cannot_come_again_is_told(bots: Path, say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "inn.yaml").write_text(INN + "commands: {say: {tea?: There is none.}}\n")
    say((0, "tea?", "At four."))
    assert record(HANA) == 0
    told = "Turn 1 does not come as it did: its answer is no longer the model's, and not what it was"
    assert told in capsys.readouterr().out
    (bots / "inn.yaml").write_text(SHARED)
    say((0, "psst", None), conversation=f"user:{GROUP}", overheard=True)
    assert record(f"user:{GROUP}") == 0
    assert "Turn 1 does not come as it did: expected" in capsys.readouterr().out


@pytest.mark.parametrize(
    "before",
    [
        HEAD,
        HEAD.rstrip("\n"),
        HEAD.replace("\n", "\r\n"),
        "\ufeff" + HEAD,
        "# nothing yet\n",
        "".join(f"  {line}\n" for line in HEAD.splitlines()),
        HEAD.replace(
            "    model: Hi\n    expect: {via: reply}\n", "    expect: {via: reply}\n    model: |+\n      Hi\n\n"
        ),
    ],
)
def test_what_is_in_the_file_stays_byte_for_byte(
    bots: Path, say: Say, before: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = bots / "inn.test.yaml"
    path.write_bytes(before.encode())
    path.chmod(0o640)
    say((0, "Hm?", "Yes\n\nno"))
    assert record(HANA, "--name", "old") == 0
    assert path.read_bytes().startswith(before.encode())
    assert path.stat().st_mode & 0o777 == 0o640
    ends = b"\r\n" if "\r\n" in before else b"\n"
    assert path.read_bytes().count(ends) == path.read_bytes().count(b"\n")
    names = [one.name for one in load_tests(path).scenarios]
    assert names == (["old", "old (2)"] if "old" in before else ["old"])
    assert [one.name for one in sorted(bots.iterdir())] == ["inn.test.yaml", "inn.yaml"]
    passes(capsys)


def test_a_new_file_names_its_schema_where_there_is_one(bots: Path, say: Say) -> None:
    say((0, "Hm?", "Yes"))
    (bots.parent / "docs").mkdir()
    (bots.parent / "docs" / "test-file.schema.json").write_text("{}")
    assert record(HANA) == 0
    assert recorded(bots).startswith("# yaml-language-server: $schema=../docs/test-file.schema.json\n- name: Hm?\n")


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (
            "[{name: old, turns: [{hana: a, expect: silent}]}]\n",
            "bots/inn.test.yaml:1:1: its scenarios stand in brackets",
        ),
        ("- name: old\n  turns: 3\n", "bots/inn.test.yaml:2:3: turns:"),
        ("- name: [\n", "bots/inn.test.yaml:2"),
        (HEAD + "...\n", "bots/inn.test.yaml:"),
    ],
)
def test_a_file_that_nothing_can_be_added_to_stays_as_it_is(
    bots: Path, say: Say, capsys: pytest.CaptureFixture[str], before: str, words: str
) -> None:
    (bots / "inn.test.yaml").write_text(before)
    say((0, "Hm?", "Yes"))
    assert record(HANA) == 1
    assert words in capsys.readouterr().err
    assert recorded(bots) == before


def test_printing_writes_nothing(bots: Path, say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    (bots / "inn.test.yaml").write_text("wrong")
    say((0, "I am Yuki.", "Hello, Yuki!"))
    assert record(HANA, "--print") == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("- name: I am Hana.\n")
    assert "would be added" in printed.err
    assert recorded(bots) == "wrong"


def test_nothing_of_the_person_is_shown(bots: Path, say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    say((0, f"I am Yuki, {HANA}, yuki@corp.jp, ask Zaphod", "Hello, Yuki!"))
    assert record(HANA, "--hide", "zaphod") == 0
    whole = "".join(capsys.readouterr()) + recorded(bots)
    assert not [one for one in ("yuki", HANA, "corp", "zaphod") if one.casefold() in whole.casefold()]


def test_the_newest_lines_are_taken(bots: Path, say: Say) -> None:
    say((0, "one", "1"), (300, "two", "2"), (600, "three", "3"))
    assert record(HANA, "--limit", "3") == 0
    assert [act.deeds[0].text for act in load_tests(bots / "inn.test.yaml").scenarios[0].acts] == ["three"]


def test_where_there_is_nothing_that_is_said(bots: Path, say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    assert record(HANA) == 1
    assert f"inn remembers nothing of user:{HANA}: nothing was said there" in capsys.readouterr().err
    say((0, "", "Hello"), conversation=f"group:{GROUP}")
    assert record(GROUP) == 1
    assert "inn remembers only answers" in capsys.readouterr().err
    assert main(["record", "in", HANA]) == 2
    assert "there is no such bot; did you mean `inn`?" in capsys.readouterr().err
    (bots / "inn.yaml").write_text("persona: hi\n")
    say((0, "a", "b"))
    assert record(HANA) == 1
    assert "bots/inn.yaml:1:1" in capsys.readouterr().err
    assert not (bots / "inn.test.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("Hana",), "'Hana' is no conversation"),
        ((HANA, "--limit", "0"), "'0' is not a number from 1 to 1000"),
        ((HANA, "--name", "a\nb"), "must be on one line"),
        ((HANA, "--name", " "), "is empty"),
    ],
)
def test_misuse_is_told(
    bots: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    with pytest.raises(SystemExit) as raised:
        record(*arguments)
    assert raised.value.code == 2
    assert words in capsys.readouterr().err


def test_a_store_that_cannot_be_reached_is_told(
    bots: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BOTKIT_STORE", f"sqlite:///{bots}/inn.yaml/botkit.db")
    assert record(HANA) == 1
    told = capsys.readouterr().err
    assert told.startswith("botkit: ")
    assert "remembers" not in told
    assert not (bots / "inn.test.yaml").exists()
