"""Office Open XML packages: parts, what they are related to, and their XML in one set of names.

Read with zipfile and lxml, not through a library's package class: real files have relationships that lead nowhere, main
parts under other names, macro and template content types and the "strict" namespaces, and none of that concerns the text.
"""

from __future__ import annotations

import contextlib
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from ingest.archive import DAMAGED, check_archive, parse_xml
from ingest.source import Source
from rag.errors import IngestError

_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
RELATED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"
# What programs put where nobody gave a title.
_NO_TITLE = re.compile(
    r"(?:microsoft (?:word|excel|powerpoint)\b.*|(?:word )?(?:document|文档)\s?\d*|powerpoint (?:presentation|演示文稿)|slide \d+"
    r"|幻灯片\s?\d+|presentation\s?\d*|untitled.*|.*\.(?:docx?|pptx?|xlsx?|wps))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Package:
    """An open package; a part is called by its path in the archive, without a slash in front."""

    archive: zipfile.ZipFile

    @property
    def main(self) -> str:
        """The part that the package is about; raises IngestError where there is none."""
        found = self.related("", "officeDocument")
        if not found:
            raise IngestError("the file is damaged: nothing in it says which part is the document")
        return found[0]

    def xml(self, name: str) -> Any:
        """The root element of a part; raises IngestError where it is missing or damaged."""
        try:
            content = self.archive.read(name)
        except DAMAGED as error:
            raise IngestError(f"the file is damaged: {error}") from None
        return parse_xml(_STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/\2", content), name)

    def related(self, name: str, kind: str) -> list[str]:
        """The existing parts that a part is related to in the way of ``kind``, the last word of the relationship's type."""
        return [target for target, found in self._relations(name).values() if found == kind]

    def target(self, name: str, key: str | None) -> str | None:
        """The existing part that the relationship ``key`` of a part leads to."""
        return self._relations(name).get(key or "", (None, ""))[0]

    def relative(self, name: str, kind: str) -> Any | None:
        """The root of the first part that a part is related to in this way, None without one."""
        found = self.related(name, kind)
        return self.xml(found[0]) if found else None

    def title(self) -> str:
        """The title among the document's properties, "" where it has none that says something."""
        properties = self.relative("", "core-properties")
        told = (properties.findtext(_TITLE) or "").strip() if properties is not None else ""
        return "" if _NO_TITLE.fullmatch(told) else told

    def _relations(self, name: str) -> dict[str, tuple[str, str]]:
        folder, file = posixpath.split(name)
        path = posixpath.join(folder, "_rels", f"{file}.rels")
        present = {member.lower(): member for member in self.archive.namelist()}
        if path.lower() not in present:
            return {}
        found: dict[str, tuple[str, str]] = {}
        for relation in self.xml(present[path.lower()]).iter(_RELATION):
            target = unquote(relation.get("Target", ""))
            whole = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            if relation.get("TargetMode") != "External" and whole.lower() in present:
                kind = relation.get("Type", "").rsplit("/", 1)[-1]
                found[relation.get("Id", "")] = (present[whole.lower()], kind)
        return found


@contextlib.contextmanager
def opened(source: Source) -> Iterator[Package]:
    """A checked package; raises IngestError for a damaged one, whatever the reader of its parts stumbles over."""
    check_archive(source)
    try:
        with source.open() as file, zipfile.ZipFile(file) as archive:
            yield Package(archive)
    except (*DAMAGED, AttributeError, TypeError, IndexError) as error:
        raise IngestError(f"the file is damaged: {' '.join(str(error).split())[:200]}") from None
