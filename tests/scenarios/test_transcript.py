"""A remembered conversation becomes a scenario: the same words, without the names and ids of those who said them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import process_time
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from botkit.line.text import clean
from botkit.messages import ChatKind, Message
from botkit.scenarios.file.loader import load_tests
from botkit.scenarios.file.scenario import Deed, Scenario
from botkit.scenarios.transcripts.disguise import Disguise
from botkit.scenarios.transcripts.draft import Draft, paced
from botkit.scenarios.transcripts.handwriting import handwritten
from botkit.scenarios.transcripts.name_words import NAMES_TOO, NO_NAMES, OWN_WORDS
from botkit.scenarios.transcripts.transcript import transcribe
from botkit.spec.bot import BotSpec
from botkit.spec.loader import load_file

INN = (
    "persona: hi\nmodel: gpt-4.1\ntimezone: Asia/Tokyo\nhistory: {scope: group}\ngroups: {overhear: 9, names: [yado]}\n"
)
NOON = 1_900_033_200_000
"""2030-03-18 12:00 in Tokyo."""


@pytest.fixture(scope="module")
def inn(tmp_path_factory: pytest.TempPathFactory) -> BotSpec:
    folder = tmp_path_factory.mktemp("inn")
    (folder / "inn.yaml").write_text(INN, "utf-8")
    bot, _ = load_file(folder / "inn.yaml")
    assert bot is not None
    return bot


def line(text: str, seconds: float = 0, *, by: str | None = None, overheard: bool = False) -> Message:
    return Message("user", text, by, overheard=overheard, at=NOON + int(seconds * 1000))


def answer(text: str, seconds: float = 0) -> Message:
    return Message("assistant", text, at=NOON + int(seconds * 1000))


def drafted(bot: BotSpec, *said: Message, kind: ChatKind = "user", hide: tuple[str, ...] = ()) -> Draft:
    draft = transcribe(said, kind, bot)
    ids = ("Uc7e3c4a1b2d94f5e8a6b7c8d9e0f1a2b",)
    return replace(Disguise(draft, ids, hide, [bot.name, "yado"], INN).draft(), name="it")


def written(bot: BotSpec, *said: Message, kind: ChatKind = "user", hide: tuple[str, ...] = ()) -> str:
    """The scenario's text from `turns:` on, which the loader has taken."""
    text = handwritten(paced(drafted(bot, *said, kind=kind, hide=hide), 120))
    assert loaded(bot, text)
    return text.partition("  turns:\n")[2]


def loaded(bot: BotSpec, text: str) -> Scenario:
    path = bot.file.with_name("inn.test.yaml")
    path.write_bytes(text.encode())
    tests = load_tests(path)
    assert not tests.problems, text
    (one,) = tests.scenarios
    return one


# ---------------------------------------------------------------- what was said


def test_a_question_and_its_answer_are_a_turn(inn: BotSpec) -> None:
    text = handwritten(drafted(inn, line("When is check-in?"), answer("At three.")))
    assert text == (
        "- name: it\n  at: 2030-03-18 12:00\n  turns:\n    - hana: When is check-in?\n      model: At three.\n"
        "      expect: {via: reply}\n"
    )


def test_what_one_person_says_in_a_row_is_answered_at_once(inn: BotSpec) -> None:
    text = written(inn, line("Hello?"), line("yes", 5), line("Are you there?", 20), answer("I am.", 20))
    assert text.startswith('    - hana: [Hello?, "yes", Are you there?]\n      model: I am.\n')


def test_what_came_much_later_was_not_answered_at_once(inn: BotSpec) -> None:
    text = written(inn, line("Hello?"), line("Hello again", 3600), answer("Hi.", 3600))
    assert text == (
        "    # No answer is kept: none was made, as here, or it was taken back.\n"
        "    - hana: Hello?\n      model: {fails: down}\n      expect: {via: reply}\n"
        "    - pause: 1h\n"
        "    - hana: Hello again\n      model: Hi.\n      expect: {via: reply}\n"
    )


def test_in_a_group_the_bot_is_called_again_and_stays_out_of_the_rest(inn: BotSpec) -> None:
    said = [line("lunch?", by="Ann", overheard=True), line("when?", 5, by="Bert"), answer("Now.", 5)]
    said += [line("yado, where?", 9, by="Ann"), answer("Here.", 9)]
    assert written(inn, *said, kind="group") == (
        "    - hana: lunch?\n      expect: silent\n"
        '    - ken: "@inn when?"\n      model: Now.\n      expect: {via: reply}\n'
        "    - hana: yado, where?\n      model: Here.\n      expect: {via: reply}\n"
    )


def test_what_two_people_say_is_not_one_turn(inn: BotSpec) -> None:
    said = [line("one", by="Ann"), line("two", 1, by="Bert"), answer("2", 1)]
    assert [act.speaker for act in loaded(inn, handwritten(drafted(inn, *said, kind="group"))).acts] == ["hana", "ken"]


@pytest.mark.parametrize(
    ("kept", "deed"),
    [
        ("(photo)", "{image: true}"),
        ("(photo, not opened)", "{image: true}"),
        ("(voice message) When is tea?", "{audio: When is tea?}"),
        ("(voice message without words)", '{audio: ""}'),
        ("(sticker: happy, hello)", "{sticker: [happy, hello]}"),
        ("(video, 12 s, not opened)", "{video: true}"),
        ("(file: menu.pdf)", "{file: menu.pdf}"),
        ("(location: Kyoto Station, Shimogyo-ku, 34.98585, 135.75876)", "{location: {title: Kyoto Station, address:"),
        ("(location: Kyoto Station, 34.98585, 135.75876)", "{location: Kyoto Station}"),
        ("(Hanako has tapped a button that stands for: menu=tea)", "{postback: menu=tea}"),
        ("(not a photo)", "(not a photo)"),
    ],
)
def test_what_is_no_text_becomes_what_was_done(inn: BotSpec, kept: str, deed: str) -> None:
    text = written(inn, line(kept), answer("I see."))
    assert text.startswith(f"    - hana: {deed}")
    assert "135.7" not in text


def test_what_the_history_cannot_tell_is_remarked(inn: BotSpec) -> None:
    text = written(inn, line("(voice message, 3 s)"), line("(sticker)", 1), answer("ok", 1))
    assert text.splitlines()[:2] == [
        "    # What was said in the voice message is not kept. What the sticker shows is not known.",
        "    - hana: [{audio: …}, {sticker: sticker}]",
    ]


def test_who_came_and_where_the_bot_was_invited_is_a_happening(inn: BotSpec) -> None:
    said = [line("(You have just been added to the group Inn friends. Introduce yourself briefly.)"), answer("Hello")]
    said += [line("(Just joined this group: Ann, Bert. Welcome them.)", 9), answer("Welcome, Ann!", 9)]
    text = handwritten(drafted(inn, *said, kind="group"))
    assert "chat: {kind: group, name: Hikers}" in text
    assert "- join: true\n" in text
    assert "- come: [hana, ken]\n      model: Welcome, Hana!\n" in text
    one = loaded(
        inn, handwritten(drafted(inn, line("(Ann has just added you as a friend. Greet them.)"), answer("Hi")))
    )
    assert one.acts[0].turn.follow == "hana"


def test_who_is_named_on_coming_is_who_speaks(inn: BotSpec) -> None:
    said = [line("(Ann Abe has just added you as a friend. Greet them.)"), answer("Ann it is, or Abe?")]
    assert [turn.answer for turn in drafted(inn, *said).turns] == ["Hana it is, or Hana?"]


def test_one_turn_has_no_more_than_the_bot_answers_at_once(inn: BotSpec) -> None:
    turns = drafted(inn, *(line(f"q{number}", number) for number in range(17)), answer("ok", 16)).turns
    assert [len(turn.deeds) for turn in turns] == [15, 2]


def test_a_text_is_cut_to_what_line_takes(inn: BotSpec) -> None:
    said = [line("Al " * 1666, by="Al"), answer("ok")]
    (act,) = loaded(inn, handwritten(drafted(inn, *said, kind="group"))).acts
    assert 4900 < len(act.deeds[0].text or "") <= 5000
    assert "The text is cut short" in handwritten(drafted(inn, line("x" * 5000), answer("ok")))


def test_answers_to_nothing_are_left_out(inn: BotSpec) -> None:
    assert written(inn, answer("Good night."), line("Hm?", 5), answer("Yes?", 5)).count("model:") == 1
    assert not drafted(inn, answer("Good night.")).turns


def test_of_a_long_conversation_the_newest_turns_are_kept(inn: BotSpec) -> None:
    said = [one for n in range(90) for one in (line(f"q{n}", n * 600), answer(f"a{n}", n * 600))]
    one = loaded(inn, handwritten(paced(drafted(inn, *said), 120)))
    assert len(one.acts) == 99
    assert (one.acts[0].deeds[0].text, one.acts[-1].deeds[0].text) == ("q40", "q89")


@pytest.mark.parametrize(
    ("seconds", "pause"),
    [(119, None), (140, "2m"), (4000, "67m"), (90_000, "25h"), (10 * 86400, "10d"), (10**9, "366d")],
)
def test_time_goes_by(inn: BotSpec, seconds: int, pause: str | None) -> None:
    text = written(inn, line("a"), answer("b"), line("c", seconds), answer("d", seconds))
    assert re.findall("pause: (.*)", text) == ([pause] if pause else [])


# ---------------------------------------------------------------- who said it


SAID = [
    ("Yuki", "YUKI!", "HANA!"),
    ("Yuki", "ask yuki, or Ｙｕｋｉ", "ask hana, or Hana"),
    ("Yuki", "Yu\u200bki's bag, yuki_1990", "Hana's bag, hana_1990"),
    ("Yuki", "Yukimi is not Yuki", "Yukimi is not Hana"),
    ("Yuki Tanaka", "Tanaka-san, yuki tanaka, Yuki", "Hana-san, hana, Hana"),
    ("Yuki🌸", "Yuki 🌸", "Hana 🌸"),
    ("田中太郎", "田中さんと太郎くん、田中太郎です", "HanaさんとHanaくん、Hanaです"),
    ("花", "花さん、お花見は？", "Hanaさん、お花見は？"),
    ("ハナ", "ﾊﾅちゃん、ハナミズキ", "Hanaちゃん、ハナミズキ"),
    ("ゆき", "ゆきが来た。はやゆきすぎ", "Hanaが来た。はやゆきすぎ"),
    ("May", "May I come in May? Ask May, may I? May says hi", "May I come in May? Ask Hana, may I? Hana says hi"),
    ("Will", "Will you ask Will?", "Will you ask Hana?"),
    ("ok", "ok, ask @ok or ok-san", "ok, ask @hana or hana-san"),
    ("민수", "민수씨 안녕", "Hana씨 안녕"),
    ("inn", "inn is nice", "inn is nice"),
]


@pytest.mark.parametrize(("name", "text", "new"), SAID)
def test_a_name_is_replaced_wherever_it_is_one(inn: BotSpec, name: str, text: str, new: str) -> None:
    draft = drafted(inn, line("hello", by=name), line(text, 200, by=name), answer(text, 200), kind="group")
    assert [turn.speaker for turn in draft.turns] == ["hana", "hana"]
    assert (draft.turns[1].deeds, draft.turns[1].answer) == ((f"@inn {new}",), new)


@pytest.mark.parametrize(
    ("asked", "answered", "shown"),
    [
        ("My name is Yuki Tanaka.", "Hello, Yuki!", ("My name is Hana.", "Hello, Hana!")),
        ("Hello, I am Yuki Tanaka from Osaka.", "Hello, Yuki!", ("Hello, I am Hana from Osaka.", "Hello, Hana!")),
        ("私は田中と申します。", "田中様、ようこそ。", ("私はHanaと申します。", "Hana様、ようこそ。")),
        ("Is Mr. Abe there?", "Abe-san is out.", ("Is Mr. Ken there?", "Ken-san is out.")),
        ("tea?", "Of course, お客様。たくさんどうぞ", ("tea?", "Of course, お客様。たくさんどうぞ")),
        ("@yuki_t asked", "ok", ("@ken asked", "ok")),
        ("tell Zaphod", "ok", ("tell Ken", "ok")),
    ],
)
def test_names_that_only_texts_tell_are_found(inn: BotSpec, asked: str, answered: str, shown: tuple[str, str]) -> None:
    (turn,) = drafted(inn, line(asked), answer(answered), hide=("zaphod",)).turns
    assert (turn.deeds[0], turn.answer) == shown


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("mail hana.abe+x@corp.co.jp or Hana.Abe+x@corp.co.jp", "mail person1@example.com or person1@example.com"),
        ("call 090-1234-5678 or 09012345678", "call 000-0000-0001 or 00000000001"),
        ("＋８１ ９０ １２３４ ５６７８", "＋００ ００ ００００ ０００１"),
        ("card 4111 1111 1111 1111, room 204, 2 nights", "card 0000 0000 0000 0001, room 204, 2 nights"),
        ("from 2026-04-01 to 2026-04-03 22:30", "from 2026-04-01 to 2026-04-03 22:30"),
        ("〒604-8091", "〒000-0001"),
        ("https://a.example/x?token=s3cret&n=1#k=2 there", "https://a.example/x?token=x0xxxx&n=0#x=0 there"),
        ("https://me:pw1@a.example/menu/tea", "https://xx:xx0@a.example/menu/tea"),
        ("https://line.me/R/ti/g/AbCdEf", "https://line.me/R/ti/g/XxXxXx"),
        ("sk-proj-abc123DEF456ghi789", "xx-xxxx-xxx000XXX000xxx000"),
        ("the pin is 9876", "the pin is 0000"),
        ("パスワードはneko22です", "パスワードはxxxx00です"),
        ("Uc7e3c4a1b2d94f5e8a6b7c8d9e0f1a2b", "U" + "0" * 31 + "1"),
        ("C1e3c4a1b2d94f5e8a6b7c8d9e0f1a2b3", "C" + "0" * 31 + "1"),
    ],
)
def test_what_tells_who_somebody_is_or_opens_a_door_is_made_harmless(inn: BotSpec, text: str, new: str) -> None:
    (turn,) = drafted(inn, line(text), answer(text)).turns
    assert (turn.deeds[0], turn.answer) == (new, new)


def test_a_name_of_its_own_is_no_part_of_another(inn: BotSpec) -> None:
    said = [line("a", by="田中一郎"), line("b", 200, by="一郎"), answer("一郎だ、田中一郎", 200)]
    assert drafted(inn, *said, kind="group").turns[-1].answer == "Kenだ、Hana"


def test_made_up_names_are_nobodys_in_the_conversation(inn: BotSpec) -> None:
    said = [line("Is Hana in?", by="Ken"), answer("Mei is.")]
    (turn,) = drafted(inn, *said, kind="group").turns
    assert (turn.speaker, turn.answer) == ("leo", "Mei is.")


def test_it_is_told_how_much_was_replaced_and_not_what(inn: BotSpec) -> None:
    disguise = Disguise(
        transcribe([line("I am Yuki: a@b.jp, c@d.jp", by="Yuki"), answer("Yuki!")], "group", inn), (), (), ("inn",)
    )
    disguise.draft()
    assert disguise.told() == ["1 name", "2 e-mail addresses"]


# ---------------------------------------------------------------- how it is written


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("yes", '"yes"'),
        ("1:30", '"1:30"'),
        ("@inn hi", '"@inn hi"'),
        ("2026-04-01", '"2026-04-01"'),
        ("a: b", '"a: b"'),
        ("#1", '"#1"'),
        ("a #b", '"a #b"'),
        ('"a"', "'\"a\"'"),
        ("don't", "don't"),
        ("a, b", "a, b"),
        (" a", '" a"'),
        ("a\\b", "a\\b"),
        ("\ufeffa\u2028b\ufffe", '"\\ufeffa\\u2028b\\ufffe"'),
        ("🏮 三時", "🏮 三時"),
        ("a\n\n  b", "|-\n        a\n\n          b"),
        ("a\n", '"a\\n"'),
        (" a\nb", '" a\\nb"'),
        ("word " * 30 + "end", ">-\n        word"),
    ],
)
def test_quotes_stand_only_where_they_are_needed(inn: BotSpec, text: str, shown: str) -> None:
    assert written(inn, line(text), answer("ok")).startswith(f"    - hana: {shown}")
    assert loaded(inn, handwritten(drafted(inn, line(text), answer("ok")))).acts[0].deeds[0].text == text


HOSTILE = st.text(
    st.one_of(
        st.sampled_from(" \t\n\r:#-'\"|>&*!%@`{}[],?\\=~()<.…\x00\x1b\x85\u2028\ufeff\ufffe\ud800🏮三ﾊﾞ"),
        st.sampled_from("abyno01"),
        st.characters(),
    ),
    min_size=1,
    max_size=150,
)
SPOKEN = st.tuples(HOSTILE, st.sampled_from(["Ann", "Bert"]), st.booleans(), st.integers(0, 300), st.none() | HOSTILE)


def spoken(rows: list[tuple[str, str, bool, int, str | None]]) -> Iterator[Message]:
    at = 0
    for text, by, overheard, gap, answered in rows:
        at += gap
        yield line(text, at, by=by, overheard=overheard)
        if answered and not overheard:
            yield answer(answered, at)


def deed_text(deed: Deed) -> Any:
    return deed.text if deed.kind == "text" else None


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(SPOKEN, min_size=1, max_size=8), st.sampled_from(["user", "group"]))
def test_whatever_is_said_is_read_back_word_for_word(inn: BotSpec, rows: Any, kind: ChatKind) -> None:
    draft = drafted(inn, *spoken(rows), kind=kind)
    assume(draft.turns)
    one = loaded(inn, handwritten(draft))
    assert [[deed_text(deed) for deed in act.deeds] for act in one.acts] == [
        [deed if isinstance(deed, str) else None for deed in turn.deeds] for turn in draft.turns
    ]
    assert [[script.say for script in act.turn.model] for act in one.acts] == [
        [script if isinstance(script, str) else "" for script in turn.scripts] for turn in draft.turns
    ]
    said = [clean(text) for text, *_ in rows if clean(text) and not clean(text).startswith("(")]
    kept = "\0".join(deed for turn in draft.turns for deed in turn.deeds if isinstance(deed, str))
    assert all(text in kept for text in said if text.isascii() and text.isalpha())


def full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


LATIN = st.text("abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=9).map(str.capitalize)
KANJI = st.text("佐藤鈴木高橋田中渡辺伊藤山本", min_size=2, max_size=4)
NAMES = st.lists(LATIN | KANJI, min_size=1, max_size=4, unique_by=str.casefold)
USED: list[Callable[[str], str]] = [
    str,
    str.upper,
    str.lower,
    full_width,
    "{}さん".format,
    "@{} hi".format,
    "{}-san".format,
    "Mr. {}".format,
    "({}'s)".format,
    "「{}」".format,
    lambda name: "\u200b".join(name),
]
WORDS = OWN_WORDS | NAMES_TOO | NO_NAMES | {"san", "hi", "mr"}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(NAMES, st.data())
def test_no_name_and_no_id_is_left(inn: BotSpec, names: list[str], data: st.DataObject) -> None:
    assume(not {name.casefold() for name in names} & WORDS)
    uses = data.draw(
        st.lists(st.tuples(st.sampled_from(names), st.sampled_from(USED), st.sampled_from(names)), max_size=8)
    )
    user_id = data.draw(st.text("0123456789abcdef", min_size=32, max_size=32).map("U{}".format))
    said = [line(f"{use(name)}, {user_id} {use(name)}.", n, by=by) for n, (name, use, by) in enumerate(uses)]
    said += [line("hm", 500, by=name) for name in names] + [answer(f"{user_id} " + "; ".join(names), 500)]
    text = handwritten(drafted(inn, *said, kind="group"))
    one = loaded(inn, text)
    spoken = [*one.speakers, *(deed.text or "" for act in one.acts for deed in act.deeds)]
    spoken += [script.say for act in one.acts for script in act.turn.model]
    whole = normalize("NFKC", "\n".join(spoken)).replace("\u200b", "").casefold()
    for name in names:
        letter = "[a-z]" if name.isascii() else "(?!)"
        assert not re.search(rf"(?<!{letter}){re.escape(name.casefold())}(?!{letter})", whole), whole
    assert user_id not in text


def test_long_and_hostile_texts_cost_little_time(inn: BotSpec) -> None:
    pieces = ("a@", "1-", "https://a/", "Yuki ", "(photo", "x1", "my name is ", "さん", "?=&", "pin ")
    said = [line(piece * 2400, number * 500, by="Yuki") for number, piece in enumerate(pieces)]
    began = process_time()
    loaded(inn, handwritten(drafted(inn, *said, kind="group")))
    assert process_time() - began < 15  # about one; a minute where something is tried at each character again


def test_the_bots_file_is_no_secret(inn: BotSpec) -> None:
    draft = transcribe([line("Is Mr. Okami there?"), answer("Okami-san is.")], "user", inn)
    (turn,) = Disguise(draft, (), (), [], "persona: You are the inn of Okami.").draft().turns
    assert turn.answer == "Okami-san is."
