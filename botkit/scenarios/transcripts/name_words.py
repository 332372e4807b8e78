"""Words around names: what tells that a word is a name, and which words are names only now and then."""

import re
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MADE_UP: Final = (
    *("hana", "ken", "mei", "leo", "yui", "sora", "nina", "taro", "emi", "luca", "aoi", "jun", "mika", "ben", "rin"),
    *("tom", "saki", "omar", "lin", "kai", "ami", "ivan", "noa", "rui", "ella", "dan", "mio", "olga", "ryo", "zoe"),
)
"""Names of people who do not exist, none of them like an option of a turn."""
GROUPS: Final = ("Hikers", "Cooks", "Readers", "Painters", "Gardeners")
"""Names of groups that do not exist."""

OWN_WORDS: Final = _words(
    "i a an the and or but not no yes ok okay so if is am are was be been do does did has have had can could "
    "would might must shall should go come get see say me my mine you your we us our he she it they "
    "him her them this that these those what who why how when where which there here all any some more most "
    "one two to of in on at by for from with as up out off over then than just now please thanks thank hello "
    "hi hey dear sir madam guest guests everyone everybody team friend friends customer again back welcome "
    "good morning evening night afternoon day today tomorrow user member admin owner staff boss mom dad mum "
    "papa mama baby test new old true false null none 私 僕 俺 皆 みんな わたし ぼく おれ ママ パパ 母 父 先生 "
    "学生 社長 店長 客 お客様 人 日本 東京 京都 大阪 今日 明日 昨日 名前 夜 朝 家 友 友達 나 너 우리 엄마 아빠 "
    "我 你 他 她 我们"
)
"""Words of which a text is made. Who is called so is replaced only where somebody is plainly addressed or named."""

NAMES_TOO: Final = _words(
    "april art august autumn bill bliss bob bud carol chance charity chase chip chuck clay cliff crystal dawn "
    "dean drew earl faith fern flora frank gene ginger glen grace grant guy happy harmony harry hazel heath "
    "holly honey hope hunter iris ivy jack jade jasmine jay jean jewel john josh joy june jules king lance "
    "lane lily lucky mark marina mason may melody mercy miles misty nick norm olive patience pat pearl penny "
    "pierce poppy ray red reed rich river rob robin rock rod rose ruby rusty sandy sky skip sonny spencer star "
    "stella stone storm sue summer sunny terry tiffany trinity violet ward wade will willow winter woody 花 空 "
    "海 愛 光 希望 桜 さくら ひかり のぞみ こころ みどり 太陽 大和 月 星 雪 ゆき そら うみ あい はな 林 森 原 "
    "島 川 谷 泉 岸 南 北 西 東 関 橋 堀"
)
"""Ordinary words that are names of people, too."""

HONORIFIC: Final = (
    r"(?:\s?[-\u2010\u30fb]\s?|\s)?(?:san|sama|kun|chan|sensei|senpai)(?![a-z])"
    r"|\s?(?:さん|さま|様|ちゃん|くん|君|氏|先生|先輩|殿|씨|님|小姐|女士)"
)
TITLE: Final = r"(?:^|[^a-z])(?:mr|mrs|ms|mx|dr|prof|miss|herr|frau|monsieur|madame|señor|señora)\.?\s+$"
"""Before and after a name, in texts without case (Unicode NFKC, casefolded)."""

_KANJI, _KATAKANA, _HIRAGANA, _HANGUL = "\u3400-\u9fff々〆ヶ", "ァ-ヶー", "ぁ-ゖー", "가-힣"
_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀ-Ž][\w'’]*"
_JAPANESE = rf"[{_KANJI}{_KATAKANA}]{{1,8}}|[{_HIRAGANA}]{{2,6}}"

TOLD_BY_ONESELF: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?i:\bmy name(?:'s|’s| is)|\bI am called|\bI'm called|\bname:)"
        rf"\s+({_CAPITAL}(?:\s+{_CAPITAL}){{0,2}}|\w{{2,}})",
        rf"(?i:\bcall me|\bI'm|\bI’m|\bI am)\s+({_CAPITAL}(?:\s+{_CAPITAL}){{0,2}})(?=\s*(?:[.!,;。！、\n]|$|from\b))",
        rf"(?i:\bthis is)\s+({_CAPITAL}(?:\s+{_CAPITAL})?)(?=,?\s+(?:speaking|from|here)\b)",
        rf"(?i:\bich heiße|\bmein name ist|\bje m'appelle|\bme llamo|\bmi nombre es|\bmi chiamo)\s+({_CAPITAL})",
        rf"(?:名前は|本名は)\s*({_JAPANESE}?)(?=です|だ|と|で|。|、|\s|$)",
        rf"({_JAPANESE}?)(?=と(?:申し|もうし)ます)",
        rf"([{_KANJI}{_KATAKANA}]{{1,8}})(?=と(?:いい|言い)ます(?!か))",
        rf"(?:제 이름은|저는)\s*([{_HANGUL}]{{2,4}}?)(?=입니다|이에요|예요|이라고|라고)",
        rf"(?:我叫|我的名字是)([{_KANJI}]{{2,4}})",
    )
)
"""How people tell their own names."""

GREETED: Final = (
    re.compile(
        r"(?i:\b(?:hello|hi|hey|dear|welcome|thanks|thank you|goodbye|bye|sorry|"
        rf"nice to meet you|good (?:morning|evening|night|afternoon))),?\s+({_CAPITAL})(?=\s*(?:[,!.?:;\n！、。]|$))"
    ),
)
"""How somebody is greeted by name."""

OF_OTHERS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:Mr|Mrs|Ms|Mx|Dr|Prof|Miss|Herr|Frau)\.?\s+({_CAPITAL}(?:\s+{_CAPITAL})?)",
        rf"\b({_CAPITAL})(?=[-\u2010 ](?:san|sama|kun|chan|sensei)\b)",
        rf"([{_KANJI}]{{1,5}})(?=さん|さま|ちゃん|くん|(?:様|君|氏)(?![{_KANJI}]))",
        rf"([{_KATAKANA}]{{2,10}})(?=さん|さま|ちゃん(?!と)|くん|(?:様|君|氏)(?![{_KANJI}]))",
        rf"(?<![{_HIRAGANA}])([{_HIRAGANA}]{{2,5}}?)(?=さん|さま|ちゃん(?!と))",
        rf"([{_HANGUL}]{{2,4}}?)(?=\s?(?:씨|님))",
        r"(?<![\w.@/])[@＠]([A-Za-z][\w\-]{1,29})",
    )
)
"""How people speak of others."""

NO_NAMES: Final = _words(
    "客 御客 皆 皆々 母 父 兄 姉 弟 妹 祖父 祖母 伯父 叔父 伯母 叔母 奥 子 赤 医者 看護師 店員 係 係員 運転手 "
    "神 仏 王 女王 殿 姫 嬢 娘 息子 孫 旦那 主人 疲 疲れ 苦労 世話 馳走 何 各 外人 巡査 業者 大家 隣 先方 同 "
    "両 多 仕 模 有 異 一 左 右 奇 今 諸 主 暴 彼 源 平 華 摂 屋 本屋 花屋 魚屋 肉屋 校長 担任 女 男 たく みな "
    "おかあ おとう おにい おねえ おじい おばあ おじ おば おく おまわり おいしゃ あか おきゃく おつかれ "
    "ごちそう ごくろう おかげ おたがい かみ おう タクシー スタッフ マネージャー シェフ ガイド コンシェルジュ "
    "サンタ ママ パパ ドクター 고객 손님 선생 여러분 all here channel everyone"
)
"""What people add an honorific to although it names nobody."""
