"""Office files behind a password are decrypted in memory with the passwords that the user gave."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from typing import Any, BinaryIO
from xml.parsers.expat import ExpatError

from ingest.source import LOCKED, WRONG_PASSWORD, Source
from rag.errors import IngestError

MAY_BE_LOCKED = frozenset((".encrypted", ".doc", ".xls"))
# What Excel itself encrypts with when a workbook is only protected against changes; it opens without asking.
_NO_PASSWORD = "VelvetSweatshop"
_DESCRIPTION = "EncryptionInfo"
_ENCODINGS = ("ascii", "utf-16-le", "utf-16-be")
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    TypeError,
    AssertionError,
    struct.error,
    NotImplementedError,
)


def unlocked(source: Source) -> Source:
    """The file itself where it is open, else its decrypted content; raises IngestError where no password fits.

    A file that cannot be understood so far is returned as it is: its loader says what is wrong with it.
    """
    import msoffcrypto
    from msoffcrypto.exceptions import DecryptionError, FileFormatError, ParseError

    unreadable = (*_UNREADABLE, ExpatError, FileFormatError, ParseError)
    with source.open() as file:
        try:
            _check_description(file)
            office = msoffcrypto.OfficeFile(file)
            if not office.is_encrypted():
                return source
        except unreadable:
            return source
        except DecryptionError as error:
            raise IngestError(f"locked in a way that is not known here: {error}") from None
        for password in (_NO_PASSWORD, *source.passwords):
            try:
                return replace(source, path=None, content=_decrypted(office, password))
            except DecryptionError:
                continue
            except unreadable as error:
                raise IngestError(f"the file is damaged: it cannot be decrypted ({str(error)[:120]})") from None
    raise IngestError(WRONG_PASSWORD if source.passwords else LOCKED)


def _check_description(file: BinaryIO) -> None:
    """Raises IngestError where the XML that describes the encryption has entities, which its reader would expand."""
    import olefile

    container = olefile.OleFileIO(file)
    described = container.openstream(_DESCRIPTION).read() if container.exists(_DESCRIPTION) else b""
    if any(f"<!{word}".encode(name) in described for word in ("DOCTYPE", "ENTITY") for name in _ENCODINGS):
        raise IngestError("the file is forged: the description of its encryption declares a document type")


def _decrypted(office: Any, password: str) -> bytes:
    opened = io.BytesIO()
    if office.format == "ooxml":
        office.load_key(password=password, verify_password=True)
    else:  # these always verify
        office.load_key(password=password)
    office.decrypt(opened)
    return opened.getvalue()
