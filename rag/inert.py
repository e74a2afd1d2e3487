"""The model's text made inert: whatever shows it as Markdown or HTML finds nothing to load, follow or run.

A model may obey a document instead of its reader. So its Markdown is parsed, and what is not text, emphasis, a list, a
table, code, a heading or a quotation is taken out: images and links keep their words, HTML goes. An address to the outside
goes from text and code alike, unless it literally stands in a passage that was shown: then it stays, as code, which nothing
turns into a link. Ordinary text comes through letter by letter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rag.claims import cited

_MOST_PASSES = 8  # each takes one layer of escapes away; who needs more gets plain letters
_TEXTS = frozenset({"text", "text_special"})
_ALLOWED = frozenset({"softbreak", "hardbreak", "code_inline"}) | {
    f"{kind}_{end}" for kind in ("em", "strong", "s") for end in ("open", "close")
}
_EAST = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff01-\uffef"  # no part of an address: a sentence goes on there
_REST = rf"[^\s<>\"`|{_EAST}]*"
_ADDRESS = re.compile(
    rf"(?:[^\s<>\"'`|()\[\]{{}}{_EAST}]*:[/\\]{{2}}|\b(?:https?|ftp|file):[/\\]"
    r"|(?<![A-Za-z\d])(?:javascript|vbscript|mailto|view-source|blob|intent|ms-[\w-]+):(?=[!-~])|(?<![A-Za-z\d])data:(?=[\w.+-]*(?:/[\w.+-]+)?[;,])"
    rf"){_REST}",
    re.IGNORECASE | re.ASCII,
)
# What a linkifier takes for an address without a scheme; many two-letter countries are also endings of file names.
_HOST = re.compile(
    r"(?:(?<![\w@./\\-])(?:www\.[\w-]+(?:\.[\w-]+)+|(?:[\w-]+\.)+(?:com|net|org|edu|gov|mil|info|biz|app|dev|xyz|top|site)\b"
    r"|(?:[\w-]+\.)+(?!(?:py|md|sh|rs|pl|ps|cc|so|mk|ml|mm|cs|db|gz|js|ts)\b)[a-z]{2}\b(?!\()|(?:[\w-]+\.)+[a-z]{2}/(?=\w))"
    rf"|(?<![\w:/])//(?:localhost\b|(?:[\w-]+\.)+\w+))(?:[:/?#]{_REST})?",
    re.ASCII,
)
_SHARE = re.compile(r"(?<![\w:\\])\\{2,4}[\w.$-]+\\{1,2}\w[\w.$\\-]*", re.ASCII)  # \\\\host\\folder
# Half a tag means nothing by itself; with what somebody shows behind it, it may become a whole one.
_HALF_TAG = re.compile(
    r"<(?=[/!?]?(?:script|iframe|img|svg|object|embed|style|link|meta|form|base|video|audio|math|input|button)\b"
    r"|!--|[a-z][\w-]*[\s/][^<>]*\b(?:src|href|style|srcdoc|action|on[a-z]+)\s*=)",
    re.IGNORECASE,
)
_WORDS_AS_TAG = re.compile(r"</?([A-Za-z][A-Za-z\d-]*)((?:[ \t]+[A-Za-z][\w-]*)*)[ \t]*>", re.ASCII)
_HTML = frozenset(
    "a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote body br button"
    " canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em embed fencedframe"
    " fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe image"
    " img input ins isindex kbd keygen label legend li link listing main map mark marquee math menu menuitem meta meter nav"
    " nobr noembed noframes noscript object ol optgroup option output p param picture plaintext portal pre progress q rb rp rt"
    " rtc ruby s samp script search section select slot small source spacer span strike strong style sub summary sup svg table"
    " tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr xmp".split()
)
_COMMAND = re.compile(r"\\(?:href|url|includegraphics|html[A-Za-z]+)\b")  # LaTeX that loads or links
_TAG = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)|<[!?/a-z][^>]*(?:>|\Z)", re.DOTALL | re.I)
_TERMINAL = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]")
_CHAT_MARK = re.compile(r"<\|[^|<>\n]{0,40}\|>")
_SOURCE_MARK = re.compile(r"【[^】\n]{0,12}†[^】\n]{0,40}】")
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f\u17b4\u17b5")  # letters by their category, seen by nobody
_UNPLAIN = re.compile(r"[\[\]<>&\\`:]|~~~|\w\.\w|\|>", re.ASCII)
_ACTIVE = re.compile(r"[<>\[\]【】!&\\`~|*_#$(){}]")
_EDGE = re.compile(rf"\s|(?<=[{_EAST}])")
_MARKS = re.compile(r"[\s>*+\-\d.)]*")
_CLOSERS = "”’」』）)\"']】"
_SENTENCE_END = re.compile(r"\n|[。！？…][”’」』）)\"'\]】]*|[.!?][\"')\]]*(?=\s)")
_SUSPECT = re.compile(r"[\[\]<>&\\`:/@~{|\uff20-\uff5e【】\x1b\x9b]")


def _parser(*without: str) -> MarkdownIt:
    # Without a limit of its own the parser fails on absurd nesting, where otherwise it would leave the depth unread.
    made = MarkdownIt("commonmark", {"html": True, "maxNesting": 100_000}).enable(["table", "strikethrough"])
    made.validateLink = lambda url: True  # type: ignore[method-assign]  # what others refuse is to be seen and taken out
    return made.disable(["text_join", *without])


# An indented line is code in one context and a paragraph's next line in another: both readings must be harmless.
_PARSERS = (_parser(), _parser("code"))


def inert(text: str, shown: str = "", numbers: int | None = None) -> str:
    """The text without anything that a renderer could load, follow or run.

    ``shown`` are the passages that the model saw; ``numbers`` how many there were: markers beyond it go, None keeps all.
    """
    text = _known_markers(visible(text), numbers)
    text = _SHARE.sub(lambda share: share.group() if share.group() in shown else "", text)
    if not _UNPLAIN.search(text):
        return text
    try:
        for _ in range(_MOST_PASSES):
            before = text
            for parser in _PARSERS:
                text = _known_markers(_pass(_CHAT_MARK.sub("", text), parser, shown), numbers)
            if text == before:
                return text
    except (RecursionError, ValueError, IndexError):  # no Markdown that anybody wrote for a reader
        pass
    return _letters(_known_markers(text, numbers))


def visible(text: str) -> str:
    """The text without control, invisible and direction-changing characters; line ends and tabs stay."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    text = _TERMINAL.sub("", text.replace("\r\n", "\n"))
    kept = (c for c in text if c in "\n\t" or not _hidden(c))
    # One variation selector makes a sign an emoji; a run of them carries a message.
    return re.sub(r"(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]+", "", "".join(kept))


def inert_pieces(pieces: Iterable[str], shown: str = "", numbers: int | None = None) -> Iterator[str]:
    """The pieces of a text, inert as they come: plain words at once, all else when its sentence or block is whole.

    For each piece that completes nothing there is an empty one, so that a reader can stop in between.
    """
    waiting, said, tried = "", "", 0
    try:
        for piece in pieces:
            waiting += piece
            ready = _ready(waiting, said, tried) if piece else 0
            unit, waiting = waiting[:ready], waiting[ready:]
            # A sentence end that closed nothing never will: each is tried once, or a long block takes minutes.
            tried = 0 if ready else max(0, len(waiting.rstrip(_CLOSERS)) - 1)
            said += (out := _in_line(unit, said, shown, numbers))
            yield out
    except Exception:  # what came before a model broke off is kept
        yield _in_line(waiting, said, shown, numbers)
        raise
    if waiting:
        yield _in_line(waiting, said, shown, numbers)


def _in_line(unit: str, said: str, shown: str, numbers: int | None) -> str:
    """A unit made inert as what it is, a line's continuation that opens no block; and with all that was said before it."""
    if not unit or not said:
        return inert(unit, shown, numbers)
    head = "" if said.endswith("\n") else "x;"
    made = inert(head + unit, shown, numbers)
    made = made.removeprefix(head) if made.startswith(head) else _letters(_known_markers(visible(unit), numbers))
    if _SUSPECT.search(made) and inert(said + made, shown, numbers) != said + made:
        return _letters(made)
    return made


def _ready(text: str, said: str, tried: int) -> int:
    """How much of the waiting text may go on; no sentence end before ``tried`` makes any of it ready."""
    suspect = _SUSPECT.search(text)
    plain = text[: suspect.start()] if suspect else text
    edge = max((match.end() for match in _EDGE.finditer(plain)), default=0)
    line = plain.rfind("\n", 0, edge) + 1
    if (line or not said or said.endswith("\n")) and edge <= _marks(plain, line):
        edge = line  # behind a list's or quotation's mark a block may begin
    ends = [match.end() for match in _SENTENCE_END.finditer(text, tried) if edge < match.end() < len(text)]
    return next((end for end in reversed(ends) if _closed(text[:end])), edge)


def _marks(text: str, start: int) -> int:
    """Where the marks and blanks end that a line begins with."""
    found = _MARKS.match(text, start)
    return found.end() if found else start


def _closed(text: str) -> bool:
    """Whether nothing that was opened in the text waits for its end."""
    fence = ""
    for mark in re.findall(r"^[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)*(`{3,}|~{3,})", text, re.MULTILINE):
        fence = mark if not fence else "" if mark.startswith(fence) else fence
    if fence or text.endswith("\n\n"):
        return not fence
    last = text[text.rfind("\n\n") + 1 :]
    opened = last.count("[") > last.count("]") or last.count("`") % 2 or last.rstrip().endswith("]")
    return not (opened or last.rfind("<") > last.rfind(">") or last.rfind("](") > last.rfind(")"))


def _pass(text: str, parser: MarkdownIt, shown: str) -> str:
    """One layer taken away; a text that comes back as it was has nothing left in this reading."""
    env: dict[str, object] = {}
    tokens = parser.parse(text, env)
    lines = text.split("\n")
    if references := env.get("references"):
        for found in references.values():  # type: ignore[attr-defined]
            start, end = found["map"]
            lines[start:end] = [line.replace("]:", "] ", 1) for line in lines[start:end]]
        return "\n".join(lines)
    place = (-1, 0)  # the line and column of the token behind: table cells share a line
    for token in reversed(tokens):
        if token.map is None or token.nesting:
            continue
        if token.type == "inline":
            place = _edit_inline(lines, token, place, shown)
        else:
            _edit_block(lines, token, shown)
    return "\n".join(lines)


def _edit_block(lines: list[str], token: Token, shown: str) -> None:
    start, end = token.map or (0, 0)
    body = "\n".join(lines[start:end])
    if token.type == "html_block":
        lines[start:end] = _TAG.sub("", body).split("\n")
    elif token.type == "fence":
        opening = lines[start]
        if token.info.strip():  # a language may be one that is drawn or run
            lines[start] = opening[: opening.index(token.markup) + len(token.markup)]
        lines[start + 1 : end] = [_without_addresses(line, shown) for line in lines[start + 1 : end]]
    elif token.type == "code_block":
        lines[start:end] = _without_addresses(body, shown).split("\n")
    elif token.type != "hr":
        lines[start:end] = [_letters(line) for line in lines[start:end]]


def _edit_inline(lines: list[str], token: Token, behind: tuple[int, int], shown: str) -> tuple[int, int]:
    """Put a paragraph's or cell's text back without what is not allowed; returns where it begins."""
    start = (token.map or [0])[0]
    old, children = token.content.split("\n"), token.children or []
    new = old if _is_inert(children, shown) else _written(children, shown).split("\n")
    columns = []
    for offset, piece in enumerate(old):
        line = lines[start + offset]
        limit = behind[1] if behind[0] == start + offset else len(line)
        columns.append(line.rfind(piece, 0, limit))
    if -1 in columns:  # the parser changed it on the way (a table's escaped bars): only its letters can be kept
        if new != old:
            end = start + len(old)
            lines[start:end] = [_letters(line) for line in lines[start:end]]
        return start, 0
    if new != old:
        heads = [lines[start + n][:column] for n, column in enumerate(columns)]
        tail = lines[start + len(old) - 1][columns[-1] + len(old[-1]) :]
        heads += [heads[-1]] * (len(new) - len(heads))
        changed = [head + piece for head, piece in zip(heads, new, strict=False)]
        lines[start : start + len(old)] = [*changed[:-1], changed[-1] + tail]
    return start, columns[0]


def _is_inert(tokens: Sequence[Token], shown: str) -> bool:
    """Whether all inline tokens are allowed as they are."""
    for is_text, run in groupby(tokens, lambda token: token.type in _TEXTS):
        group = list(run)
        if is_text and _harmless(group, shown) is not None:
            return False
        if not is_text and not all(
            t.type in _ALLOWED and _without_addresses(t.content, shown) == t.content for t in group
        ):
            return False
    return True


def _written(tokens: Sequence[Token], shown: str) -> str:
    """Inline tokens as Markdown again, the forbidden ones gone."""
    out: list[str] = []
    run: list[Token] = []
    link = -1
    for token in [*tokens, Token("end", "", 0)]:
        if token.type in _TEXTS:
            run.append(token)
            continue
        out.append(_text(run, shown))
        run = []
        if token.type == "link_open":
            link = len(out)
        elif token.type == "link_close":
            words = "".join(out[link:])
            # A citation that was made a link is still a citation.
            out[link:] = [f"[{words}]" if re.fullmatch(r"\^?\d{1,3}", words) else words]
        elif token.type == "image":
            out.append(_written(token.children or [], shown))
        elif token.type == "code_inline":
            out.append(_code(token, shown))
        elif token.type == "html_inline" and _is_words(token.content):
            out.append(f"`{token.content}`")
        elif token.type in _ALLOWED:
            out.append({"softbreak": "\n", "hardbreak": "\\\n"}.get(token.type, token.markup))
    return "".join(out)


def _is_words(tag: str) -> bool:
    """Whether what is read as a tag is none of HTML's: a type's parameter, or two comparisons around words."""
    found = _WORDS_AS_TAG.fullmatch(tag)
    return found is not None and (len(found[1]) == 1 if found[2] else found[1].lower() not in _HTML)


def _text(run: Sequence[Token], shown: str) -> str:
    """Neighbouring texts: as they were written where what they say is harmless, else what is left of it."""
    left = _harmless(run, shown)
    if left is None:
        return "".join(token.markup or token.content for token in run)
    return re.sub(r"<(?=[A-Za-z/!?])", "", left)  # it was written as an entity perhaps, and would be a tag now


def _harmless(run: Sequence[Token], shown: str) -> str | None:
    """What is left of what neighbouring texts say, together and one by one; None where that is all of it."""
    said = "".join(token.content for token in run)
    left = _HALF_TAG.sub("", _COMMAND.sub("", said))
    left = _without_addresses(left, shown, as_code=True)
    if (
        left == said and len(run) > 1
    ):  # some renderers look for addresses before they put an escaped letter in its place
        left = "".join(_without_addresses(token.content, shown, as_code=True) for token in run)
    return None if left == said else left


def _code(token: Token, shown: str) -> str:
    left = _without_addresses(token.content, shown)
    pad = " " if left.startswith("`") or left.endswith("`") else ""
    return f"{token.markup}{pad}{left}{pad}{token.markup}" if left.strip() else ""


def _without_addresses(text: str, shown: str, *, as_code: bool = False) -> str:
    """The text without addresses that no passage holds; the others, and hosts without a scheme, as code where asked."""
    folded = _folded(text)
    spans = [(m, True) for m in _ADDRESS.finditer(folded)]
    if as_code:
        spans += [(m, False) for m in _HOST.finditer(folded)]
    out, end = [], 0
    for match, dangerous in sorted(spans, key=lambda span: (span[0].start(), -span[0].end())):
        start = match.start()
        address = text[start : match.end()].rstrip(".,;:!?)]}'*_~")
        if start < end or not address:
            continue
        kept = not dangerous or address in shown
        out += [text[end:start], (f"`{address}`" if as_code else address) if kept else ""]
        end = start + len(address)
    return "".join([*out, text[end:]])


def _letters(text: str) -> str:
    """What is left for a reader where a text cannot be read as Markdown: no character that means anything."""
    while True:
        left = _ADDRESS.sub("", _folded(_ACTIVE.sub("", text)))
        left = re.sub(r"(?<=\w)\.(?=\w)", ". ", left) if _HOST.search(left) else left
        if left == text:
            return left
        text = left


def _known_markers(text: str, numbers: int | None) -> str:
    """The text without markers of passages that there are not."""
    if numbers is None:
        return text

    text, out, end = _SOURCE_MARK.sub("", text), [], 0
    for match, named in cited(text, numbers):
        known = tuple(n for n in named if 1 <= n <= numbers)
        kept = match.group() if known == named else "".join(f"[{n}]" for n in known)
        out += [text[end : match.start()], kept]
        end = match.end()
    return "".join([*out, text[end:]])


def _folded(text: str) -> str:
    """The text, character by character, with wide and styled letters as the plain ones that they look like."""
    if text.isascii():
        return text
    return "".join(folded if len(folded := unicodedata.normalize("NFKC", c)) == 1 else c for c in text)


def _hidden(character: str) -> bool:
    code = ord(character)
    return (
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
        or character in _FILLERS
        or 0xFE00 <= code <= 0xFE0E
        or 0xE0100 <= code <= 0xE01EF
    )
