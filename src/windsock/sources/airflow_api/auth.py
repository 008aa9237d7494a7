"""How to be let in: a token, a command that prints one, or a user name and password."""

from __future__ import annotations

import base64
import shlex
import subprocess
from dataclasses import dataclass

from windsock.errors import SourceError

COMMAND_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the pipeline file names; all empty for an API that lets everybody in."""

    token: str = ""
    token_command: str = ""
    username: str = ""
    password: str = ""

    @property
    def is_password(self) -> bool:
        return bool(self.username)

    def bearer(self) -> str:
        """The token, fresh from the command where one is set; empty without either."""
        return run_token_command(self.token_command) if self.token_command else self.token

    def basic(self) -> str:
        """The value of an `Authorization` header for user name and password."""
        pair = f"{self.username}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode("ascii")


def run_token_command(command: str) -> str:
    """What `token_command` prints. Its output is a secret: it stands in no message."""
    try:
        words = shlex.split(command)
        done = subprocess.run(words, capture_output=True, timeout=COMMAND_TIMEOUT_S, check=False)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise SourceError(
            f"[sources.airflow_api] token_command {command!r} cannot be run ({type(error).__name__}); try it in a shell"
        ) from None
    token = done.stdout.decode("utf-8", "replace").strip()
    if done.returncode or not token or len(token.split()) != 1:
        raise SourceError(
            f"[sources.airflow_api] token_command {command!r} ended with status {done.returncode} and printed "
            f"{len(token.split())} words; it must print the token alone"
        )
    return token
