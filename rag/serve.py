"""Opens the page with safe settings: loopback only, no statistics, no tracebacks in the browser."""

from __future__ import annotations

import ipaddress
import os
import subprocess
import sys
from pathlib import Path

_APP = Path(__file__).parent.parent / "app.py"


def serve(address: str, port: int, home: str | None, kb: str | None) -> int:
    """Run the app until it ends; returns its exit code, or 2 for an address that others could reach."""
    if not is_loopback(address):
        print(
            f"{address} can be reached from other machines, and this version has no sign-in: refused. "
            "Leave --address out, and reach the page through an SSH tunnel or a proxy that asks for a password.",
            file=sys.stderr,
        )
        return 2
    environment = os.environ | ({"FOOTNOTE_HOME": str(Path(home).resolve())} if home else {})
    if kb:
        environment["FOOTNOTE_KB"] = kb
    command = [sys.executable, "-m", "streamlit", "run", str(_APP), "--server.address", address, "--server.port", str(port),
               "--browser.gatherUsageStats", "false", "--client.showErrorDetails", "none",
               "--server.headless", "true"]  # fmt: skip
    try:
        return subprocess.run(command, env=environment, cwd=_APP.parent).returncode
    except KeyboardInterrupt:
        return 0


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address; an empty one means all of them."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
