"""``python -m bench.page [--home DIR]``: how long the page takes, in a real Chromium on this machine.

First paint is the time from asking for an address in a new browser to the page being drawn whole; the server has been
asked before (warm). On a home without documents the samples are taken in first, in a folder of their own.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from tests.ui.served import Reader, chromium, ingest, served

PAGES = ("", "library", "evaluation", "settings")


def main() -> None:
    """Print one line a page: median and worst of the rounds, in seconds."""
    parser = argparse.ArgumentParser(prog="python -m bench.page", description=__doc__)
    parser.add_argument("--home", type=Path, help="a home folder with documents; the samples otherwise")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        home = options.home or Path(scratch)
        if options.home is None:
            ingest(home, "data/docs")
        began = time.perf_counter()
        with served(home) as address:
            Reader(browser, address).leave()
            print(f"{'server start to the first page':<34}{time.perf_counter() - began:>8.2f} s")
            for page in PAGES:
                seconds = [_first_paint(browser, address, page) for _ in range(options.rounds)]
                print(
                    f"first paint of /{page:<18} median {statistics.median(seconds):>8.2f} s, worst {max(seconds):.2f} s"
                )


def _first_paint(browser: object, address: str, page: str) -> float:
    began = time.perf_counter()
    reader = Reader(browser, f"{address}", page=page)  # type: ignore[arg-type]
    seconds = time.perf_counter() - began
    reader.leave()
    return seconds


if __name__ == "__main__":
    main()
