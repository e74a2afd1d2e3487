"""A small valid file of every format, made on the spot: what fuzzing starts from and what must never be refused."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Mapping
from email.message import EmailMessage

PHRASE = "Footnote 2026"
LINES = ("Footnote 2026 keeps every claim with its source.", "每个结论都有脚注。", "Holidays: 15 days a year.")
ROWS = (("Item", "Price"), ("Footnote 2026", "12.50"), ("年假", "15"))


def zipped(members: Mapping[str, str | bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these members; one called ``mimetype`` is stored, as its formats want it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else packing)
    return buffer.getvalue()


def compound(streams: Mapping[str, bytes]) -> bytes:
    """An OLE compound file of these streams, each at least 4,096 bytes long so that no mini stream is needed."""
    free, end, fat_mark = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    names = sorted(streams, key=lambda name: (len(name), name.upper()))
    padded = {name: streams[name].ljust(max(4096, -(-len(streams[name]) // 512) * 512), b"\0") for name in names}
    directory_sectors = -(-(1 + len(names)) // 4)
    chains = [(1, directory_sectors)]
    for name in names:
        chains.append((sum(chains[-1]), len(padded[name]) // 512))
    fat = [fat_mark]
    for first, count in chains:
        fat += [*range(first + 1, first + count), end]
    assert len(fat) <= 128
    fat += [free] * (128 - len(fat))

    def entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
        raw = (name + "\0").encode("utf-16-le")
        return struct.pack("<64sHBBIII16sIQQIQ", raw, len(raw), kind, 1, free, right, child, b"", 0, 0, 0, start, size)

    directory = entry("Root Entry", 5, free, 1, end, 0)
    for number, name in enumerate(names, start=1):
        right = number + 1 if number < len(names) else free
        directory += entry(name, 2, right, free, chains[number][0], len(padded[name]))
    directory = directory.ljust(directory_sectors * 512, b"\0")
    head = struct.pack(
        "<8s16sHHHHH6sIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"",
        0, 1, 1, 0, 4096, end, 0, end, 0, 0,
    )  # fmt: skip
    head += struct.pack("<108I", *[free] * 108)
    return head + struct.pack("<128I", *fat) + directory + b"".join(padded[name] for name in names)


def pdf() -> bytes:
    """One page with the lines that Helvetica can show, uncompressed, so that a changed byte is a changed meaning."""
    shown = "".join(f"({line}) Tj 0 -16 Td " for line in LINES if line.isascii())
    content = f"BT /F1 12 Tf 72 700 Td {shown} ET"
    return pdf_of(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
    )


def pdf_of(*objects: str | bytes, trailer: str = "") -> bytes:
    """A PDF of these objects, numbered from 1, the first its catalogue."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + (body.encode() if isinstance(body, str) else body) + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


def docx() -> bytes:
    """Headings, paragraphs and a table."""
    import docx as library

    document = library.Document()
    document.add_heading(LINES[0], 1)
    for line in LINES:
        document.add_paragraph(line)
    table = document.add_table(rows=len(ROWS), cols=2)
    for row, cells in zip(table.rows, ROWS, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def pptx() -> bytes:
    """A slide with a title, text, a table and notes."""
    import pptx as library
    from pptx.util import Inches

    deck = library.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = LINES[0]
    slide.placeholders[1].text = "\n".join(LINES)
    table = slide.shapes.add_table(len(ROWS), 2, Inches(1), Inches(4), Inches(6), Inches(2)).table
    for r, cells in enumerate(ROWS):
        for c, text in enumerate(cells):
            table.cell(r, c).text = text
    slide.notes_slide.notes_text_frame.text = LINES[2]
    buffer = io.BytesIO()
    deck.save(buffer)
    return buffer.getvalue()


def xlsx() -> bytes:
    """A sheet with text, numbers and a merged cell."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    rows = "".join(
        f'<row r="{r}">'
        + "".join(f'<c r="{"AB"[c]}{r}" t="inlineStr"><is><t>{text}</t></is></c>' for c, text in enumerate(cells))
        + f'<c r="C{r}"><v>{r * 1.5}</v></c></row>'
        for r, cells in enumerate(ROWS, start=1)
    )
    return zipped({
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType='
        f'"application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/><Override '
        f'PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type='
        f'"{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="Prices 价格" sheetId="1" '
        'r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type='
        f'"{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><dimension ref="A1:C3"/><sheetData>{rows}</sheetData>'
        '<mergeCells count="1"><mergeCell ref="A3:B3"/></mergeCells></worksheet>',
    })  # fmt: skip


def xls() -> bytes:
    """A BIFF8 workbook with a sheet of labels."""

    def record(kind: int, body: bytes = b"") -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))

    cells = b"".join(
        record(0x0204, struct.pack("<HHHHB", r, c, 15, len(text), 1) + text.encode("utf-16-le"))
        for r, row in enumerate(ROWS)
        for c, text in enumerate(row)
    )
    size = record(0x0200, struct.pack("<IIHHH", 0, len(ROWS), 0, 2, 0))
    sheet = begin(0x0010) + size + cells + record(0x000A)
    name = b"Prices"
    offset = len(begin(0x0005)) + 4 + 8 + len(name) + 4 + 6
    code_page = record(0x0042, struct.pack("<H", 1200))
    bound = record(0x0085, struct.pack("<IHBB", offset, 0, len(name), 0) + name)
    return compound({"Workbook": begin(0x0005) + code_page + bound + record(0x000A) + sheet})


def doc() -> bytes:
    """A Word 97 document: the file information block, one piece of UTF-16 text and its piece table."""
    text = "".join(f"{line}\r" for line in LINES)
    fib = bytearray(0x800)
    struct.pack_into("<HHH", fib, 0, 0xA5EC, 0x00C1, 0)
    struct.pack_into("<H", fib, 0x0A, 0x1200)
    struct.pack_into("<II", fib, 0x18, 0x800, 0x800 + 2 * len(text))
    struct.pack_into("<H", fib, 0x20, 14)
    struct.pack_into("<H", fib, 0x3E, 22)
    struct.pack_into("<I", fib, 0x40, 0x800 + 2 * len(text))
    struct.pack_into("<I", fib, 0x4C, len(text))
    struct.pack_into("<H", fib, 0x98, 93)
    pieces = struct.pack("<IIHIH", 0, len(text), 0, 0x800, 0)
    table = b"\x02" + struct.pack("<I", len(pieces)) + pieces
    struct.pack_into("<II", fib, 0x1A2, 0, len(table))
    return compound({"WordDocument": bytes(fib) + text.encode("utf-16-le"), "1Table": table})


def odt() -> bytes:
    """Headings, paragraphs and a table."""
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table")
    )
    rows = "".join(
        "<table:table-row>"
        + "".join(f"<table:table-cell><text:p>{text}</text:p></table:table-cell>" for text in cells)
        + "</table:table-row>"
        for cells in ROWS
    )
    body = f'<text:h text:outline-level="1">{LINES[0]}</text:h>' + "".join(f"<text:p>{line}</text:p>" for line in LINES)
    manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    return zipped({
        "mimetype": "application/vnd.oasis.opendocument.text",
        "META-INF/manifest.xml": f'<m:manifest xmlns:m="{manifest}"><m:file-entry m:full-path="/" m:media-type='
        '"application/vnd.oasis.opendocument.text"/></m:manifest>',
        "content.xml": f"<office:document-content {spaces}><office:body><office:text>{body}<table:table>{rows}"
        "</table:table></office:text></office:body></office:document-content>",
        "meta.xml": f"<office:document-meta {spaces}/>",
        "styles.xml": f"<office:document-styles {spaces}/>",
    })  # fmt: skip


def epub() -> bytes:
    """A book of two chapters and a blank page, which compresses beyond any ratio."""
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head><body>{}</body></html>'
    chapters = {"a": f"<h1>{LINES[0]}</h1><p>{LINES[1]}</p>", "b": f"<p>{LINES[2]}</p>", "blank": " " * 500_000}
    items = "".join(f'<item id="{n}" href="{n}.xhtml" media-type="application/xhtml+xml"/>' for n in chapters)
    spine = "".join(f'<itemref idref="{n}"/>' for n in chapters)
    dublin = "http://purl.org/dc/elements/1.1/"
    return zipped({
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<rootfiles><rootfile full-path="content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        "content.opf": '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i"><metadata '
        f'xmlns:dc="{dublin}"><dc:identifier id="i">x</dc:identifier><dc:title>Book 书</dc:title><dc:language>en'
        f"</dc:language></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>",
        **{f"{name}.xhtml": page.format(body) for name, body in chapters.items()},
    })  # fmt: skip


def eml() -> bytes:
    """A mail in two languages with an HTML part and an attachment."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", "Footnote 2026 脚注"
    mail["Date"] = "Mon, 02 Mar 2026 08:00:00 +0000"
    mail.set_content("\n".join(LINES))
    mail.add_alternative(f"<p>{LINES[0]}</p><p>{LINES[1]}</p>", subtype="html")
    mail.add_attachment(LINES[2].encode(), maintype="text", subtype="plain", filename="附件.txt")
    return mail.as_bytes()


def ipynb() -> bytes:
    """A notebook with a text cell, a code cell and its output."""
    output = {"output_type": "stream", "name": "stdout", "text": [LINES[2]]}
    code = {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": ["print(1)"], "outputs": [output]}
    text = {"cell_type": "markdown", "metadata": {}, "source": [f"# {LINES[0]}\n", LINES[1]]}
    return json.dumps({"cells": [text, code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def image(kind: str) -> bytes:
    """A picture with a line of large letters."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (420, 80), "white")
    ImageDraw.Draw(picture).text((20, 20), PHRASE, fill="black", font=ImageFont.load_default(36))
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def _table(separator: str) -> bytes:
    return "".join(separator.join(row) + "\r\n" for row in ROWS).encode()


_PARAGRAPHS = "\n\n".join(LINES).encode()
_HTML = (
    f"<!doctype html><html><head><meta charset=utf-8><title>{PHRASE}</title></head><body><h1>{LINES[0]}</h1><p>{LINES[1]}"
    f"<ul><li>{LINES[2]}</ul><table><tr><th>Item<th>Price<tr><td colspan=2>{PHRASE}</table><pre>x</pre></body></html>"
).encode()
_XML = (
    f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{PHRASE}</title><item><title>{LINES[0]}'
    f"</title><description>&lt;p&gt;{LINES[1]}&lt;/p&gt;</description></item></channel></rss>"
).encode()
_RECORDS = "\n".join(json.dumps({"id": n, "title": PHRASE, "text": line}) for n, line in enumerate(LINES)).encode()
_XHTML = b'<?xml version="1.0" encoding="UTF-8"?>' + _HTML

SEEDS: dict[str, Callable[[], bytes]] = {
    ".pdf": pdf,
    ".docx": docx,
    ".docm": docx,
    ".rtf": lambda: rb"{\rtf1\ansi Footnote 2026 \b and\b0  some {\i words}\par \u33050?\u27880? end\par}",
    ".doc": doc,
    ".odt": odt,
    ".pptx": pptx,
    ".xlsx": xlsx,
    ".xls": xls,
    ".csv": lambda: _table(","),
    ".tsv": lambda: _table("\t"),
    ".html": lambda: _HTML,
    ".htm": lambda: _HTML,
    ".xhtml": lambda: _XHTML,
    ".xml": lambda: _XML,
    ".rss": lambda: _XML,
    ".atom": lambda: (
        b'<feed xmlns="http://www.w3.org/2005/Atom"><title>Footnote 2026</title><entry><title>a</title>'
        b"<summary>Footnote 2026</summary></entry></feed>"
    ),
    ".md": lambda: b"# " + _PARAGRAPHS,
    ".markdown": lambda: b"# " + _PARAGRAPHS,
    ".txt": lambda: _PARAGRAPHS,
    ".text": lambda: _PARAGRAPHS,
    ".log": lambda: _PARAGRAPHS,
    ".rst": lambda: b"Footnote 2026\n=============\n\n" + _PARAGRAPHS + b"\n\n* a\n* b\n",
    ".epub": epub,
    ".eml": eml,
    ".mhtml": eml,
    ".ipynb": ipynb,
    ".jsonl": lambda: _RECORDS,
    ".ndjson": lambda: _RECORDS,
    ".png": lambda: image("PNG"),
    ".jpg": lambda: image("JPEG"),
    ".jpeg": lambda: image("JPEG"),
    ".tif": lambda: image("TIFF"),
    ".tiff": lambda: image("TIFF"),
    ".bmp": lambda: image("BMP"),
    ".gif": lambda: image("GIF"),
    ".webp": lambda: image("WEBP"),
}
