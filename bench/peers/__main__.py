"""``python -m bench.peers FOLDER…``: this project beside LangChain, LlamaIndex, txtai and Chroma.

Every run is a process of its own with an empty index; the sides take turns, and from one turn to the next their order
is reversed. A FOLDER holds corpus.jsonl and qa.jsonl. Multi-turn questions are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.peers import report
from bench.peers.material import read, sample, write
from bench.peers.measure import Run
from bench.peers.sides import SIDES
from rag.errors import RagError
from rag.models import E5, require

# Offline and silent, on every side; the folders of a user's own settings have no say.
_QUIET = {
    "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1",
    "ANONYMIZED_TELEMETRY": "False", "LANGSMITH_TRACING": "false", "LANGCHAIN_TRACING_V2": "false",
    "TQDM_DISABLE": "1", "PYTHONWARNINGS": "ignore",
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, write what was asked for; 1 where something failed."""
    options = _parser().parse_args(arguments)
    try:
        require(E5.name)
        runs = _measure(options)
        result = report.Result(tuple(runs), report.machine(options.threads), tuple(options.sides))
        print(report.tables(result))
        if options.markdown:
            report.write_markdown(result, options.markdown)
        if options.plot:
            report.plot(result, options.plot)
        return 0
    except RagError as error:
        print(error, file=sys.stderr)
        return 1


def _measure(options: argparse.Namespace) -> list[Run]:
    runs: list[Run] = []
    with tempfile.TemporaryDirectory() as scratch:
        folders = []
        for folder in options.folders:
            material = sample(read(folder), options.documents, options.questions)
            folders.append(Path(scratch) / material.name)
            write(material, folders[-1])
        turns = [folder for _ in range(options.repetitions) for folder in folders]
        for turn, folder in enumerate(turns):
            for side in options.sides if turn % 2 == 0 else options.sides[::-1]:
                runs.append(_child(side, folder, turn, options.threads))
                print(report.line(runs[-1]), file=sys.stderr, flush=True)
                if options.json:  # after each, so that a run that breaks off leaves what it measured
                    result = report.Result(tuple(runs), report.machine(options.threads), tuple(options.sides))
                    options.json.write_text(json.dumps(report.as_json(result), indent=1), encoding="utf-8")
    return runs


def _child(side: str, folder: Path, turn: int, threads: int) -> Run:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("FOOTNOTE_") or "CACHE" in name}
    environment = ours | _QUIET | dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    command = [sys.executable, "-m", "bench.peers.measure", side, str(folder), str(turn), str(threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode:
        raise RagError(f"{SIDES[side].title} ended with exit code {done.returncode}; what it said stands above.")
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="holds corpus.jsonl and qa.jsonl")
    parser.add_argument(
        "--documents", type=int, default=500, metavar="N",
        help="a sample of N documents, which keeps all that the questions need (default 500; 0: all)",
    )  # fmt: skip
    parser.add_argument(
        "--questions", type=int, default=300, metavar="N", help="a sample of N questions (default 300; 0: all)"
    )
    parser.add_argument("--repetitions", type=int, default=1, metavar="N", help="turns over each set (default 1)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, metavar="N", help="threads of each side")
    parser.add_argument(
        "--sides", nargs="+", choices=list(SIDES), default=list(SIDES), metavar="SIDE", help=", ".join(SIDES)
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run as JSON")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables between the marks in FILE")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the figures as .svg or .png")
    return parser


if __name__ == "__main__":
    sys.exit(main())
