"""Secrets behind a name: `password=…`, `"token": "…"`, `--api-key …`, as pairs, in URLs, in lists of variables.

What an assignment hides is decided by its name (`_is_secret`) and its value (`_is_ordinary`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from windsock.redaction.mask import MASK

# no name is secret without one of these
NAME_HINTS = (
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
    "authorization",
    "cookie",
    "_pat",
    "-pat",
    ".pat",
)

# What makes a name secret (as part of its letters, without separators), and what makes it only sound like one (its last
# word): `password` is, `password_file` and `token_count` are not.
_SECRET = re.compile(
    r"passw(?:or)?d|passwd|passphrase|pwd|secret(?!ar)|token(?!i[sz])|credentials?|authorization|apikey|appkey|accesskey|privatekey|"
    r"accountkey|secretkey|sharedkey|signingkey|encryptionkey|fernetkey|storagekey|masterkey|authkey|servicekey|cookie"
)
_PASSWORD = re.compile(r"passw|pwd|passphrase")
_PLAIN_ENDINGS = frozenset(
    "age alg algorithm arn at attempts backend backends budget cache class column columns config count counts date dir "
    "directory enabled endpoint env error errors exception exists expiration expired expires expiry failed field fields "
    "file filename format found hint host id ids in index kind label length len level limit limits location manager max "
    "method min missing mode ms name names num number offset path paths per policy position prefix present project "
    "provider rate reason ref region required requirements retries retry rotation s scheme scope scopes seconds set "
    "size source stage state status store total ttl type types uri url usage used user username valid validation var "
    "variable version".split()
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PLAIN_VALUES = frozenset(
    "none null nil true false yes no nan undefined redacted hidden masked unset str string bytes int bool optional any "
    "dict list float object secretstr required missing invalid expired empty default revoked expected".split()
)
_REFERENCE = re.compile(
    r"\$\{?[A-Z_][A-Z0-9_]*\}?|\$\{\{?.*|\{\{.*|\{\w*\}.*|%\(\w+\)s|%s|<.*|:\w+|\?|\.\.\.|\*{3}.*|"  # placeholders
    r"(?:[a-z_]\w*|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)[(\[].*|"  # a call or a look-up: source text in a traceback
    r"(?:self|cls|conn|connection|config|conf|cfg|settings|os|args|kwargs|context|hook|ctx|params|var|options|opts|env|"
    r"credentials|creds|client|session|request|response|secrets)\.[A-Za-z_][\w.]*"
)


def _is_secret(name: str) -> bool:
    return _is_known_secret(name) if len(name) <= 100 else _is_known_secret.__wrapped__(name)


@lru_cache(maxsize=4096)  # a log's names are few
def _is_known_secret(name: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(name)]
    lowered = name.lower()
    if not any(hint in lowered for hint in NAME_HINTS):
        return False
    if not words or words[-1] in _PLAIN_ENDINGS:
        return False
    return bool(_SECRET.search("".join(words))) or (len(words) > 1 and words[-1] in ("pass", "pat"))


def _is_ordinary(name: str, value: str, *, quoted: bool, rest: str) -> bool:
    """Whether a value behind a secret's name is none: a placeholder, source text, a count, a sentence."""
    is_password = bool(_PASSWORD.search(name.lower()))
    bare = value.rstrip(".,;:!)]}")
    if not bare or bare.lower() in _PLAIN_VALUES or _REFERENCE.fullmatch(value):
        return True
    if len(value) < (1 if quoted and is_password else 3 if is_password else 4 if quoted else 6):
        return True
    if quoted:
        return False
    if not is_password and (re.fullmatch(r"[\d.,]{1,9}", bare) or re.fullmatch(r"[a-zA-Z]{1,15}", bare)):
        return True
    last = _WORDS.findall(name)[-1].lower()
    if bare == name or re.fullmatch(
        rf"(?:[a-z]+_)?{re.escape(last)}", bare
    ):  # password=db_password: source text
        return True
    is_word = re.fullmatch(r"[A-Z]?[a-z']{1,20}|[A-Z']{1,20}", bare)
    return bool(is_word and re.match(r"[ \t]+[A-Za-z]+(?![\w.-]*[:=])", rest))


def _mask(text: str, head: re.Pattern[str], tail: re.Pattern[str]) -> str:
    """Mask the values behind secret names. What stands behind any other name is searched for names of its own:
    `RuntimeError: password=x` is a name, a colon, and an assignment."""
    parts: list[str] = []
    done = at = 0
    while match := head.search(text, at):
        at = match.end()
        if not _is_secret(match["name"]) or not (value := tail.match(text, at)):
            continue
        quoted = value["quoted"] or ""
        told = quoted.strip("\\\"'") if quoted else value["bare"]
        rest = text[value.end() : value.end() + 80]
        if _is_ordinary(match["name"], told, quoted=bool(quoted), rest=rest):
            continue
        opening = quoted[: len(quoted) - len(quoted.lstrip("\\\"'"))]
        closing = quoted[len(quoted.rstrip("\\\"'")) :]
        parts += [text[done:at], opening, MASK, closing]
        done = at = value.end()
    return "".join([*parts, text[done:]]) if parts else text


_QUOTED = r"(?P<quoted>\"(?:[^\"\\\n]|\\.){0,2048}+\"|'(?:[^'\\\n]|\\.){0,2048}+'|\\{1,15}\"[^\"\n]{0,2048}+(?<=\\)\")"
# up to a blank, or to punctuation that ends a pair: `password=ab,c(d, port=1`
# (not where a pair stands behind a colon: `failed: password=x` is the inner pair's to mask)
_BARE = (
    r"(?P<bare>(?![\"'\[])"
    r"(?![\w.-]{0,40}?(?i:passw|passphrase|pwd|secret|token|key|credential|authorization|cookie)[\w.-]{0,24}[=:])(?:[^\s\"'<>,;)\]}]|[,;)\]}](?![\s\"',;)\]}]|\Z|[\w.-]{1,40}[\"']?[=:])){1,2048}+)"
)
# how a name and its value meet: (what a text holds where the head does, head, value)
_ASSIGNMENTS: tuple[tuple[Callable[[str], bool], re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (may_hold, re.compile(head), re.compile(value))
    for may_hold, head, value in (
        (
            lambda text: "=" in text and ("?" in text or "&" in text or ";" in text),
            r"[?&;](?P<name>[\w.-]++)=",
            r"(?P<quoted>(?!))?(?P<bare>[^\s&'\"<>]++)",
        ),  # in a URL
        (
            lambda text: "%22" in text,
            r"%22(?P<name>[A-Za-z_.-]++)%22(?:%20|\+){0,3}%3A(?:%20|\+){0,3}%22",  # in an encoded connection's extra
            r"(?P<quoted>(?!))?(?P<bare>(?:(?!%22)[^\s&]){1,2048}+)",
        ),
        (
            lambda text: "=" in text or ":" in text,
            r"(?<![\w.-])(?P<name>(?:(?i:api|secret|access|private|account|auth|signing|shared) (?=(?i:key)))?[\w.-]++)"
            r"\\{0,15}[\"']?[ \t]{0,3}(?:=>|:=|==|[=:])[ \t]{0,3}(?:[bruf](?=[\"']))?",
            rf"{_QUOTED}|{_BARE}",
        ),
        (
            lambda text: "--" in text,
            r"(?<![\w-])--(?P<name>[\w-]++)[\"']?,?[ \t]{1,3}(?!-)",  # an option, also in a list of arguments
            rf"{_QUOTED}|(?P<bare>[^\s\"'-][^\s\"']++)",
        ),
        (
            lambda text: "('" in text or '("' in text,
            r"\([\"'](?P<name>[\w.-]++)[\"'],[ \t]{0,3}",
            rf"(?:{_QUOTED})(?=\))(?P<bare>)",
        ),  # a pair: ('password', 'x')
        (  # a variable of a container, also printed over two lines
            lambda text: "value" in text.lower(),
            r"\b(?i:name)\\{0,15}[\"']?[ \t]{0,3}[:=][ \t]{0,3}\\{0,15}[\"']?(?P<name>[\w.-]++)\\{0,15}[\"']?,?(?:\s|\\{1,3}n){1,200}"
            r"\\{0,15}[\"']?(?i:value)\\{0,15}[\"']?[ \t]{0,3}[:=][ \t]{0,3}",
            rf"{_QUOTED}|{_BARE}",
        ),
    )
)


def mask_assignments(text: str) -> str:
    """`text` with the values behind secret names masked."""
    for may_hold, head, value in _ASSIGNMENTS:
        if may_hold(text):
            text = _mask(text, head, value)
    return text
