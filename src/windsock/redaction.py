"""Secrets leave log text before anything is stored. One list of patterns, reviewed here, applied in bulk.

Airflow's own masker knows only the values of connections and variables that the task loaded (facts of real runs):
literal keys in exception texts, URLs with passwords and `api_key=` parameters pass it.
Key shapes: AWS IAM "Identifiers" guide, Google API key format, GitHub token formats (2021), Slack token types,
Stripe key prefixes, RFC 7519 (JWT), RFC 7468 (PEM), RFC 6750 (bearer), SigV4 and GCS signed URL parameters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MASK = "***"
_NAME = r"[\w.-]*(?:password|passwd|passphrase|secret|token|api_?key|apikey|access_?key|private_?key|credential|authorization)[\w.-]*"

# (cheap literals of which one must occur in the lower-cased text, expression, replacement)
_PATTERNS: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = tuple(
    (hints, re.compile(pattern, flags), replacement)
    for hints, pattern, flags, replacement in (
        (
            ("-----begin",),
            r"-----BEGIN [A-Z0-9 ]*(?:PRIVATE KEY|CERTIFICATE)[A-Z0-9 ]*-----.*?(?:-----END [A-Z0-9 ]*-----|\Z)",
            re.DOTALL,
            "-----BEGIN *** END-----",
        ),
        (("eyj",), r"\beyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?", 0, MASK),
        (("://",), r"(?<=://)([^\s:/@'\"]{0,256}):([^\s@/'\"]{1,256})@", 0, r"\1:***@"),
        (
            ("bearer", "basic"),
            r"\b(bearer|basic)(\s+)(?=[\w.~+/=-]*[0-9A-Z=+/])[\w.~+/-]{8,}=*",
            re.IGNORECASE,
            r"\1\2***",
        ),
        (
            ("signature=", "credential=", "token=", "sig="),
            r"([?&](?:x-amz-signature|x-amz-credential|x-amz-security-token|x-goog-signature|x-goog-credential|"
            r"signature|sig|token|access_token)=)[^&\s'\"<>]+",
            re.IGNORECASE,
            r"\1***",
        ),
        (
            ("passw", "passphrase", "secret", "token", "key", "credential", "authorization"),
            rf"((?<![\w.-]){_NAME}[\"']?\s{{0,3}}(?:=|:|=>)\s{{0,3}})"
            r"(\"(?:[^\"\\\n]|\\.){3,512}\"|'(?:[^'\\\n]|\\.){3,512}'|(?![\"'*\[{(<])[^\s,;&'\"()\[\]{}<>]{6,512})",
            re.IGNORECASE,
            r"\1***",
        ),
        (("akia", "asia"), r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", 0, MASK),
        (("aiza",), r"\bAIza[\w-]{35}", 0, MASK),
        (("ya29.",), r"\bya29\.[\w-]{20,}", 0, MASK),
        (("gh", "github_pat_"), r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})", 0, MASK),
        (("glpat-",), r"\bglpat-[\w-]{16,}", 0, MASK),
        (
            ("xox", "hooks.slack.com"),
            r"\bxox[abeoprs]-[\w-]{10,}|(?<=hooks\.slack\.com/services/)[\w/]{10,}",
            0,
            MASK,
        ),
        (("_live_", "_test_"), r"\b[srp]k_(?:live|test)_\w{8,}", 0, MASK),
        (("sk-",), r"\bsk-[\w-]{24,}", 0, MASK),
    )
)


def redact(text: str) -> str:
    """`text` with the secrets of the list masked; text without any comes back unchanged."""
    lowered = text.lower()
    for hints, pattern, replacement in _PATTERNS:
        if any(hint in lowered for hint in hints):
            text = pattern.sub(replacement, text)
    return text


def redact_many(texts: Sequence[str | None]) -> list[str | None]:
    """The same for a column; each distinct text is looked at once."""
    done = {text: redact(text) for text in set(texts) if text is not None}
    return [None if text is None else done[text] for text in texts]
