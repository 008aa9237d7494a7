"""Secrets leave log text before anything is stored. One list of patterns, reviewed here, applied in bulk.

Airflow's own masker knows only the values of connections and variables that the task loaded (facts of real runs):
literal keys in exception texts, URLs with passwords and `api_key=` parameters pass it.
Key shapes: AWS IAM "Identifiers" guide, Google API key format, GitHub token formats (2021), GitLab token overview,
Slack token types, Stripe key prefixes, RFC 7519 (JWT), RFC 7468 (PEM), RFC 6750 (bearer), SigV4 and GCS signed URLs,
Azure storage connection strings, Databricks, dbt Cloud and Snowflake token formats, Kafka `sasl.jaas.config`, JDBC URLs of
the vendors' drivers, Oracle Easy Connect, `AIRFLOW_CONN_*` as URI and JSON, Kubernetes `env` lists as clients print them.
`python -m benchmarks.redaction` says what the list misses and what it hits without need. Every pattern is linear in the text: runs are possessive (`++`) or bounded, because
log text is hostile. What an assignment hides is decided by its name (`_is_secret`) and its value (`_is_ordinary`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

MASK = "***"

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
    words = [word.lower() for word in _WORDS.findall(name)]
    lowered = name.lower()
    if not any(hint in lowered for hint in _NAME_HINTS):
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


def _mask_assignments(text: str, head: re.Pattern[str], tail: re.Pattern[str]) -> str:
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
# how a name and its value meet: (head, value)
_ASSIGNMENTS = tuple(
    (re.compile(head), re.compile(value))
    for head, value in (
        (r"[?&;](?P<name>[\w.-]++)=", r"(?P<quoted>(?!))?(?P<bare>[^\s&'\"<>]++)"),  # in a URL
        (
            r"%22(?P<name>[A-Za-z_.-]++)%22(?:%20|\+){0,3}%3A(?:%20|\+){0,3}%22",  # in an encoded connection's extra
            r"(?P<quoted>(?!))?(?P<bare>(?:(?!%22)[^\s&]){1,2048}+)",
        ),
        (
            r"(?<![\w.-])(?P<name>(?:(?i:api|secret|access|private|account|auth|signing|shared) (?=(?i:key)))?[\w.-]++)"
            r"\\{0,15}[\"']?[ \t]{0,3}(?:=>|:=|==|[=:])[ \t]{0,3}(?:[bruf](?=[\"']))?",
            rf"{_QUOTED}|{_BARE}",
        ),
        (
            r"(?<![\w-])--(?P<name>[\w-]++)[\"']?,?[ \t]{1,3}(?!-)",  # an option, also in a list of arguments
            rf"{_QUOTED}|(?P<bare>[^\s\"'-][^\s\"']++)",
        ),
        (
            r"\([\"'](?P<name>[\w.-]++)[\"'],[ \t]{0,3}",
            rf"(?:{_QUOTED})(?=\))(?P<bare>)",
        ),  # a pair: ('password', 'x')
        (  # a variable of a container, also printed over two lines
            r"\b(?i:name)\\{0,15}[\"']?[ \t]{0,3}[:=][ \t]{0,3}\\{0,15}[\"']?(?P<name>[\w.-]++)\\{0,15}[\"']?,?(?:\s|\\{1,3}n){1,200}"
            r"\\{0,15}[\"']?(?i:value)\\{0,15}[\"']?[ \t]{0,3}[:=][ \t]{0,3}",
            rf"{_QUOTED}|{_BARE}",
        ),
    )
)
_SIGNED = (
    r"([?&](?:x-amz-signature|x-amz-credential|x-amz-security-token|x-goog-signature|x-goog-credential|signature|sig|"
    r"code|key)=)(?!\*)[^&\s'\"<>]{6,}+"
)
# prefixes that issuers chose so that a scanner can know their keys
_KNOWN = r"(?<![A-Za-z0-9])(?:" + "|".join(
    (
        r"(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?:[\s:,/'\"]{1,4}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+]))?",  # AWS id and key
        r"AIza[\w-]{35}", r"ya29\.[\w-]{20,}+", r"1//0[\w-]{20,}+", r"GOCSPX-[\w-]{20,}+",  # Google
        r"gh[pousr]_[A-Za-z0-9]{16,}+", r"github_pat_\w{20,}+",  # GitHub
        r"gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[\w-]{16,}+",  # GitLab
        r"xox[a-z]-[\w-]{10,}+", r"xapp-[\w-]{10,}+",  # Slack
        r"[srp]k_(?:live|test)_\w{8,}+", r"whsec_\w{16,}+",  # Stripe
        r"sk-(?:proj|ant|svcacct|admin|or)-[\w-]{16,}+", r"sk-[A-Za-z0-9]{20,}+", r"hf_[A-Za-z0-9]{20,}+",  # models
        r"npm_[A-Za-z0-9]{20,}+", r"pypi-[\w-]{30,}+", r"dckr_pat_[\w-]{20,}+",  # registries
        r"(?:dapi|dkea|dose)[0-9a-f]{32}(?:-\d)?", r"dbt[cu]_[\w-]{20,}+", r"ver:\d-hint:\d+-[\w+/=-]{20,}+",  # Databricks, dbt, Snowflake
        r"[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{31,34}", r"[A-Za-z0-9+/]{86}==",  # Azure: client secret, account key
        r"hv[sbr]\.[\w-]{20,}+", r"SG\.[\w-]{16,}+\.[\w-]{16,}+", r"dop_v1_[0-9a-f]{64}", r"gAAAAA[\w-]{50,}+=*+",
        r"glsa_\w{20,}+", r"ATATT3[\w=-]{20,}+", r"shp(?:at|ca|pa|ss)_[0-9a-f]{32}", r"lin_api_\w{20,}+",
    )
) + ")"  # fmt: skip
_KNOWN_HINTS = (
    "akia asia abia acca aiza ya29. 1//0 gocspx- ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- glrt- glrtr- glcbt- glptt- glft- glimt- glagent- gloas- glsoat- glffct- glwt- xox xapp- k_live_ k_test_ "
    "whsec_ sk- hf_ npm_ pypi- dckr_pat_ dapi dkea dose dbtc_ dbtu_ -hint: 8q~ == hvs. hvb. hvr. sg. dop_v1_ gaaaaa glsa_ atatt3 "
    "shpat_ shpca_ shppa_ shpss_ lin_api_"
).split()
_NAME_HINTS = (
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
_BODY = r"(?m)^(?=[^\n]{0,76}[A-Z])(?=[^\n]{0,76}[g-z])[A-Za-z0-9+/]{60,76}={0,2}$"

# (cheap literals of which one must occur in the lower-cased text, or none to look always; expression; replacement)
_PATTERNS: tuple[tuple[Sequence[str], re.Pattern[str], str], ...] = tuple(
    (hints, re.compile(pattern), replacement)
    for hints, pattern, replacement in (
        (
            ("-----begin",),
            r"(?s)-----BEGIN [A-Z0-9 ]{0,40}(?:PRIVATE KEY|CERTIFICATE)[A-Z0-9 ]{0,20}-----"
            r"(?:(?!-----END ).)*+(?:-----END [A-Z0-9 ]{0,60}-----)?",
            "-----BEGIN *** END-----",
        ),
        (("eyj",), r"(?<![\w-])eyJ[\w-]{6,}+(?:\.[\w-]{0,8192}+){1,4}", MASK),
        (
            ("://",),  # odd characters stand unescaped in real URLs: the last @ before a blank ends the password
            r"(?<=://)([^\s:/@'\"]{0,64}):(?!\d{1,5}(?:[/?#]|$))([^\s'\"<>]{1,128})@(?=[\w.\[-]|/)",
            r"\1:***@",
        ),
        (("://",), r"(?<=://)[0-9a-fA-F]{32}(?=@)", MASK),
        (
            ("authorization",),
            r"(?i)((?<![\w.])[\w-]{0,20}authorization\\?[\"']?[ \t]{0,3}[:=][ \t]{0,3}b?\\?[\"']?)(?![\"'\s*{\[(]|none\b|null\b|[\w-]{1,20}[ \t]\*)"
            r"((?:bearer|basic|token|apikey|api-key|digest|negotiate|snowflake|aws4-hmac-sha256)[ \t]{1,3})?"
            r"(?:(?<=[ \t])[^\n\"'\\]{6,4096}+|[^\s\"',\\]{6,4096}+(?![ \t][a-z]{2}))",
            r"\1\2***",
        ),
        (
            ("cookie",),
            r"(?i)((?<![\w-])(?:set-)?cookie\\?[\"']?[ \t]{0,3}:[ \t]{0,3}\\?[\"']?)[\w.-]{1,64}=[^\n\"'\\]{1,4096}+",
            r"\1***",
        ),
        (
            ("bearer", "basic"),
            r"\b((?i:bearer|basic))([ \t]{1,3})(?=[\w.~+/-]{0,512}(?:\d|=|[a-z][A-Z])|[\w.~+/-]{32})[\w.~+/-]{8,}+=*+",
            r"\1\2***",
        ),
        (("signature=", "credential=", "token=", "sig=", "code=", "key="), f"(?i){_SIGNED}", r"\1***"),
        (("aws4-", "signature="), r"(?i)(\bsignature=)[0-9a-f]{40,}+", r"\1***"),
        (
            ("identified by", "password"),
            r"(?i)\b(identified[ ]by|password)([ \t]{1,3}(?:is[ \t]|was[ \t])?)('[^'\n]{1,256}'|\"[^\"\n]{1,256}\")",
            r"\1\2'***'",
        ),
        (("curl", "wget", "http"), r"((?<![\w-])(?:-u(?!rl)[= ]{0,2}|--user[= ]{1,2})[\"']?[^\s:\"']{1,64}:)[^\s\"']{1,256}", r"\1***"),
        (
            ("sqlplus", "sqlldr", "expdp", "impdp", "oracle:thin:"),
            r"(?i)((?:(?:sqlplus|sqlldr|expdp|impdp)[ \t]{1,3}(?:-\w{1,9}[ \t]{1,3}){0,3}|oracle:thin:)[\w.$#]{1,64}/)[^\s@/]{1,128}(?=@)",
            r"\1***",
        ),
        (("sshpass",), r"(?i)(\bsshpass[ \t]{1,3}-p[ \t]{0,3})(?:'[^'\n]{1,256}'|\"[^\"\n]{1,256}\"|[^\s'\"]{1,256})", r"\1***"),
        (("mysql", "mariadb"), r"(\b(?:mysql|mariadb)[\w-]{0,20}[ \t](?:[^\n|;]{0,200}?[ \t])?-p)(?=[^\s'\"]{0,127}[\d\W_A-Z])[^\s'\"]{4,128}", r"\1***"),
        (("secret '",), r"(?i)(\bsecret[ \t]{1,3})'[^'\n]{4,256}'(?=[ \t]{0,3}[,)])", r"\1'***'"),  # in SQL
        (("fernet",), r"(?<![\w=/+-])[\w-]{43}=(?![\w=])", MASK),
        (("webhook", "hooks."), r"(?<=://)((?:hooks\.slack\.com/(?:services|workflows)|[\w.-]{0,60}webhook\.office\.com/webhookb2|"
         r"(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks)/)[\w/@-]{10,}+", r"\1***"),
        (_KNOWN_HINTS, _KNOWN, MASK),
        ((), _BODY, MASK),  # one line of a key printed line by line
    )
)  # fmt: skip


# a key block; an AWS id, whose key may follow on the next line
_OVER_LINES = ("-----begin", "akia", "asia", "abia", "acca")
_NAME_ALONE = re.compile(
    r"(?i)\bname[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?[\w.-]++[\"']?,?\s*\Z"
)  # its value stands on the next line
_USER_OPTION = next(pattern for hints, pattern, _to in _PATTERNS if "curl" in hints)


def _gates() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """All hints by a character that their secrets hold and most lines lack: its absence spares the hints behind it."""
    told = {hint for hints, _pattern, _to in _PATTERNS if "curl" not in hints for hint in hints} | {
        *_NAME_HINTS
    }
    told = {hint for hint in told if not any(other in hint for other in told - {hint})}
    gates: dict[str, list[str]] = {}
    for hint in sorted(told):
        rare = next((c for c in "~/:=-_." if c in hint), {"xox": "-", "eyj": "."}.get(hint, ""))
        gates.setdefault(rare, []).append(hint)
    return tuple((rare, tuple(hints)) for rare, hints in gates.items())


_GATES = _gates()


def _may_hold(lowered: str) -> bool:
    """Whether any pattern that has a hint may match, or a key's line stands alone."""
    for rare, hints in _GATES:
        if rare in lowered:
            for hint in hints:
                if hint in lowered:
                    return True
    return len(lowered) >= 60 and " " not in lowered


def redact(text: str) -> str:
    """`text` with the secrets of the list masked; text without any comes back unchanged.

    Line by line, since the lines of tracebacks repeat by the thousand; whole where a secret may reach over a line's end.
    """
    lines = text.split("\n")
    if len(text) <= _SHORT or max(map(len, lines)) <= _SHORT:
        done = [*map(_seen, lines)]
    else:
        done = [_seen(line) if len(line) <= _SHORT else _redact_line(line) for line in lines]
    if None in done:
        return _redact(text)
    return text if done == lines else "\n".join(done)  # type: ignore[arg-type]


def _redact_line(line: str) -> str | None:
    """One line masked; None where only the whole text can tell, as with `-u user:password`, whose command may stand
    on another line."""
    lowered = line.lower()
    if "-u" in lowered and _USER_OPTION.search(line):
        return None
    if not _may_hold(lowered):
        return line
    if any(hint in lowered for hint in _OVER_LINES) or _NAME_ALONE.search(line):
        return None
    return _redact(line)


_SHORT = 1000  # characters; longer lines are not kept (some 30 MB at most)
_seen = lru_cache(maxsize=16384)(_redact_line)


def _redact(text: str) -> str:
    """Any text, by the hints that occur anywhere in it."""
    lowered = text.lower()
    for hints, pattern, replacement in _PATTERNS:
        if not hints or any(hint in lowered for hint in hints):
            text = pattern.sub(replacement, text)
    if any(hint in lowered for hint in _NAME_HINTS):
        for head, value in _ASSIGNMENTS:
            text = _mask_assignments(text, head, value)
    return text


_SHARPER = {"sk-": r"(?:^|[^a-z0-9])sk-"}  # task-1 is no key
_NAMED = "|".join(map(re.escape, _NAME_HINTS))
ANCHORS = "|".join(
    (
        *(_SHARPER.get(hint, re.escape(hint)) for hints, *_ in _PATTERNS for hint in hints),
        rf"(?:{_NAMED})[^\s=:\"']*(?:[\"']?[ \t]*[=:]|%3A)",
        rf"(?:{_NAMED})[^\s=:\"']*[\"']?(?:,|(?:\s|\\\\+n)+[\\\\\"']*value)",
        rf"--\S*(?:{_NAMED})",
        r"[A-Za-z0-9+/]{60}",
    )
)
"""Without regard to case: what every text holds that `redact` changes. In the syntax of automata, for whole columns."""
