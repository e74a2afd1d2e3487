"""How much of a text layer is language: fonts without a character map and bad OCR leave symbols where words were."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

GARBAGE = 0.5
DOUBTFUL = 0.85
_ENOUGH = 40  # characters or words; fewer tell nothing
# The commonest words of languages in Latin letters, for the pairs of letters that are in them: a text whose letters
# were shifted or mixed up is made of other pairs, while names, code and languages that are not here are not.
_WORDS = """
the of and to in a is that for it was on with as are by be this at from or which have an not but his they we you one
all had their her were been has more when who will can no if out so said what up its about than into them only other
time new some could these two may then do first any my now such like our over man me even most made after also did
many before must through years where much your way well down should because each just those people how too little
state good very make world still own see men work long get here between both life being under never day same another
know while last might us great old year off come since against go came right used take three small large number house
school during within without business government company report system question market program information development
management general public national service research example different important problem children country power money
water health history change court policy special growth industry interest following financial statement income shares
agreement section table figure page chapter language knowledge document account average budget quality subject object
method value enough brought thought light night high eight weight height quick require extra exact next text expect
explain voice choice employ boy joy enjoy buy eye key why type style physical symbol machine project judge edge bridge
single angle simple apple middle riddle shuttle uncle cycle dozen citizen size realize analyze zero prize magazine
jump major ninja banjo vivid river drive give serve curve club lab job rubber cabin cactus factor abandon window law
draw crew view low few grow crowd owl hawk walk talk folk risk task desk mask disk walked asked kept slept crept
accept script empty attempt prompt sharp warp help gulp film calm palm half self shelf golf wolf gulf turf surf scarf
burst worst march church search earth birth north fifth width cloth maths rhythm asthma isthmus fuzzy jazz pizza buzz
vacuum continuum skiing radii aardvark bazaar savvy revving der die das und ist nicht ein eine einen mit von zu auf
für den dem des im sich auch werden wird wurde oder aber nach bei durch über können müssen zwischen während gegen jahr
jahren zeit menschen arbeit schule straße deutsch sprache beispiel möglich natürlich schließen schwarz zwölf wichtig
geschichte gesellschaft wirtschaft regierung entwicklung le la les et est une un dans que qui pour pas sur avec sont
par plus ce cette aux leur mais ou être avoir fait comme tout nous vous ils elle ont même après entre années temps
monde travail jour aujourd'hui beaucoup peut doit français développement gouvernement société économique quelques
toujours jusque chaque œuvre el los las una por con para como más pero sus del al lo su esta este son ha han muy
también desde hasta donde cuando todo años tiempo trabajo gobierno desarrollo español niños mañana pequeño ejemplo
según il gli che di non per sono alla della nel anche più questo essere anni lavoro tempo ogni degli delle o os um uma
não em da dos na são ao foi pelo também até ano trabalho governo informação você het een van niet zijn op te er maar
ook voor naar worden tussen jaar mensen werk bijvoorbeeld belangrijk schrijven och att det som en på är av för inte
till med har om ett var från kan år också efter när språk människor og af ikke til ved blev hvor hvis sprog arbejde
mellem i w się nie jest że z jak po co tak za od przez czy dla już tylko może było który roku pracy przed wszystkich
język wiele między człowiek rzecz szkoła czas dzień przykład se je v že s jako ve pro ale jsem být které také jeho
když až podle práce jazyk příklad člověk bir bu için ile olarak de çok daha gibi kadar sonra olan ne yok değil iki yıl
çalışma dil örnek insan büyük ja ei että oli mutta myös kuin niin tai sen ovat ole hän jälkeen vuonna työ kieli
esimerkki ihmiset és az hogy nem egy meg volt csak már még mint vagy ki minden után év munka nyelv például ember
között si cu pe nu în din pentru mai care sau dar după când muncă limbă exemplu oameni
"""
# The commonest Chinese characters, simplified and traditional: about half of any running text.
_COMMON = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定"
    "行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其"
    "些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建"
    "月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接"
    "知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处世八六七百千万名号市省县於這為國會時來們說"
    "對學發動種還個後過從實關開應當與經進麼問點電車長東書樂親義語體無樣現產業員機線數變條該題總計議並將沒結給間兩話區"
    "頭氣"
)
_BROKEN = re.compile(r"\(cid:\d+\)|/[Gg][0-9A-Fa-f]{2,3}(?=/|\s|$)|(?:锟斤拷?)+")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_RUNNING = re.compile(r"[\u4e00-\u9fff]{5,}")  # shorter ones are lists of names and terms, whose characters are rarer
_WORD = re.compile(r"\b(?![A-Z]{4,5}\b)[^\W\d_]{4,}\b")  # no abbreviation, and no part's number
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
# UTF-8 taken for Latin-1 or cp1252: the first byte of a character, then those that follow it.
_FOLLOWING = (
    "[\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122\ufffd]"
)
_TWICE_DECODED = re.compile(f"[\u00c2\u00c3]{_FOLLOWING}|[\u00e2-\u00ef]{_FOLLOWING}{{2}}|\u00f0{_FOLLOWING}{{3}}")
_HIGH = re.compile(r"[\u00a1-\u00ff]{2,}")  # GBK or Big5 taken for Latin-1
_BLOTTED = re.compile(
    r"[A-Za-z][*^£©~|!;$%#&][a-z]|[£©^][a-zA-Z]|[a-zA-Z][£^©]|[\w*;][«»]\w"
)  # what OCR makes of a blot
_CODE = re.compile(r"[(){}\[\]=<>_\\/@`$+]|&\w+;|--|\w:\w")
_PATH = re.compile(r"[_=\\/]")
_LEADERS = re.compile(r"([^\w\s])\1+")  # the dots between an entry of a table of contents and its page
_PLAIN = re.compile(r"[\W_]*[^\W\d_]+(?:['’\-‐–—.&][^\W_]+)*[\W_]*|[\W_]*[A-Z]*[\d\-]+\S*")
_ODD_CASE = re.compile(r"[a-z]+[A-Z]{2,}|[A-Z]{2,}[a-z]{3,}[A-Z]")


def quality(text: str) -> float:
    """From 0 (symbols) to 1 (language): the worst of what can be told of its characters, letters, words and blanks."""
    return max(
        0.0, min(_characters(text), _decoding(text), _chinese(text), _letters(text), _blanks(text), _blots(text))
    )


def _characters(text: str) -> float:
    """The share of characters that a font or a decoder gave up; with a quarter of them gone nothing can be read."""
    broken = _BROKEN.findall(text)
    rest = "".join(_BROKEN.sub("", text).split())
    bad = sum(unicodedata.category(c) in ("Co", "Cn", "Cs", "Cc") or c == "\ufffd" for c in rest)
    total = len(rest) + len(broken)
    told = _LEADERS.sub("", rest)
    spoken = _scale(_share(told, str.isalnum), 0.15, 0.4)  # formulas have half
    return min(spoken, 1.0 - 2.2 * (bad + len(broken)) / total) if total else 1.0


def _decoding(text: str) -> float:
    """The share of characters that come of bytes taken for those of another encoding."""
    total = len("".join(text.split()))
    twice = sum(map(len, _TWICE_DECODED.findall(text)))
    high = sum(map(len, _HIGH.findall(text)))
    return 1.0 - max(5 * twice, high if high > total / 3 else 0) / total if total else 1.0


def _chinese(text: str) -> float:
    """A wrong character map yields rare characters, or everyday ones in the place of the commonest."""
    han = _HAN.findall(text)
    running = "".join(_RUNNING.findall(text))
    everyday = _scale(_share(han, _everyday), 0.0, 0.9)
    common = _scale(_share(running, _COMMON.__contains__), 0.1, 0.26)
    return min(everyday, common)


@lru_cache(maxsize=30_000)
def _everyday(character: str) -> bool:
    """Whether GB2312 or Big5 count it among their everyday characters."""
    simplified = character.encode("gb2312", "ignore")
    traditional = character.encode("big5", "ignore")
    return (bool(simplified) and simplified[0] < 0xD8) or (bool(traditional) and traditional[0] < 0xC7)


def _letters(text: str) -> float:
    """The share of the pairs of letters in a text's words that occur in common words."""
    words = {word for word in _folded(" ".join(_WORD.findall(text))).split() if word.isascii()}  # a table repeats some
    pairs = [word[place : place + 2] for word in words for place in range(len(word) - 1)]
    return _scale(_share(pairs, _pairs().__contains__), 0.6, 0.85)


@lru_cache(maxsize=1)
def _pairs() -> frozenset[str]:
    return frozenset(word[place : place + 2] for word in _folded(_WORDS).split() for place in range(len(word) - 1))


def _folded(text: str) -> str:
    """In small letters without their accents."""
    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))


def _blanks(text: str) -> float:
    """The share of Latin letters that are not run together: no word has forty letters."""
    total = len(_LATIN.findall(text))
    letters = [(token, len(_LATIN.findall(token))) for token in text.split() if len(token) > _ENOUGH]
    letters = [(token, count) for token, count in letters if len(_PATH.findall(token)) * _ENOUGH < len(token)]
    together = sum(count for token, count in letters if count > _ENOUGH and count > 0.85 * len(token))
    return 1.0 - together / total if total > 2 * _ENOUGH else 1.0


def _blots(text: str) -> float:
    """The share of Latin words without symbols or capitals in their middle; code and formulas have them by right."""
    tokens = [token for token in text.split() if re.search("[A-Za-z]", token)]
    words = [token for token in tokens if not _CODE.search(token)]
    if len(words) < _ENOUGH or len(words) < 0.75 * len(tokens) or len(words) * 2 < len(_HAN.findall(text)):
        return 1.0
    blotted = sum(_BLOTTED.search(word) is not None for word in words)
    odd = sum(not _PLAIN.fullmatch(word) or _ODD_CASE.search(word) is not None for word in words)
    return 1.0 - max(odd, 3 * blotted) / len(words)


def _share(items: Sequence[str], holds: Callable[[str], bool]) -> float:
    """The share of items that something holds of; 1 where there are too few to tell."""
    return sum(map(holds, items)) / len(items) if len(items) >= _ENOUGH else 1.0


def _scale(value: float, low: float, high: float) -> float:
    """0 at the low end, 1 at the high one."""
    return min(1.0, max(0.0, (value - low) / (high - low)))
