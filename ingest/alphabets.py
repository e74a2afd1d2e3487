"""What tells one language's letters from another's: everyday characters, alphabets and short words, for telling encodings."""

from __future__ import annotations

from dataclasses import dataclass

# About two thirds of running Chinese text; traditional forms are looked up by their simplified ones.
CHINESE = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事"
    "成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此"
    "已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代"
    "内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安"
    "少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光"
    "放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运请需按"
    "价收费款期间度图站网络系统员工日期您谢注册登录密码版权联系电话地址邮箱产品服务客户项目公司合同技术质量标准"
)
JAPANESE = frozenset(
    "日一国人年大十二本中長出三時行見月後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西電校"
    "語土木車何南万毎白天母火右読友左休父雨会同事自社発者地業方新場員立開手力問代明動京目通言理体田主題意不作用度強公持野以"
    "思家世多正安院心界教文元重近考画海売知道集別物使品計死特私始朝運終台広住真有口少町料工建急止送切転研究楽起着店質待試族"
    "的分法対関係式実現性部第最化内成数等利用約機能表戦全定要政期得連合必説明前確認変更設備画面印刷込配線消費税円価格払注文届"
    "記録情報番号氏職員様客課委参加申請契規則準備予約調査結果原因防止安全守指示案件予算経営済産販担当責任組織制保険医療児育"
)
KOREAN = frozenset(
    "이다는을의에가한하고은를지로도사기자서어리아시대나일인정그수들해있과것부전제게만장중원국보동상면성여구적으니라주세스조안공무우"
    "관년거위경연생신소마비실선미오치진유분계문방발회행교학식모체당때했었였며던려러습까네않없같말물등될되된할와바내야간단트두반산영"
    "통화개차저르드타터용업요남금민양작재집출입합현"
)
CJK_PUNCTUATION = frozenset(
    "　、。〃《》〈〉「」『』【】〔〕，．：；！？（）［］％～＋－＝／０１２３４５６７８９ー・…—“”‘’"
)


@dataclass(frozen=True, slots=True)
class Alphabet:
    """A language's letters beyond ASCII in small, short words that any text of it holds, and signs of its own."""

    encodings: tuple[str, ...]
    letters: frozenset[str]
    words: frozenset[str]
    signs: frozenset[str]


def _alphabet(encodings: str, letters: str, words: str) -> Alphabet:
    """The letters as they are written, and the signs that only some languages have: ``’`` within words, ``¿``, ``¡``."""
    signs = frozenset("’¿¡")
    return Alphabet(
        tuple(encodings.split()), frozenset(letters) - signs, frozenset(words.split()), signs & set(letters)
    )


_WEST = "cp1252 iso8859_15"
_CENTRAL = "cp1250 iso8859_2"
_CYRILLIC = "cp1251 koi8_u iso8859_5 cp866 mac_cyrillic"
ALPHABETS = (
    _alphabet(
        _WEST,
        "éïçôñüöè’",
        "the and of to is in for that with was are as be it not on by at this from or an which you have has",
    ),
    _alphabet(
        _WEST,
        "äöüßéàè",
        "der die das und ist nicht ein eine zu den von mit sich auf für im dem des auch es wird bei nach sind oder wir sie ich",
    ),
    _alphabet(
        _WEST,
        "àâæçéèêëîïôœùûü’",
        "le la les de des du et est un une en que qui pour dans par sur pas ce il elle au aux ne se plus avec son sont l d c à",
    ),
    _alphabet(
        _WEST,
        "áéíóúüñçªº¿¡",
        "el la los las de del y en que es un una por con para no se su al lo como más o este esta pero sus sin",
    ),
    _alphabet(
        _WEST,
        "àèéìîòóùªº’",
        "il la di e che in un una per non è del della con le i si da lo gli sono come al dei nel alla anche più",
    ),
    _alphabet(
        _WEST,
        "áâãàçéêíóôõúüªº",
        "o a os as de do da e que em um uma para com não se no na por mais dos das é ao ou ser foi são",
    ),
    _alphabet(
        _WEST,
        "éëèïöüóáíú’",
        "de het een en van in is dat op te zijn met voor niet aan er ook als bij om door naar ze hij wordt",
    ),
    _alphabet(
        _WEST,
        "åäöéàü",
        "och att det i en som är på av för med till den inte om ett har de var jag vi kan så eller från",
    ),
    _alphabet(
        _WEST,
        "åæøéäöüòôó",
        "og det i er på en at til som af av for med den ikke de et har var jeg vi kan så eller fra om",
    ),
    _alphabet(
        _WEST,
        "äöåé",
        "ja on ei se että oli hän mutta kun niin ovat joka myös tai sen mukaan kuin voi ole minä sitä kanssa",
    ),
    _alphabet(
        _WEST, "áéíóúýþæöð", "og að er í á sem við það ekki um til var en fyrir með hann ég af eru þetta því hafa"
    ),
    _alphabet(
        _CENTRAL,
        "áčďéěíňóřšťúůýž",
        "a je se na v že to s z do i o k pro jako by jsem ale za po jsou který bylo od není ve aby si jeho až",
    ),
    _alphabet(
        _CENTRAL,
        "áäčďéíĺľňóôŕšťúýž",
        "a je sa na v že to s z do i o k pre ako by som ale za po sú ktorý bolo od nie vo aby si jeho až",
    ),
    _alphabet(
        _CENTRAL,
        "ąćęłńóśźż",
        "i w na z do to nie się że jest o jak a po co ale od za przez dla tak są jego był oraz który czy już bo",
    ),
    _alphabet(
        _CENTRAL,
        "áéíóöőúüű",
        "a az és hogy nem is egy ez meg de van volt mint csak már ha vagy el még azt minden kell aki lehet mert",
    ),
    _alphabet(
        _CENTRAL,
        "čćđšž",
        "i u je se na da za su od s ne o a to što kao koji bi ili iz ali po in v ki pri so ni ga",
    ),
    _alphabet("cp1250 iso8859_16", "ăâîşţșț", "și şi de în a la cu nu pe o un care este din mai că se au fost pentru"),
    _alphabet(
        "cp1254 iso8859_9",
        "çğıöşüâîû’",
        "ve bir bu da de için ile olarak ne daha çok gibi o en değil olan ama var kadar",
    ),
    _alphabet(
        _CYRILLIC,
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "и в не на что с он я как это по но его к из у за от так о же для все было мы вы или бы при его ещё если да",
    ),
    _alphabet(
        _CYRILLIC,
        "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя’",
        "і в не на що з він я як це по але його до та у за від так про для все було ми ви або при є ще якщо",
    ),
    _alphabet(
        _CYRILLIC,
        "абвгдежзийклмнопрстуфхцчшщъьюя",
        "и в не на че с той аз като това по но да от за се е са ще до при или което си има бе",
    ),
    _alphabet(
        "cp1253 iso8859_7",
        "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ",
        "και το να του η της με για που την από είναι στο δεν τα οι σε ο ένα τον στην θα των",
    ),
)
