"""A disk that fills up, and a folder that cannot be written: said in one sentence, nothing half, and on it goes afterwards."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from crash_child import HashEmbedder

from ingest.sync import synchronise
from rag.dense import open_index
from rag.errors import StoreError
from rag.settings import Settings
from rag.store import Store
from tests.conftest import FULL

ROOT = Path(__file__).resolve().parents[2]
SEED = 2026
Times = Callable[[int, int], int]
Figure = Callable[[str, str], None]
WORDS = "Every employee has fifteen days of paid leave. 年假每年十五天，未休部分三月底作废。"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the limits are those of POSIX")


# Root may write anywhere; without these it is like anybody else.
UNPRIVILEGED = (
    ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search,-fowner"]
    if hasattr(os, "geteuid") and os.geteuid() == 0
    else []
)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sixteen files of some pages."""
    folder, dice = tmp_path_factory.mktemp("docs"), random.Random(SEED)
    for number in range(16):
        text = "\n\n".join(f"{number} {part}. {WORDS * dice.randint(1, 12)}" for part in range(12))
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    return folder


def ingest(home: Path, documents: Path, pages: int = 0) -> None:
    """Ingest into a database that may have no more than so many pages."""
    with Store(home) as store:
        if pages:
            store._database.connection.execute(f"PRAGMA max_page_count={pages}")
        synchronise(Settings(home), [documents], store=store, embedder=HashEmbedder())


def everything(home: Path) -> dict[str, Any]:
    """The text of every document, after a look at whether all is whole and can be asked."""
    with Store(home) as store:
        assert store.verify() == []
        held = {document.name: store.document_text(document.name) for document in store.documents()}
        if held:
            assert (
                store.lexical_candidates(["leave"], 5) and len(open_index(store, HashEmbedder())) == store.counts()[1]
            )
        return held


def test_a_full_database_goes_on_after_there_is_room(
    documents: Path, tmp_path: Path, times: Times, figure: Figure
) -> None:
    """Wherever it fills up: one sentence with the place and the free space, whole documents, then all of them."""
    ingest(tmp_path / "all", documents)
    wanted = everything(tmp_path / "all")
    with Store(tmp_path / "all") as store:
        most = store._rows("PRAGMA page_count")[0][0]
    Store(tmp_path / "none").close()
    with Store(tmp_path / "none") as store:
        least = store._rows("PRAGMA page_count")[0][0]
    points, dice = times(30, 5), random.Random(SEED)
    for number in range(points):
        home = tmp_path / str(number)
        with pytest.raises(StoreError, match=r"disk is full: .*footnote\.sqlite3 .* \d+ MB are free"):
            ingest(home, documents, pages=dice.randint(least + 1, int(most * 0.8)))
        assert everything(home).items() <= wanted.items()
        ingest(home, documents)
        assert everything(home) == wanted
    figure("disk full (pages of the database)", f"{points}/{points} points: 0 corrupt, {points} resumed")


CHILD = """
import resource, signal, sys
from pathlib import Path
sys.path[:0] = [sys.argv[4], sys.argv[5]]
from test_disk import ingest
from rag.errors import RagError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    ingest(Path(sys.argv[1]), Path(sys.argv[2]))
except RagError as error:
    print(error); sys.exit(3)
"""


def test_a_log_that_cannot_grow_goes_on_after_it_can(
    documents: Path, tmp_path: Path, times: Times, figure: Figure
) -> None:
    """The same where the system refuses to make a file of the store any longer: log, database or cache."""
    ingest(tmp_path / "all", documents)
    wanted = everything(tmp_path / "all")
    points, dice, refused = times(20, 3), random.Random(SEED), 0
    for number in range(points):
        home, limit = tmp_path / str(number), dice.randint(100_000, 400_000)
        command = [
            sys.executable,
            "-c",
            CHILD,
            str(home),
            str(documents),
            str(limit),
            str(ROOT),
            str(Path(__file__).parent),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
        assert done.returncode in (0, 3), done.stderr
        refused += done.returncode == 3
        assert done.returncode == 0 or ("MB are free" in done.stdout and "footnote.sqlite3" in done.stdout), done.stdout
        assert everything(home).items() <= wanted.items()
        ingest(home, documents)
        assert everything(home) == wanted
    figure("disk full (files cannot grow)", f"{points}/{points} points, {refused} refused: 0 corrupt, {points} resumed")
    assert refused > points // 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB, where the system lets us make one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True
        ).returncode
    )
    if not mounted:
        pytest.skip("a disk can be mounted by root alone, and not in every container")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


if FULL:

    def test_a_real_full_disk(documents: Path, small_disk: Path, figure: Figure) -> None:
        """On a file system with no room left: one sentence, whole documents, and all of them once there is room."""
        home, ballast = small_disk / "home", small_disk / "ballast"
        ballast.write_bytes(bytes(2_900_000))
        with pytest.raises(StoreError, match="disk is full"):
            ingest(home, documents)
        held = everything(home)
        ballast.unlink()
        subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
        ingest(home, documents)
        assert held.items() <= everything(home).items() and len(everything(home)) == 16
        figure("disk full (a disk of 4 MB)", f"refused with {len(held)} documents whole, resumed")


def test_a_read_only_folder_is_said_to_be(documents: Path, tmp_path: Path) -> None:
    """Where nothing may be written, commands end in one sentence that names the place; what is there stays."""
    home = tmp_path / "home"
    ingest(home, documents)
    before = everything(home)
    paths = [home, *home.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        command = [*UNPRIVILEGED, sys.executable, "-m", "rag", "delete", "0.txt", "--home", str(home)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
        assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
        assert str(home) in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert everything(home) == before


def test_no_cache_is_no_error(documents: Path, tmp_path: Path) -> None:
    """Where the index's cache cannot be written, questions are answered all the same."""
    home = tmp_path / "home"
    ingest(home, documents)
    (home / "workspace" / "cache").write_text("a file where the folder should be")
    assert len(everything(home)) == 16


def test_a_network_drive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure) -> None:
    """A store is not made on a file system whose locks can't be relied on; the message says where instead."""
    mounts, kinds = tmp_path / "mounts", ("nfs", "nfs4", "cifs", "smb3", "9p", "vboxsf", "fuse.sshfs")
    for kind in kinds:
        mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path}/share {kind} rw 0 0\n")
        monkeypatch.setattr("rag.mounts._MOUNTS", mounts)
        with pytest.raises(StoreError, match=rf"network drive \({kind}\).*--home"):
            Store(tmp_path / "share" / "home")
        Store(tmp_path / f"local-{kind}").close()
    assert not (tmp_path / "share").exists()
    figure("network file systems", f"{len(kinds)}/{len(kinds)} kinds refused")
