"""A story as a book: EPUB 3 and Markdown, with credits. Pure functions; the same story gives the same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

OLDEST = (1980, 1, 1, 0, 0, 0)  # the first moment a ZIP file knows
CONTAINER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>\n'
)
STYLE = (
    "body{font-family:serif;line-height:1.5;margin:5%}h1,h2{text-align:center;font-weight:normal}"
    ".by{text-align:center;font-style:italic}p{margin:0;text-indent:1.5em}h2+p,.by+p,.first{text-indent:0}\n"
)
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Chapter:
    title: str
    author: str
    body: str


@dataclass(frozen=True, slots=True)
class Book:
    """`changed` is when the last chapter was written; `identifier` names the story, the same in every edition."""

    identifier: str
    title: str
    group: str
    premise: str
    licence: str
    chapters: Sequence[Chapter]
    changed: datetime

    @property
    def credits(self) -> list[tuple[str, int]]:
        """Who wrote how many chapters, the busiest first."""
        return sorted(Counter(each.author for each in self.chapters).items(), key=lambda line: (-line[1], line[0]))


def markdown(book: Book) -> str:
    """The whole book as Markdown; what authors wrote is text and starts no formatting."""
    parts = [f"# {_plain(book.title)}", f"*{_plain(book.group)}*", _quoted(book.premise)]
    for n, chapter in enumerate(book.chapters, 1):
        parts += [f"## {n}. {_plain(chapter.title)}", f"*{_plain(chapter.author)}*", _paragraphs_markdown(chapter.body)]
    parts += ["## Credits", "\n".join(f"- {_plain(author)}: {number}" for author, number in book.credits)]
    return "\n\n".join([*parts, _plain(book.licence)]) + "\n"


def epub(book: Book) -> bytes:
    """An EPUB 3 container: the mimetype first and uncompressed, then package, navigation, chapters, credits."""
    files = {"book/style.css": STYLE, "book/title.xhtml": _title_page(book), "book/nav.xhtml": _navigation(book)}
    for n, chapter in enumerate(book.chapters, 1):
        body = f'<h2>{n}. {_xml(chapter.title)}</h2><p class="by">{_xml(chapter.author)}</p>{_paragraphs(chapter.body)}'
        files[f"book/chapter-{n}.xhtml"] = _page(chapter.title, body)
    files["book/credits.xhtml"] = _page("Credits", _credits(book))
    files["book/package.opf"] = _package(book, list(files))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("mimetype", OLDEST), "application/epub+zip")
        for name, content in {"META-INF/container.xml": CONTAINER, **files}.items():
            archive.writestr(zipfile.ZipInfo(name, OLDEST), content.encode(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _package(book: Book, names: Sequence[str]) -> str:
    items, spine = [], []
    for name in names:
        path = name.removeprefix("book/")
        ident = path.replace(".", "-")
        kind = "text/css" if path.endswith(".css") else "application/xhtml+xml"
        extra = ' properties="nav"' if path == "nav.xhtml" else ""
        items.append(f'<item id="{ident}" href="{path}" media-type="{kind}"{extra}/>')
        if path.endswith(".xhtml"):
            spine.append(f'<itemref idref="{ident}"/>')
    people = "".join(f"<dc:creator>{_xml(author)}</dc:creator>" for author, _ in book.credits)
    changed = book.changed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<dc:identifier id="id">urn:uuid:{book.identifier}</dc:identifier><dc:title>{_xml(book.title)}</dc:title>'
        f"<dc:language>und</dc:language>{people}<dc:publisher>{_xml(book.group)}</dc:publisher>"
        f'<dc:rights>{_xml(book.licence)}</dc:rights><meta property="dcterms:modified">{changed}</meta></metadata>'
        f"<manifest>{''.join(items)}</manifest><spine>{''.join(spine)}</spine></package>\n"
    )


def _navigation(book: Book) -> str:
    lines = "".join(
        f'<li><a href="chapter-{n}.xhtml">{_xml(each.title)}</a></li>' for n, each in enumerate(book.chapters, 1)
    )
    inner = f'<ol>{lines}<li><a href="credits.xhtml">Credits</a></li></ol>'
    return _page(book.title, f'<nav epub:type="toc" id="toc"><h1>{_xml(book.title)}</h1>{inner}</nav>')


def _title_page(book: Book) -> str:
    return _page(
        book.title, f'<h1>{_xml(book.title)}</h1><p class="by">{_xml(book.group)}</p>{_paragraphs(book.premise)}'
    )


def _credits(book: Book) -> str:
    lines = "".join(f"<li>{_xml(author)}: {number}</li>" for author, number in book.credits)
    return f"<h2>Credits</h2><ul>{lines}</ul>{_paragraphs(book.licence)}"


def _page(title: str, body: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head>'
        f'<title>{_xml(title)}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>'
        f"<body>{body}</body></html>\n"
    )


def paragraphs(text: str) -> list[list[str]]:
    """Paragraphs, each as its lines: an empty line parts two of them."""
    return [block.split("\n") for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()) if block.strip()]


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{'<br/>'.join(_xml(line) for line in lines)}</p>" for lines in paragraphs(text))


def _paragraphs_markdown(text: str) -> str:
    return "\n\n".join("  \n".join(_plain(line) for line in lines) for lines in paragraphs(text))


def _quoted(text: str) -> str:
    return "\n>\n".join("> " + "  \n> ".join(_plain(line) for line in lines) for lines in paragraphs(text))


def _xml(text: str) -> str:
    return escape(NOT_IN_XML.sub("\ufffd", text))


def _plain(text: str) -> str:
    """Text that Markdown leaves alone."""
    shown = re.sub(r"([\\`*_{}\[\]<>#|~!])", r"\\\1", " ".join(text.split()))
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", re.sub(r"^([-+=])", r"\\\1", shown))
