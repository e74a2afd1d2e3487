"""A compound file (the container of Office 97) written anew around one stream, so that a reader meets no broken chains."""

from __future__ import annotations

import struct

_SECTOR = 4096
_PER_SECTOR = _SECTOR // 4
_FREE, _END, _TABLE, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
_IN_HEADER = 109
_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def compound_file(name: str, content: bytes) -> bytes:
    """A container (version 4 of [MS-CFB]) that holds the stream ``name``, at most some 400 MB of it; zeros may follow it.

    The sectors are the allocation table, the directory, an unused one for short streams that some readers insist on, and
    the stream; as a short one would need a second table, it is filled up with zeros.
    """
    content += bytes(max(0, _SECTOR - len(content)))
    length = -(-len(content) // _SECTOR)
    tables = -(-(length + 2) // (_PER_SECTOR - 1))
    if tables > _IN_HEADER:
        raise ValueError(f"a stream of {len(content) >> 20} MB does not fit into the container")
    first = tables + 2
    chain = [_TABLE] * tables + [_END, _END] + [*range(first + 1, first + length), _END]
    chain += [_FREE] * (tables * _PER_SECTOR - len(chain))
    listed = [*range(tables), *[_FREE] * (_IN_HEADER - tables)]
    header = struct.pack(
        "<8s16x5H6x9I", _SIGNATURE, 0x3E, 4, 0xFFFE, 12, 6, 1, tables, tables, 0, 4096, _END, 0, _END, 0
    ) + struct.pack(f"<{_IN_HEADER}I", *listed)
    directory = _entry("Root Entry", 5, 1, tables + 1, _SECTOR) + _entry(name, 2, _NONE, first, len(content))
    parts = (header, struct.pack(f"<{len(chain)}I", *chain), directory, bytes(_SECTOR), content)
    return b"".join(part + bytes(-len(part) % _SECTOR) for part in parts)


def _entry(name: str, kind: int, child: int, first: int, size: int) -> bytes:
    """A directory entry of 128 bytes."""
    written = name.encode("utf-16-le") + b"\0\0"
    return struct.pack("<64sHBB3I36xIQ", written, len(written), kind, 1, _NONE, _NONE, child, first, size)
