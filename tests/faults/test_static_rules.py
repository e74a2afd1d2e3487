"""What our code may call, and where: read from the source, so that no path has to be run to find it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("rag", "ingest", "evaluation", "ui")
SOURCES = [ROOT / "app.py", *sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]

# Names that may not be used, by kind; a name that ends in a dot stands for all below it.
FORBIDDEN = {
    "code out of data": (
        "pickle.", "marshal.", "shelve.", "dill.", "joblib.", "cloudpickle.", "torch.load", "faiss.read_index",
        "faiss.write_index", "langchain_core.load.", "yaml.load", "eval", "exec", "compile", "__import__",
    ),
    "a shell": ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "pty."),
    "a process": ("subprocess.", "multiprocessing.", "os.fork", "os.execv", "os.execve", "os.spawnv", "os.posix_spawn"),
    "a database": ("sqlite3.", "pysqlite3."),
    "the network": (
        "socket.", "ssl.", "http.client.", "urllib.request.", "requests.", "httpx.", "httpx2.", "aiohttp.", "urllib3.",
        "websockets.", "ftplib.", "smtplib.", "imaplib.", "poplib.", "telnetlib.", "xmlrpc.", "openai.",
    ),
    "HTML of ours": ("streamlit.html", "streamlit.components.", "streamlit.iframe"),
    "XML": ("xml.etree.", "xml.sax.", "xml.dom.", "lxml.", "defusedxml."),
    "modules by name": ("importlib.import_module", "runpy."),
    "a name that can be guessed": ("tempfile.mktemp",),
    "a weak hash": ("hashlib.md5", "hashlib.sha1", "hashlib.new"),
}  # fmt: skip
# Where they may be used all the same, and why.
ALLOWED = {
    "a process": {
        "rag/models.py": "pip, to fetch the built-in models",
        "rag/serve.py": "streamlit",
        "rag/raw_search.py": "the search of raw files",
        "ingest/sandbox.py": "the children that parse",
        "evaluation/report.py": "git, for the version in a report",
        "ui/following.py": "the ingest that follows a folder",
        "ui/adding.py": "the ingest that the page starts",
    },
    "a database": {"rag/database.py": "the one place that opens it"},
    "the network": {
        "ingest/fetcher.py": "web pages, each address checked",
        "rag/llm_address.py": "a model at an address",
        "rag/embedding_address.py": "an embedder at an address",
        "rag/llm_llamacpp.py": "the model's own server on loopback",
    },
    "HTML of ours": {
        "ui/gate.py": "a component of fixed code that holds the sign-in ticket",
        "ui/theme.py": "a component of fixed code that tells the theme",
        "ui/viewer.py": "a component of fixed code that sets text as text",
    },
    "XML": {
        "ingest/archive.py": "a parser without entities, DTD and network",
        "ingest/loaders/xml.py": "a parser without entities, DTD and network",
        "ingest/workbooks.py": "a parser without entities, DTD and network",
    },
    "modules by name": {
        "ingest/loaders/__init__.py": "the loader of a suffix, out of a fixed table",
        "evaluation/__main__.py": "a subcommand, out of a fixed table",
    },
}
# Keyword arguments that may not have these values, wherever they are given.
ARGUMENTS = {
    "shell": True, "allow_pickle": True, "unsafe_allow_html": True, "allow_dangerous_deserialization": True,
    "verify": False, "trust_remote_code": True, "resolve_entities": True, "weights_only": False, "autoescape": False,
}  # fmt: skip
# Calls that must say something outright.
WANTED = {
    "lxml.etree.XMLParser": ("resolve_entities", "no_network"),
    "lxml.etree.iterparse": ("resolve_entities", "no_network"),
    "jinja2.Environment": ("autoescape",),
    "sentence_transformers.SentenceTransformer": ("local_files_only",),
}


_BUILTINS = {"eval", "exec", "compile", "__import__"}


def names_of(tree: ast.AST) -> dict[str, str]:
    """What each imported name of a module stands for: ``from os import system as s`` is s: os.system."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {
                a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0] for a in node.names
            }
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


def dotted(node: ast.AST, names: dict[str, str]) -> str:
    """The full name that an expression stands for; empty where it is none."""
    if isinstance(node, ast.Name):
        return names.get(node.id) or (node.id if node.id in _BUILTINS else "")
    if isinstance(node, ast.Attribute) and (front := dotted(node.value, names)):
        return f"{front}.{node.attr}"
    return ""


def uses(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Kind and name of each use that is forbidden somewhere."""
    names = names_of(tree)
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    called = [dotted(node, names) for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name)]
    for kind, banned in FORBIDDEN.items():
        for full in {name for name in (*called, *imported, *names.values()) if name}:
            if any(full == each or (each.endswith(".") and f"{full}.".startswith(each)) for each in banned):
                yield kind, full


def arguments(tree: ast.AST) -> Iterator[str]:
    """Keyword arguments with a forbidden value, and calls that don't say what they must."""
    names = names_of(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            if keyword.arg in ARGUMENTS and isinstance(keyword.value, ast.Constant):
                if keyword.value.value is ARGUMENTS[keyword.arg]:
                    yield f"{keyword.arg}={keyword.value.value}"
        told = {keyword.arg for keyword in node.keywords}
        for wanted in WANTED.get(dotted(node.func, names), ()):
            if wanted not in told and None not in told:  # None: a dict of them, given as **
                yield f"{dotted(node.func, names)} without {wanted}"


def wrong(path: str, tree: ast.AST) -> list[str]:
    """What a module does that it may not."""
    found = [f"{path}: {name} ({kind})" for kind, name in uses(tree) if path not in ALLOWED.get(kind, {})]
    return found + [f"{path}: {argument}" for argument in arguments(tree)]


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """Every module of the app by its path."""
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def test_nothing_dangerous_outside_its_place(trees: dict[str, ast.Module]) -> None:
    """No code out of data, no shell, no raw HTML; processes, database, XML and network only where they are expected."""
    assert [each for path, tree in trees.items() for each in wrong(path, tree)] == []


def test_every_exception_is_still_needed(trees: dict[str, ast.Module]) -> None:
    """No module keeps a right that it doesn't use."""
    used = {(kind, path) for path, tree in trees.items() for kind, _ in uses(tree)}
    assert {(kind, path) for kind, places in ALLOWED.items() for path in places} - used == set()


@pytest.mark.parametrize("line", [
    "import pickle", "import pickle as p; p.loads(b'')", "from pickle import loads", "from marshal import loads as l; l(b'')",
    "import torch; torch.load('x')", "from torch import load; load('x')", "import faiss; faiss.read_index('x')",
    "from langchain_core.load import loads", "import yaml; yaml.load('x')", "eval('1')", "exec('1')", "compile('1', '', 'eval')",
    "__import__('os')", "import os; os.system('ls')", "from os import system as s; s('ls')", "import os as o; o.popen('ls')",
    "import subprocess", "import subprocess as s; s.run(['ls'])", "from subprocess import run", "import multiprocessing",
    "import sqlite3", "from pysqlite3 import dbapi2", "import socket", "from urllib.request import urlopen",
    "import urllib.request; urllib.request.urlopen('x')", "import requests", "import httpx as h", "import http.client",
    "import streamlit as st; st.html('x')", "import streamlit.components.v1 as c", "st.markdown('x', unsafe_allow_html=True)",
    "import xml.etree.ElementTree as E", "from lxml import etree", "import importlib; importlib.import_module('x')",
    "import tempfile; tempfile.mktemp()", "import hashlib; hashlib.md5(b'')", "run('ls', shell=True)", "get('x', verify=False)",
    "np.load('x', allow_pickle=True)", "load('x', trust_remote_code=True)", "from jinja2 import Environment; Environment()",
])  # fmt: skip
def test_a_planted_line_is_caught(line: str) -> None:
    """Each of these would be found, under whatever name it is imported."""
    assert wrong("ui/planted.py", ast.parse(line))


def test_what_is_harmless_is_let_through() -> None:
    """Names that only look alike are no fault."""
    harmless = (
        "import re; re.compile('x'); evaluate('x'); model.eval(); from rag.database import Database; d['shell'] = True"
    )
    assert wrong("ui/fine.py", ast.parse(harmless)) == []
