"""A model's Markdown as people read it on LINE."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.line.bodies import render
from botkit.line.markdown import LineMarkdown
from botkit.line.text import MOST_MESSAGES, is_blank
from botkit.messages import Flex, Reply, Text
from botkit.simulator.rules import faults

MARKDOWN = LineMarkdown()


def plain(text: str) -> str:
    (part,) = MARKDOWN.plain(text)
    assert isinstance(part, Text)
    assert not part.markdown
    return part.text


def whole(text: str) -> list[str]:
    """The stretches that are not to be cut."""
    (part,) = MARKDOWN.plain(text)
    assert isinstance(part, Text)
    return [part.text[start:end] for start, end in part.whole]


def flex(text: str) -> list[str]:
    """The parts in short: texts as they are, Flex by the kind of its contents."""
    return [part.contents["type"] if isinstance(part, Flex) else part.text for part in MARKDOWN.flex(text)]


# ---------------------------------------------------------------- plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello\nthere", "Hello\nthere"),
        ("one  \ntwo\\\nthree", "one\ntwo\nthree"),
        ("# Rooms\nOpen.\n## Prices ##\n", "Rooms\n\nOpen.\n\nPrices"),
        ("Rooms\n=====\nOpen.", "Rooms\n\nOpen."),
        ("**a** __b__ *c* _d_ ***e*** ~~f~~ `g`", "a b c d e f g"),
        ("- a\n- b", "• a\n• b"),
        ("* a\n+ b", "• a\n\n• b"),
        ("- a\n  - b\n    - c\n- d", "• a\n  • b\n    • c\n• d"),
        ("- a\n\n  more\n- b", "• a\n\n  more\n\n• b"),
        ("- a\nlazy", "• a\n  lazy"),
        ("1. a\n2. b", "1. a\n2. b"),
        ("3) a\n4) b", "3) a\n4) b"),
        ("1. a\n1. b\n1. c", "1. a\n2. b\n3. c"),
        ("1. a\n3. b", "1. a\n3. b"),
        ("9. a\n   - b\n10. c", "9. a\n   • b\n10. c"),
        ("- [ ] a\n- [x] b", "• [ ] a\n• [x] b"),
        ("> a\n> b\n>\n> > c", "> a\n> b\n>\n> > c"),
        ("a\n\n---\n\nb", "a\n\n――――――――\n\nb"),
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("a<br>b<br />c", "a\nb\nc"),
        ("<b>a</b>", "<b>a</b>"),
        (r"\*a\* \_b\_ \# \[c\]", "*a* _b_ # [c]"),
    ],
)
def test_marks_go_and_what_they_meant_stays(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[Map](https://a.b/c_d_e)", "Map: https://a.b/c_d_e"),
        ("See [the map](https://a.b/c).", "See the map: https://a.b/c."),
        ("[**Map**](<https://a.b/c d> 'title')", "Map: https://a.b/c d"),
        ("[https://a.b/c](https://a.b/c)", "https://a.b/c"),
        ("[a.b/c](https://a.b/c/)", "https://a.b/c/"),
        ("[me@a.b](mailto:me@a.b)", "mailto:me@a.b"),
        ("<https://a.b/c_d_>", "https://a.b/c_d_"),
        ("地図は[こちら](https://a.b/京都)をご覧", "地図はこちら: https://a.b/京都 をご覧"),
        ("[地図](https://a.b)。", "地図: https://a.b 。"),
        ("地図<https://a.b>です", "地図 https://a.b です"),
        ("![a cat](https://a.b/cat.png)", "a cat: https://a.b/cat.png"),
        ("![](https://a.b/cat.png)", "https://a.b/cat.png"),
        ("[![cat](https://a.b/c.png)](https://a.b)", "cat: https://a.b/c.png: https://a.b"),
        ("[a]() b", "a b"),
        ("https://a.b/_c_/d__e__f?x=1&copy=2#~~g~~", "https://a.b/_c_/d__e__f?x=1&copy=2#g"),
        ("**https://a.b/_c_**", "https://a.b/_c_"),
        ("(https://a.b/_c_)", "(https://a.b/_c_)"),
        ("As said [1].\n\n[1]: https://a.b/_c_", "As said [1].\n\n[1]: https://a.b/_c_"),
    ],
)
def test_addresses_are_kept_whole(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "2 * 3 * 4 = 24",
        "2*3*4 = 24 and a*b*c",
        "x*(a+b)*y and (a+b)*c*(d)",
        "x**2 + y**2 = z**2, (a)**2 + (b)**2",
        "f(*args, **kwargs)",
        "f(*args) * g(a*b)",
        "snake_case_name and __init__.py",
        "~ 10~20 ~",
        "about 1.5 or -3",
        "a lone * and ** and _ and `",
        "#hashtag #2",
        "$a_1 * b_1$ and x_{i}",
        "3 < 4 > 2 & 1",
        "2024. 5. 3.",
        "[not a link] (really)",
        "a | b | c",
        "+1 234",
        "C:\\path\\file",
        "*",
        "-",
        "#",
        "1.",
        ">",
        "5*5",
        "**unclosed",
        ":) ^_^ >_< -_- T_T ^__^",
    ],
)
def test_what_only_looks_like_markdown_stays(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**「強調」**です", "「強調」です"),
        ("これは**重要**です。*強調*も。", "これは重要です。強調も。"),
        ("**A（B）**は、**注意！**と", "A（B）は、注意！と"),
        ("**“引用”**和**《书》**的", "“引用”和《书》的"),
        ("**(한국어)**는", "(한국어)는"),
        ("**Note:**text and **Why?**because", "Note:text and Why?because"),
        ("**B**ring **Y**our", "Bring Your"),
    ],
)
def test_emphasis_ends_where_people_mean_it_to(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_code_stays_as_it_is_without_its_fences() -> None:
    code = "def f(*a):\n    return **a_b_c  \n\n\n# x"
    assert plain(f"Look:\n```python\n{code}\n```\nDone.") == f"Look:\n\n{code}\n\nDone."
    assert whole(f"Look:\n```python\n{code}\n```\nDone.") == [code]
    assert whole(f"~~~\n{code}\n~~~\n\n```\n{code}") == [code, code]
    assert plain("```\n```") == "```\n```"


def test_what_stands_beside_a_fence_is_kept_unless_it_is_a_language() -> None:
    assert plain("```c++\nx\n```") == "x"
    assert plain("``` run this\nx\n```") == "run this\nx"


def test_stretches_fit_a_text_that_was_cleaned() -> None:
    assert whole("&#x202e;a\u202e\r\n\r\n```\r\nx\x00 =\r\n  1\r\n```\r\n&#x202e;b") == ["x =\n  1"]


def test_code_in_a_list_is_whole_with_its_indent() -> None:
    assert plain("1. a\n   ```\n   x\n     y\n   ```\n2. b") == "1. a\n   x\n     y\n2. b"
    assert whole("1. a\n   ```\n   x\n     y\n   ```\n2. b") == ["   x\n     y"]


TWO = "| Room | Price |\n|---|--:|\n| **Plum** | 100 |\n| Pine | |\n"
THREE = "| Room | Price | Beds |\n|---|---|---|\n| Plum | 100 | 2 |\n| Pine | 200 | |\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (TWO, "Room: Price\nPlum: 100\nPine"),
        (THREE, "Room\n\nPlum\nPrice: 100\nBeds: 2\n\nPine\nPrice: 200"),
        ("| a |\n|---|\n| b |", "a\nb"),
        ("| a | b |\n|---|---|\n", "a / b"),
        ("| | b | c |\n|---|---|---|\n| x | y | |\n| | z | |\n", "c\n\nx\nb: y\n\n–\nb: z"),
        ("| a | b |\n|---|---|\n| x<br>y | `p\\|q` |", "a: b\nx y: p|q"),
    ],
)
def test_tables_are_lines(text: str, shown: str) -> None:
    assert plain(f"Look:\n\n{text}\n\nDone.") == f"Look:\n\n{shown}\n\nDone."


@pytest.mark.parametrize("text", ["", " \n\t", "\x00\x1b\u202e", "\u200b\n\u3164", "\U000e0041"])
def test_nothing_stays_nothing(text: str) -> None:
    assert MARKDOWN.plain(text) == MARKDOWN.flex(text) == ()


# ---------------------------------------------------------------- flex


def test_tables_and_code_are_messages_of_their_own() -> None:
    text = f"# Rooms\n{THREE}\nand\n- a\n- b\n```\nx\n```\nDone."
    assert flex(text) == ["Rooms", "bubble", "and\n\n• a\n• b", "bubble", "Done."]
    assert [part.text for part in MARKDOWN.flex(text)][1] == plain(THREE)


def test_prose_alone_is_one_text() -> None:
    assert flex("# a\n\n- b\n\n> c") == ["a\n\n• b\n\n> c"]


def test_what_would_be_more_than_five_messages_is_put_in_words_code_first_and_the_last_one() -> None:
    table, code = "| a | b |\n|---|---|\n| c | d |\n", "```\nx\n```\n"
    assert flex(f"one\n\n{code}\ntwo\n\n{table}\nthree\n\n{table}") == ["one\n\nx\n\ntwo", "bubble", "three", "bubble"]
    assert flex(f"one\n\n{table}\ntwo\n\n{table}\nthree\n\n{table}") == [
        "one",
        "bubble",
        "two",
        "bubble",
        "three\n\na: b\nc: d",
    ]
    assert flex(code * 6) == ["bubble"] * 4 + ["x\n\nx"]
    words = "\n\n".join(["a: b\nc: d"] * 3)
    assert flex(code * 2 + f"\n{table}\n" * 6) == ["x\n\nx", *["bubble"] * 3, words]


MANY = {"code": ("```\nw{}\n```\n", "w{}"), "tables": ("| a |\n|---|\n| w{} |\n\n", "a\nw{}")}


@pytest.mark.parametrize(("block", "words"), MANY.values(), ids=MANY.keys())
def test_of_thousands_of_tables_and_codes_the_first_are_bubbles_and_no_word_of_the_others_is_lost(
    block: str, words: str
) -> None:
    parts = MARKDOWN.flex("".join(block.format(number) for number in range(2000)))
    bubbles = [part.text for part in parts if isinstance(part, Flex)]
    assert bubbles
    assert bubbles == [words.format(number) for number in range(len(bubbles))]
    messages = list(render(Reply(parts)))
    assert len(messages) <= MOST_MESSAGES
    shown = "\n".join(message.get("text") or message["altText"] for message in messages)
    assert re.findall(r"w\d+", shown) == [f"w{number}" for number in range(2000)]


def test_long_code_stays_a_text_that_can_be_copied() -> None:
    code = "x = 1\n" * 500
    assert flex(f"Look:\n```\n{code}```") == [f"Look:\n\n{code.strip()}"]
    (part,) = MARKDOWN.flex(f"```\n{code}```")
    assert isinstance(part, Text)
    assert part.whole == ((0, len(code.strip())),)


# ---------------------------------------------------------------- laws

words = st.from_regex(r"[a-z]{1,6}[0-9]{0,3}|[ぁ-ん漢字]{1,4}", fullmatch=True)
marks = st.sampled_from(
    [
        *("*", "**", "***", "_", "__", "~~", "`", "``", "```", "~~~", "#", "##", ">", "-", "+", "1.", "12)", "|"),
        *(
            "[",
            "](",
            ")",
            "![",
            "]",
            "<",
            ">",
            "\\",
            "&",
            "\n",
            "\n\n",
            "\n    ",
            "\n- ",
            "\n> ",
            "\n| ",
            " | ",
            "\n|-|-|\n",
        ),
        *("  ", " ", "\t", "(", "「", "」", "。", "!", "~", "---", "\n---\n", "===", ":", "https://", "=", "$", "\r\n"),
    ]
)
documents = st.lists(words | marks, max_size=40).map("".join)


def runs(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text)


@settings(deadline=None, max_examples=300)
@given(documents)
def test_no_word_is_lost(text: str) -> None:
    (part,) = MARKDOWN.plain(text) or (Text(""),)
    # What is named beside a fence is a language, and no part of what is shown. Numbers of a list may be counted anew.
    text = re.sub(r"(?m)(`{3,}|~{3,})[ \t]*[\w+#.-]*[ \t]*\r?$", r"\1", text, flags=re.ASCII)
    shown = "".join(runs(part.text))
    assert [run for run in runs(text) if run not in shown and not run.isdigit()] == []


@settings(deadline=None, max_examples=150)
@given(documents | st.text(st.characters(exclude_categories=()), max_size=200))
def test_whatever_a_model_writes_line_takes_it(text: str) -> None:
    for parts in (MARKDOWN.plain(text), MARKDOWN.flex(text)):
        messages = list(render(Reply(parts)))
        assert bool(messages) is not is_blank("".join(part.text for part in parts))
        assert not messages or faults(messages) == []
        assert all(
            0 <= start < end <= len(one.text) for one in parts if isinstance(one, Text) for start, end in one.whole
        )


HOSTILE = {
    "brackets": "[" * 60_000,
    "images": "![" * 30_000,
    "links": "[a](b" * 12_000,
    "stars": "*" * 60_000,
    "pairs": "*a_ " * 15_000,
    "stars in Japanese": "**「" * 20_000,
    "quotes": ">" * 60_000,
    "quotes apart": "> " * 30_000,
    "quotes on lines": "> > > > > > > > > a\n" * 3_000,
    "bars": "|" * 60_000,
    "columns": "a|" * 15_000 + "\n" + "-|" * 15_000 + "\n",
    "rows": "|" + "a|" * 300 + "\n|" + "-|" * 300 + "\n" + "|x\n" * 19_000,
    "wide names": "|" + "a" * 300 + "|b|c|" * 10 + "\n|" + "-|" * 31 + "\n" + "|x\n" * 100,
    "backticks": "".join("`" * number + " " for number in range(340)),
    "fences": "```\n" * 15_000,
    "codes": "```\na\n```\n" * 6_000,
    "tables": "|a|b|\n|-|-|\n|c|d|\n\n" * 3_000,
    "tildes": "~" * 60_000,
    "angles": "<" * 60_000,
    "entities": "&" * 60_000,
    "backslashes": "\\" * 60_000,
    "bullets": "- " * 30_000,
    "nested list": "\n".join("  " * depth + "- a" for depth in range(240)),
    "numbers": "1. " * 20_000,
    "addresses": "https://a_b_c " * 4_300,
    "one address": "https://" + "a_" * 30_000,
    "schemes": "https:" * 10_000,
    "underlines": "_a " * 20_000,
    "names": "__a" * 20_000,
    "lines": "\n" * 60_000 + "a",
    "definitions": "[a]: x\n" * 8_500,
    "breaks": "<br>" * 15_000,
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE.items()])
def test_sixty_kilobytes_of_anything_take_seconds_at_most(text: str) -> None:
    begun = time.process_time()
    for parts in (MARKDOWN.plain(text), MARKDOWN.flex(text)):
        messages = list(render(Reply(parts)))
        assert messages
        assert faults(messages) == []
    # A blow-up would take minutes; the bound leaves room for a slow machine.
    assert time.process_time() - begun < 20


def test_what_is_nested_too_deep_is_shown_as_it_is() -> None:
    deep = "> " * 40 + "here\n\nand there"
    assert plain(deep) == deep
    assert flex(deep) == [deep]
