"""Where a folder lies: on a disk of this machine, or on a network drive, whose locks and syncs can't be relied on."""

from __future__ import annotations

import re
import sys
from pathlib import Path

_NETWORK = re.compile(r"nfs\d?|cifs|smb\w*|9p|afs|ceph|lustre|vboxsf|virtiofs|drvfs|fuse\.(?!fuse-overlayfs).+")
_MOUNTS = Path("/proc/self/mounts")


def network_drive(folder: Path) -> str:
    """The kind of network file system that a folder lies on, "nfs4" for example; empty where it is none or not known."""
    if sys.platform == "win32":
        return "a network share" if str(folder.resolve()).startswith("\\\\") else ""
    if not _MOUNTS.exists():
        return ""
    folder = folder.resolve()
    best, kind = Path("/"), ""
    for line in _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        _, point, this, *_ = line.split(" ")
        mounted = Path(re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), point))
        if mounted == folder or mounted in folder.parents:
            if len(mounted.parts) >= len(best.parts):
                best, kind = mounted, this
    return kind if _NETWORK.fullmatch(kind) else ""
