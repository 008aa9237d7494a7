"""Secrets that are known by their own shape: keys with an issuer's prefix, headers, URLs, command lines, blocks of keys."""

from __future__ import annotations

import re
from collections.abc import Sequence

from windsock.redaction.mask import MASK

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
_BODY = r"(?m)^(?=[^\n]{0,76}[A-Z])(?=[^\n]{0,76}[g-z])[A-Za-z0-9+/]{60,76}={0,2}$"

# (cheap literals of which one must occur in the lower-cased text, or none to look always; expression; replacement)
PATTERNS: tuple[tuple[Sequence[str], re.Pattern[str], str], ...] = tuple(
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
