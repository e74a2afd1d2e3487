"""Opens the page with safe settings: loopback only, unless everybody signs in; no statistics, no insides shown."""

from __future__ import annotations

import ipaddress
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.settings import Settings, load_settings
from rag.users import Users

_APP = Path(__file__).resolve().parent.parent / "app.py"
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
# What proxies add: whoever comes through one is somebody else, though the connection comes from this machine.
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


@dataclass(frozen=True, slots=True)
class Serving:
    """Where the page is served: the bound address and the names that it is reached by, its own where none are given."""

    address: str = "127.0.0.1"
    port: int = 8501
    hosts: tuple[str, ...] = ()

    @property
    def reachable(self) -> bool:
        """Whether others can reach it: at its address, or under a name of its own through a proxy on this machine."""
        return not is_loopback(self.address) or any(not is_loopback(host) for host in self.hosts)

    @property
    def allowed(self) -> tuple[str, ...]:
        """The host names that a browser may ask for; any other is somebody's attempt at DNS rebinding."""
        own = LOOPBACK_HOSTS if is_loopback(self.address) else () if _is_every(self.address) else (self.address,)
        return tuple(dict.fromkeys([*self.hosts, *own]))


def serve(serving: Serving, home: str | None, kb: str | None) -> int:
    """Run the app until it ends; returns its exit code, or 2 where others could come in without signing in."""
    settings = load_settings(home, kb)
    if reason := refusal(serving, settings):
        print(reason, file=sys.stderr)
        return 2
    environment = os.environ | ({"FOOTNOTE_HOME": str(Path(home).resolve())} if home else {})
    if kb:
        environment["FOOTNOTE_KB"] = kb
    if serving.reachable:
        environment["FOOTNOTE_ACCESS_SIGN_IN"] = "always"
    command = [sys.executable, "-m", "streamlit", "run", str(_APP), *flags(serving, settings)]
    try:
        return subprocess.run(command, env=environment, cwd=_APP.parent).returncode
    except KeyboardInterrupt:
        return 0


def refusal(serving: Serving, settings: Settings) -> str:
    """Why the page is not opened at this place, and what to type; empty where it may be."""
    if not serving.reachable and settings.access.sign_in != "always":
        return ""
    if not (oidc_configured() or users_exist(settings.home)):
        place = next((h for h in serving.hosts if not is_loopback(h)), serving.address)
        return (
            f"{place} is for people who sign in, and nobody can yet: refused. Type `python -m rag users add NAME --role "
            "admin` first, or set up an identity provider (docs/security.md). For yourself alone, leave out --address and "
            "--host."
        )
    if not serving.allowed:
        return (
            f"{serving.address} is every address of this machine: say by which name or address people reach it, "
            "e.g. `--host 192.168.1.20` or `--host kb.example.org`; --host can be given several times."
        )
    return ""


def flags(serving: Serving, settings: Settings) -> list[str]:
    """Streamlit's options, all that matter said outright: flags win over anybody's own config.toml."""
    options: Mapping[str, str | int | Sequence[str]] = {
        "server.address": serving.address,
        "server.port": serving.port,
        "server.allowedHosts": serving.allowed,
        "server.headless": "true",
        "server.enableCORS": "true",
        "server.enableXsrfProtection": "true",
        "server.trustedUserHeaders": "{}",
        "server.enableStaticServing": "false",
        "server.enableAgentApi": "false",
        "server.fileWatcherType": "none",
        "server.maxUploadSize": settings.ingest.max_file_mb,
        "browser.serverAddress": serving.allowed[0],
        "browser.gatherUsageStats": "false",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": "false",
        "client.toolbarMode": "minimal",
        "global.developmentMode": "false",
    }
    return [
        word
        for name, value in options.items()
        for one in ([value] if isinstance(value, str | int) else value)
        for word in (f"--{name}", str(one))
    ]


def users_exist(home: Path) -> bool:
    """Whether anybody is on the list of people."""
    with Users(home) as users:
        return users.exist()


def oidc_configured() -> bool:
    """Whether an identity provider is set up, in the app's or the user's own secrets.toml."""
    for folder in (_APP.parent, Path.home()):
        try:
            secrets = tomllib.loads((folder / ".streamlit" / "secrets.toml").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if secrets.get("auth"):
            return True
    return False


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address; an empty one means all of them."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def came_from_outside(headers: Mapping[str, str]) -> bool:
    """Whether a request to loopback was passed on for somebody else: by a proxy, or under a name that is not loopback's."""
    given = {name.lower(): value for name, value in headers.items()}
    host = given.get("host", "localhost").lower()
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return any(header in given for header in FORWARDED) or not is_loopback(name)


def _is_every(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return not address
