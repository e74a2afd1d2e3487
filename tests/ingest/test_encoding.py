from __future__ import annotations

import pytest

from ingest.encoding import decode
from rag.errors import IngestError

CHINESE = "人工智能是计算机科学的一个分支，它企图了解智能的实质，并生产出一种新的机器。" * 3
TRADITIONAL = "人工智慧是電腦科學的一個分支，它企圖了解智慧的實質，並生產出一種新的機器。" * 3
GERMAN = "Die Größe der Häuser über dem Fluß ändert sich, und schöne Bäume blühen früh."
FRENCH = "Le modèle apprend à prédire le mot suivant ; c'est la tâche d'où naît l'élève."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (CHINESE, "utf-8"),
        (CHINESE, "utf-8-sig"),
        (CHINESE, "gb18030"),
        (CHINESE, "utf-16"),
        (TRADITIONAL, "big5"),
        (TRADITIONAL, "utf-32"),
        (GERMAN, "cp1252"),
        (FRENCH, "latin-1"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-16-be"),
    ],
)
def test_known_encodings_are_read_right(text: str, encoding: str) -> None:
    """Unicode, Chinese and Western European text is read as it was written."""
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Příliš žluťoučký kůň úpěl ďábelské ódy, a proto se všichni smáli.", "cp1250"),
        ("Zażółć gęślą jaźń, a potem idź spać, bo już późno.", "iso-8859-2"),
        ("Съешь же ещё этих мягких французских булок, да выпей чаю.", "cp1251"),
        ("인공지능은 컴퓨터 과학의 한 분야로서 학습과 추론을 다룬다. " * 3, "euc-kr"),
        ("人工知能は、計算という概念とコンピュータを用いて知能を研究する分野です。" * 3, "shift_jis"),
        ("人工知能は、計算という概念とコンピュータを用いて知能を研究する分野です。" * 3, "euc-jp"),
        ("ภาษาไทยเป็นภาษาที่มีระดับเสียงของคำแน่นอน", "tis-620"),
    ],
)
def test_other_encodings_are_refused_rather_than_garbled(text: str, encoding: str) -> None:
    """What cannot be told with certainty is set aside, or right by luck, but never stored as nonsense."""
    try:
        assert decode(text.encode(encoding)) == text
    except IngestError as error:
        assert "UTF-8" in str(error) or "binary" in str(error)


def test_a_damaged_byte_is_not_ignored() -> None:
    """One wrong byte in a UTF-8 file is not skipped silently."""
    with pytest.raises(IngestError):
        decode(CHINESE.encode()[:-2] + b"\xff" + CHINESE.encode())
