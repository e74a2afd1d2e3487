from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest

from ingest.quality import DOUBTFUL, GARBAGE, quality

LANGUAGE = {
    "English": "The town council decided last year that the old bridges across the river had to be restored. Twelve million "
    "were set aside for the work at first, but the mayor now expects a much higher bill. While it lasts, the road will be "
    "closed to lorries; people on foot and on bicycles can pass at any time. Nobody knows yet who is to pay the difference.",
    "Chinese": "市议会去年决定，横跨河流的旧桥必须整修。最初估计工程费用为一千二百万元，但市长现在"
    "预计金额将高出许多。"
    "施工期间道路禁止卡车通行，行人与自行车则随时可以通过。至于差额由谁支付，目前还没有人知道。",
    "Chinese, traditional": "市議會去年決定，橫跨河流的舊橋必須整修。"
    "最初估計工程費用為一千二百萬元，但市長現在預期金額將高出許多。"
    "施工期間道路禁止卡車通行，行人與自行車則隨時可以通過。至於差額由誰支付，目前還沒有人知道。",
    "Chinese, classical": "子曰：學而時習之，不亦說乎？有朋自遠方來，不亦樂乎？人不知而不慍，不亦君子乎？有子曰：其為人也孝弟，"
    "而好犯上者，鮮矣；不好犯上，而好作亂者，未之有也。君子務本，本立而道生。",
    "German": "Die Verwaltung der Stadt hat im vergangenen Jahr beschlossen, dass die alten Brücken über den Fluss saniert "
    "werden müssen. Für die Instandsetzungsarbeiten wurden zunächst zwölf Millionen Euro veranschlagt, doch inzwischen "
    "rechnet der Bürgermeister mit höheren Kosten. Die Donaudampfschifffahrtsgesellschaft passt ihren Fahrplan an.",
    "French": "Le conseil municipal a décidé, l'année dernière, que les vieux ponts qui traversent la rivière devaient être "
    "restaurés. Douze millions d'euros ont d'abord été prévus, mais le maire s'attend désormais à une facture beaucoup plus "
    "élevée. « C'est une très bonne nouvelle », a déclaré l'adjointe chargée de l'urbanisme, «à l'unanimité».",
    "Spanish": "El ayuntamiento decidió el año pasado que los viejos puentes que cruzan el río tenían que ser restaurados. Al "
    "principio se calcularon doce millones de euros, pero el alcalde espera ahora una cifra mucho más alta. ¿Quién pagará "
    "la diferencia? Nadie lo sabe todavía. Los peatones podrán pasar en cualquier momento.",
    "Polish": "Rada miasta postanowiła w zeszłym roku, że stare mosty na rzece muszą zostać odnowione. Początkowo na prace "
    "przeznaczono dwanaście milionów euro, lecz burmistrz spodziewa się teraz znacznie wyższych kosztów. Źródła zbliżone do "
    "ratusza mówią o szczegółach. Piesi i rowerzyści będą mogli przechodzić o każdej porze.",
    "Vietnamese": "Hội đồng thành phố đã quyết định vào năm ngoái rằng những cây cầu cũ bắc qua sông phải được sửa chữa. Lúc đầu "
    "người ta dự tính mười hai triệu euro cho công trình, nhưng bây giờ thị trưởng cho rằng chi phí sẽ cao hơn nhiều.",
    "Japanese": "市議会は昨年、川に架かる古い橋を修復しなければならないと決定しました。当初、工事費として千二百万ユーロが"
    "見込まれていましたが、市長は現在、はるかに高い金額になると予想しています。工事期間中、トラックは通行止めとなります。",
    "Korean": "시의회는 지난해 강을 가로지르는 오래된 다리들을 보수해야 한다고 결정했다. 처음에는 공사비로 천이백만 유로가 "
    "책정되었지만, 시장은 이제 훨씬 더 많은 비용이 들 것으로 예상하고 있다.",
    "Russian": "Городской совет решил в прошлом году, что старые мосты через реку должны быть отремонтированы. Сначала на "
    "работы было выделено двенадцать миллионов евро, но теперь мэр ожидает гораздо более высоких расходов.",
}
NO_PROSE = {
    "numbers": "1,567 3,684 5,056 5,752 33.7% 35.0% (25) (8) — 187 523 $ 12.4 $ 8.50 2021 2022E Q1 Q2 FY21 n/a +15 -24 EPS P/E "
    "EBITDA ROE 15.0% 27.9% 28.8% 26.5% 0.4 0.5 1.2 1.07 2.91 4.43 5.77 778 780 1,037",
    "code": "def load(path: str, *, limit: int = 10) -> list[str]:\n    with open(path) as file:\n        rows = [row.strip() "
    "for row in file if row and not row.startswith('#')]\n    return rows[:limit]\n\nfor (int i = 0; i < n; ++i) { if (!a[i] "
    "&& b->next != NULL) { total += a[i] * b->weight; } }\n#define MAX(a, b) ((a) > (b) ? (a) : (b))\n",
    "formulas": "f(x) = ∫_0^∞ e^{-t} t^{x-1} dt, x ∈ ℝ⁺ ∀ε>0 ∃δ>0: |x−a|<δ ⇒ |f(x)−f(a)|<ε ∂²u/∂t² = c²∇²u A = UΣVᵀ ‖x‖₂ ≤ ‖x‖₁ "
    "P(A|B) = P(B|A)P(A)/P(B) σ² = E[(X−μ)²] lim_{n→∞}(1+1/n)^n = e sin²θ + cos²θ = 1 x_{t+1} = x_t − η∇L(x_t)",
    "names": "Anderson, Michael; Bjørnstad, Kari; Czajkowski, Wojciech; Dvořák, Tomáš; Brzęczyszczykiewicz, Grzegorz; "
    "Þorsteinsson, Hlynur; Ivanović, Srđan; Jiménez, Xóchitl; McPherson, Hugh; Ng, Hwee Tou; Nguyễn, Hương; O'Brien, Flann; "
    "Papadopoulos, Dimitris; Schwarzkopf, Elisabeth; Wright, Rhys; Xu, Zhiqiang; Yıldız, Çağlar; Zhang, Yuxuan",
    "Chinese names": "王建国 李秀英 张伟 刘洋 陈静 杨帆 赵磊 黄丽 周强 吴敏 徐杰 孙艳 胡斌 朱琳 高翔 林娜 "
    "何涛 郭鹏 罗婷 "
    "梁栋 郑凯 谢芳 韩雪 唐亮 冯刚 董洁 萧峰 程颖 曹阳 袁媛 邓超 许晴 傅聪 沈腾 曾黎 彭宇",
    "Chinese terms": "黄芪、党参、白术、茯苓、甘草、当归、川芎、熟地黄、白芍、柴胡、升麻、陈皮、半夏、枳壳、"
    "桔梗、麦冬、"
    "五味子、酸枣仁、远志、石菖蒲、龙骨、牡蛎、钩藤、天麻、杜仲、牛膝、桑寄生、续断、狗脊、补骨脂、菟丝子、枸杞子",
    "part numbers": "SKU-8847 A-12 XJ-220B 3M-9920 NE555P TL072CN LM358DR STM32F103C8T6 ATmega328P-PU 1N4148W M8x40 DIN912 RJ45 "
    "USB-C HDMI2.1 PCIe-x16 DDR5-6000 GTX1080Ti SN74HC595N ESP32-WROOM-32D W25Q64FVSSIG MAX232CPE AMS1117-3.3 WS2812B",
    "abbreviations": "AAPL MSFT NVDA TSLA AMZN META GOOGL BRKB JPM XOM UNH LLY AVGO JNJ HD CVX MRK ABBV KO PEP COST WMT MCD CSCO "
    "CRM TMO ADBE DHR NKE TXN NEE UPS RTX QCOM HON IBM CAT SBUX AMGN INTU PLD AMD BLK CMCSA DIS NFLX",
    "bibliography": "[1] Karpukhin, V., Oğuz, B., Min, S., et al. 2020. Dense passage retrieval. In Proc. EMNLP, pp. 6769–6781. "
    "doi:10.18653/v1/2020.emnlp-main.550 [2] Vaswani A. et al., NIPS 2017, arXiv:1706.03762v5 [cs.CL]. [3] Robertson S., "
    "Zaragoza H. Found. Trends Inf. Retr. 3(4):333–389, 2009. https://openreview.net/forum?id=zeFrfgyZln",
    "contents": "1 Introduction ........................ 3\n1.1 Scope ............................. 4\n2 Requirements "
    "....................... 7\n2.1 Hardware .......................... 8\n3 Installation ...................... 12\n",
    "chemistry": "2-(4-isobutylphenyl)propanoic acid; N-(4-hydroxyphenyl)ethanamide; 1,3,7-trimethylpurine-2,6-dione; "
    "dichlorodiphenyltrichloroethane; methylchloroisothiazolinone; hexakis(methoxymethyl)melamine; benzylpenicillin",
}
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_MIXED = "qwertyuiopasdfghjklzxcvbnm"
_EVERYDAY = [
    bytes((row, cell)).decode("gb2312")
    for row in range(0xB0, 0xD8)
    for cell in range(0xA1, 0xFF)
    if (row, cell) < (0xD7, 0xFA)
]
_NEXT = dict(zip(_EVERYDAY, [*_EVERYDAY[37:], *_EVERYDAY[:37]], strict=True))


def each(change: Callable[[str], str]) -> Callable[[str], str]:
    """A change of every character that is no blank."""
    return lambda text: "".join(character if character.isspace() else change(character) for character in text)


def noisy(text: str) -> str:
    """One letter in ten taken for a symbol, as on a spotted page."""
    chance = random.Random(3)
    return "".join(chance.choice("*^~|!;$%#&£©") if c.isalpha() and chance.random() < 0.1 else c for c in text)


ANY = {
    "no character map, by number": each(lambda c: f"(cid:{ord(c) % 400})"),
    "no character map, by glyph": each(lambda c: f"/G{ord(c) % 256:02X}"),
    "private characters": each(lambda c: chr(0xF000 + ord(c) % 900)),
    "replacement characters": each(lambda c: "\ufffd" if ord(c) % 3 == 0 else c),
}
ENGLISH = {
    "shifted by 29": each(lambda c: chr(ord(c) - 29)),
    "shifted by 3": lambda text: text.translate(str.maketrans(_ALPHABET, _ALPHABET[3:] + _ALPHABET[:3])),
    "shifted by 13": lambda text: text.translate(str.maketrans(_ALPHABET, _ALPHABET[13:] + _ALPHABET[:13])),
    "mixed up": lambda text: text.translate(str.maketrans(_ALPHABET, _MIXED)),
    "without blanks": lambda text: text.replace(" ", ""),
    "symbols": each(lambda c: chr(33 + ord(c) % 15)),
}
CHINESE = {
    "next code point": each(lambda c: chr(ord(c) + 1) if "\u4e00" <= c < "\u9fff" else c),
    "far code point": each(lambda c: chr(0x4E00 + ord(c) * 7919 % 20900) if "\u4e00" <= c < "\u9fff" else c),
    "other everyday characters": each(lambda c: _NEXT.get(c, c)),
    "UTF-8 as Latin-1": lambda text: text.encode().decode("latin-1"),
    "UTF-8 as GBK": lambda text: text.encode().decode("gb18030", "replace"),
    "GBK as Latin-1": lambda text: text.encode("gb18030").decode("latin-1"),
    "GBK as Big5": lambda text: text.encode("gbk").decode("big5", "replace"),
    "GBK as UTF-8 as GBK": lambda text: (
        text.encode("gbk").decode("utf-8", "replace").encode().decode("gb18030", "replace")
    ),
}
CASES = [
    *((name, LANGUAGE[language], change) for name, change in ANY.items() for language in ("English", "Chinese")),
    *((name, LANGUAGE["English"], change) for name, change in ENGLISH.items()),
    *((name, LANGUAGE["Chinese"], change) for name, change in CHINESE.items()),
]


@pytest.mark.parametrize("text", [*LANGUAGE.values(), *NO_PROSE.values()], ids=[*LANGUAGE, *NO_PROSE])
def test_what_a_reader_can_read_is_not_accused(text: str) -> None:
    """Prose of many languages, and tables, code, formulas, lists and references, are good text, also on one line."""
    assert quality(text) >= DOUBTFUL
    assert quality(text * 8) >= DOUBTFUL


@pytest.mark.parametrize(("name", "text", "change"), CASES)
def test_garbage_is_told(name: str, text: str, change: Callable[[str], str]) -> None:
    """A page whose letters are lost, shifted, mixed up, run together or decoded wrongly scores as garbage."""
    assert quality(change(text)) < GARBAGE, name


def test_half_a_page_of_garbage_is_told() -> None:
    """A page of which every second line lost its letters goes to OCR."""
    lost = ANY["private characters"](LANGUAGE["English"])
    assert quality(f"{LANGUAGE['English']}\n{lost}") < GARBAGE


def test_bad_ocr_and_lost_accents_are_doubted() -> None:
    """Text that can be guessed but not trusted lies between garbage and good text, or below."""
    assert quality(noisy(LANGUAGE["English"])) < DOUBTFUL
    assert quality(LANGUAGE["French"].encode().decode("cp1252", "replace")) < DOUBTFUL


def test_a_symbol_here_and_there_is_no_garbage() -> None:
    """A page with bullets of a symbol font and one lost character is still good text."""
    lines = LANGUAGE["English"].split(". ")
    assert quality("\n".join(f"\uf0b7 {line}." for line in lines)) >= DOUBTFUL


def test_little_text_is_believed() -> None:
    """A few words tell nothing of a font: a title, a part's name or nothing at all is good text."""
    assert [quality(text) for text in ("", "Xyzzy", "第3章", "BCDFG-7", "42")] == [1.0] * 5


def test_a_page_takes_two_milliseconds() -> None:
    """The score of a full page costs next to nothing beside reading it."""
    page = (LANGUAGE["English"] + LANGUAGE["Chinese"]) * 6
    start = perf_counter()
    for _ in range(20):
        quality(page)
    assert (perf_counter() - start) / 20 < 0.02  # two on a quiet machine


@pytest.mark.parametrize("name", ["cmrc2018_zh", "squad2_en", "mtrag_human_en", "xquad_bi"])
def test_real_passages_are_not_accused(shared: Path, name: str) -> None:
    """Of hundreds of real passages none is called garbage, and hardly any is doubted."""
    with (shared / "qa" / name / "corpus.jsonl").open(encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file][:400]
    scores = [quality(text) for text in texts]
    assert min(scores) >= GARBAGE
    assert sum(score < DOUBTFUL for score in scores) <= 0.01 * len(scores)
