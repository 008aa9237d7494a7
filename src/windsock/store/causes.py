"""Why a store says no, from what it answers: the few causes that a user can mend, each with its mend.

Codes: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, cloud.google.com/storage/docs/xml-api/reference-status.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """`reason` is the reject's short code where one object has it, empty where it is the whole store's."""

    name: str
    pattern: re.Pattern[str]
    what: str
    mend: str
    reason: str = ""


def _cause(name: str, pattern: str, what: str, mend: str, reason: str = "") -> Cause:
    return Cause(name, re.compile(pattern, re.IGNORECASE), what, mend, reason)


CAUSES: tuple[Cause, ...] = (
    # in this order: an answer about a key or an archive also says 403 or AccessDenied
    _cause(
        "archived", r"InvalidObjectState|not valid for the object's storage class",
        "lies in archive storage (Glacier)",
        "restore it (`aws s3api restore-object`), or archive logs later than they are read: the first pull goes back eight weeks",
        "archived",
    ),
    _cause(
        "key", r"\bkms:|KMS\.\w+|cryptoKeyEncrypterDecrypter|cloudkms\.",
        "is encrypted with a key that these credentials may not use",
        "allow kms:Decrypt on the bucket's key (Google: roles/cloudkms.cryptoKeyEncrypterDecrypter); a lake needs kms:GenerateDataKey too",
        "key_denied",
    ),
    _cause(
        "expired", r"ExpiredToken|token.{0,30} expired|expired.{0,30} token|TokenRefreshRequired",
        "the credentials have expired",
        "renew them (`aws sso login`, `gcloud auth application-default login`); under cron use a role or a service account, which renew themselves",
    ),
    _cause(
        "clock", r"RequestTimeTooSkewed|RequestExpired|Invalid JWT.{0,80}(?:short-lived|timeframe)",
        "this machine's clock differs too much from the store's",
        "set this machine's clock (chrony or systemd-timesyncd)",
    ),
    _cause(
        "credentials", r"InvalidAccessKeyId|SignatureDoesNotMatch|InvalidClientTokenId|invalid_grant",
        "the credentials are not known there",
        "check which are used (`aws sts get-caller-identity`, `gcloud auth list`): the key or its secret is wrong, or is another account's",
    ),
    _cause(
        "region", r"PermanentRedirect|AuthorizationHeaderMalformed|redirect without LOCATION|incorrectly configured region|BucketRegionError"
        r"|IllegalLocationConstraint",
        "the bucket is in another region",
        "set [storage.s3] region to the bucket's (`aws s3api get-bucket-location`)",
    ),
)  # fmt: skip
_EXPECTED_REGION = re.compile(r"expecting '([a-z0-9-]{4,30})'|<Region>([a-z0-9-]{4,30})</Region>")


def cause_of(text: str) -> Cause | None:
    """The cause behind an error's text, where it is one of those a user can mend."""
    return next((one for one in CAUSES if one.pattern.search(text)), None)


def told(cause: Cause, url: str, text: str) -> str:
    """One line: what, where, how to mend. A region that the store names is named."""
    region = _EXPECTED_REGION.search(text) if cause.name == "region" else None
    mend = f'set [storage.s3] region = "{region[1] or region[2]}"' if region else cause.mend
    return f"{url}: {cause.what}; {mend}"
