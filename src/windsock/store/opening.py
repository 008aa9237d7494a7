"""From an address to a store: schemes, endpoints, credentials."""

from __future__ import annotations

import json
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from obstore.store import AzureStore, GCSStore, S3Store

from windsock.errors import ConfigError, SourceError
from windsock.store.base import Storage, Store
from windsock.store.local import LocalStore
from windsock.store.remote import Client, RemoteStore

RETRY: Any = {
    "max_retries": 4,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
}
# read_timeout is the longest silence; timeout bounds a whole request, a slow upload of 64 MB included
CLIENT: Any = {
    "timeout": timedelta(minutes=5),
    "read_timeout": timedelta(seconds=15),
    "connect_timeout": timedelta(seconds=5),
}
BOTO_TRIES, BOTO_CONNECT_S, BOTO_READ_S = 4, 5, 15
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")


def open_store(url: str, storage: Storage | None = None) -> Store:
    """Open `s3://`, `gs://`, `az://`, `file://` or a plain path. `az://` comes with obstore and is untested."""
    storage = storage or Storage()
    parts = urlsplit(url) if _SCHEME.match(url) else None
    if parts is None or parts.scheme == "file":
        return LocalStore(Path(unquote(parts.path) if parts else url).absolute())
    bucket, prefix = parts.netloc, url.split("://", 1)[1].partition("/")[2].strip("/")
    if not bucket:
        raise ConfigError(f"{url}: names no bucket; write {parts.scheme}://bucket/prefix")
    if parts.scheme in ("s3", "s3a", "s3n"):
        return RemoteStore(f"s3://{bucket}", prefix, _s3(bucket, storage), boto3=lambda: _boto3(storage))
    if parts.scheme in ("gs", "gcs"):
        return RemoteStore(f"gs://{bucket}", prefix, _gcs(bucket, storage))
    if parts.scheme in ("az", "abfs", "abfss"):
        store = AzureStore(bucket, client_options=CLIENT, retry_config=RETRY)
        return RemoteStore(f"az://{bucket}", prefix, store)
    raise ConfigError(f"{url}: unknown scheme {parts.scheme}://; use s3://, gs://, az://, file:// or a path")


def _s3(bucket: str, storage: Storage) -> Any:
    """boto3 finds credentials as everywhere else (environment, profile, role); obstore does the reading."""
    from obstore.auth.boto3 import Boto3CredentialProvider

    session, endpoint = _session(storage), _endpoint(storage)
    if session.get_credentials() is None:
        raise SourceError(
            f"s3://{bucket}: no AWS credentials; set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or run where a role is attached"
        )
    options: dict[str, Any] = {"region": session.region_name or "us-east-1"}
    if endpoint:
        options["endpoint"] = endpoint
    client: Any = {**CLIENT, "allow_http": bool(endpoint and endpoint.startswith("http://"))}
    return S3Store(
        bucket,
        credential_provider=Boto3CredentialProvider(session),
        client_options=client,
        retry_config=RETRY,
        **options,
    )


def _session(storage: Storage) -> Any:
    import boto3
    from botocore.exceptions import ProfileNotFound

    try:
        return boto3.Session(profile_name=storage.s3_profile, region_name=storage.s3_region)
    except ProfileNotFound as error:
        raise SourceError(f"[storage.s3] profile: {error}; run `aws configure list-profiles`") from None


def _endpoint(storage: Storage) -> str | None:
    return (
        storage.s3_endpoint_url or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    )


def _boto3(storage: Storage) -> Client:
    from botocore.config import Config

    config = Config(
        connect_timeout=BOTO_CONNECT_S,
        read_timeout=BOTO_READ_S,
        retries={"mode": "standard", "total_max_attempts": BOTO_TRIES},
    )
    client: Client = _session(storage).client("s3", endpoint_url=_endpoint(storage), config=config)
    return client


def _gcs(bucket: str, storage: Storage) -> Any:
    if not storage.gcs_base_url:
        public: Any = {"skip_signature": True} if storage.gcs_anonymous else {}
        return GCSStore(bucket, client_options=CLIENT, retry_config=RETRY, **public)
    # obstore has no endpoint for GCS; a service account that names the base URL is the documented way
    account = {
        "gcs_base_url": storage.gcs_base_url, "disable_oauth": storage.gcs_anonymous,
        "client_email": "", "private_key": "", "private_key_id": "",
    }  # fmt: skip
    client: Any = {**CLIENT, "allow_http": storage.gcs_base_url.startswith("http://")}
    return GCSStore(
        bucket, service_account_key=json.dumps(account), client_options=client, retry_config=RETRY
    )
