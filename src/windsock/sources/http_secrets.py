"""Secrets of an HTTP source: headers from a variable, a token from a command. None of them stands in a message."""

from __future__ import annotations

import json
import shlex
import subprocess

from windsock.errors import ConfigError

COMMAND_TIMEOUT_S = 60.0


def headers_from(text: str) -> dict[str, str]:
    """The variable that `headers_env` names: JSON, or one `Name: value` a line."""
    is_json = text.lstrip().startswith("{")
    if is_json:
        try:
            told = json.loads(text)
        except ValueError:
            told = None
        if isinstance(told, dict) and all(isinstance(value, str) for value in told.values()):
            return told
    pairs = [line.partition(":") for line in text.splitlines() if line.strip()]
    if is_json or not pairs or any(not colon or not name.strip() for name, colon, _value in pairs):
        raise ConfigError(
            "[sources.metrics] headers_env: its value must be lines of `Name: value`, or a JSON object"
        )
    return {name.strip(): value.strip() for name, _colon, value in pairs}


def token_from(command: str) -> str:
    """What `token_command` prints. Its output is a secret and stands in no message."""
    try:
        done = subprocess.run(
            shlex.split(command), capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise ConfigError(
            f"[sources.metrics] token_command {command!r} cannot be run ({type(error).__name__})"
        ) from None
    token = done.stdout.strip()
    if done.returncode or not token:
        raise ConfigError(
            f"[sources.metrics] token_command {command!r} ended with status {done.returncode} and "
            f"{'no output' if not token else 'some output'}; run it by hand"
        )
    return token
