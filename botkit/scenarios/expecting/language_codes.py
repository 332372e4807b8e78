"""Codes of languages: which can be told, what people write instead of them, and how they are called."""

from typing import Final

# Those of fastText's model lid.176 (fasttext.cc: Language identification).
_KNOWN = """
af als am an ar arz as ast av az azb ba bar bcl be bg bh bn bo bpy br bs bxr ca cbk ce ceb ckb co cs cv cy da de
diq dsb dty dv el eml en eo es et eu fa fi fr frr fy ga gd gl gn gom gu gv he hi hif hr hsb ht hu hy ia id ie
ilo io is it ja jbo jv ka kk km kn ko krc ku kv kw ky la lb lez li lmo lo lrc lt lv mai mg mhr min mk ml mn mr
mrj ms mt mwl my myv mzn nah nap nds ne new nl nn no oc or os pa pam pfl pl pms pnb ps pt qu rm ro ru rue sa sah
sc scn sco sd sh si sk sl so sq sr su sv sw ta te tg th tk tl tr tt tyv ug uk ur uz vec vep vi vls vo wa war wuu
xal xmf yi yo yue zh
"""
_NAMES = """
ar=Arabic bg=Bulgarian bn=Bengali ca=Catalan cs=Czech da=Danish de=German el=Greek en=English es=Spanish
et=Estonian fa=Persian fi=Finnish fr=French gl=Galician he=Hebrew hi=Hindi hr=Croatian hu=Hungarian
id=Indonesian it=Italian ja=Japanese jv=Javanese ko=Korean km=Khmer lo=Lao lt=Lithuanian lv=Latvian
mk=Macedonian ml=Malayalam mn=Mongolian ms=Malay my=Burmese ne=Nepali nl=Dutch no=Norwegian pl=Polish
pt=Portuguese ro=Romanian ru=Russian si=Sinhala sk=Slovak sl=Slovenian sr=Serbian sv=Swedish ta=Tamil te=Telugu
th=Thai tl=Tagalog tr=Turkish uk=Ukrainian ur=Urdu vi=Vietnamese yue=Cantonese zh=Chinese
"""
# Codes of countries, older codes, and those of three letters where the model has one of two.
_MEANT = """
jp=ja jpn=ja cn=zh tw=zh zho=zh chi=zh cmn=zh kr=ko kor=ko eng=en gb=en us=en tha=th vn=vi vie=vi in=id ind=id
msa=ms fra=fr fre=fr deu=de ger=de spa=es por=pt ita=it nld=nl rus=ru ua=uk ukr=uk ara=ar iw=he heb=he gr=el
cz=cs dk=da nb=no nob=no se=sv fil=tl tgl=tl hin=hi tur=tr pol=pl
"""

KNOWN: Final = frozenset(_KNOWN.split())
"""The languages that can be told, by ISO 639-1, and by ISO 639-3 where that has no code."""
NAMES: Final = dict(entry.split("=") for entry in _NAMES.split())
"""How those are called that people are likely to meet."""
MEANT: Final = dict(entry.split("=") for entry in _MEANT.split())
"""What is meant by codes that are none of these."""


def code_fault(code: str) -> str | None:
    """What is wrong with a language's code, with the cure; None for one that can be told."""
    if code in KNOWN:
        return None
    meant = MEANT.get(code)
    cure = f"write {meant} for {NAMES[meant]}" if meant else "write one of ISO 639, such as ja, en, zh, ko or th"
    return f"is no code of a language that can be told; {cure}"


def named(code: str) -> str:
    """A language for people: `Japanese (ja)`."""
    return f"{NAMES[code]} ({code})" if code in NAMES else code
