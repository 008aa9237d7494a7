"""The script that people write: boto3 from 16 threads, `json.loads` per line, one Parquet file of attempts.

It does less than a pull: no endings but the level of a line, no redaction, no signatures, no ledger, no partitions.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.config import Config

THREADS = 16


def read(client: Any, bucket: str, key: str) -> dict[str, Any]:
    """One attempt."""
    first = last = message = None
    levels = {"warning": 0, "error": 0, "critical": 0}
    count = 0
    for line in client.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines():
        record = json.loads(line)
        first, last = first or record["timestamp"], record["timestamp"]
        count += 1
        if record["level"] in levels:
            levels[record["level"]] += 1
            for detail in record.get("error_detail") or ():
                message = f"{detail['exc_type']}: {detail['exc_value']}"
    return {"key": key, "first": first, "last": last, "records": count, "message": message, **levels}


def main(url: str, bucket: str, out: str) -> None:
    """List, read, write."""
    client = boto3.client("s3", endpoint_url=url, config=Config(max_pool_connections=THREADS))
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
    with ThreadPoolExecutor(THREADS) as pool:
        rows = list(pool.map(lambda key: read(client, bucket, key), keys))
    pq.write_table(pa.Table.from_pylist(rows), out)


if __name__ == "__main__":
    main(*sys.argv[1:])
