"""The rights that docs/permissions.md asks for are enough, on servers that enforce them."""

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
import requests

from tests.support import serialized_dags
from tests.support.postgres import READER, Postgres, postgres
from tests.support.servers import aws_server
from windsock import config as configs
from windsock import pipeline
from windsock.errors import WindsockError
from windsock.output import Output
from windsock.sources.airflow_db import open_db
from windsock.week import Week

ROOT = Path(__file__).parents[1]
DOC = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 25, tzinfo=UTC)
LOGS, LAKE = "acme-airflow-logs", "acme-windsock"


def block(name: str) -> str:
    found = re.search(rf"^```\w+ {name}\n(.*?)^```", DOC, re.DOTALL | re.MULTILINE)
    assert found, name
    return found[1]


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with aws_server() as endpoint:
        yield endpoint


def user_with(endpoint: str, policies: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Become a user that has these policies and nothing else; from here on the server refuses what they do not allow."""
    asked = {"endpoint_url": endpoint, "aws_access_key_id": "FAKE", "aws_secret_access_key": "FAKE"}
    iam, s3 = boto3.client("iam", **asked), boto3.client("s3", **asked)
    for bucket in (LOGS, LAKE):
        s3.create_bucket(Bucket=bucket)
    sample = ROOT / "data" / "sample" / "real"
    for path in sorted(sample.rglob("attempt=1.log"))[:5]:
        s3.put_object(Bucket=LOGS, Key=f"prod/{path.relative_to(sample)}", Body=path.read_bytes())
    run = "dag_id=pay/run_id=manual__2026-11-24T00:00:00+00:00/task_id=t/attempt=1.log"
    s3.put_object(Bucket=LOGS, Key=f"payroll/{run}", Body=b"not for windsock")
    iam.create_user(UserName="windsock")
    for number, policy in enumerate(policies):
        told = json.loads(policy)
        for statement in told["Statement"]:
            # moto does not know s3:prefix, and refuses what it does not know
            statement.pop("Condition", None)
            # moto asks for this right on the bucket, AWS on each key
            if "s3:DeleteObject" in statement["Action"]:
                statement["Resource"] = [statement["Resource"], statement["Resource"].partition("/")[0]]
        iam.put_user_policy(UserName="windsock", PolicyName=f"p{number}", PolicyDocument=json.dumps(told))
    key = iam.create_access_key(UserName="windsock")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    requests.post(f"{endpoint}/moto-api/reset-auth", data=b"0", timeout=10)


def pipeline_of(folder: Path, endpoint: str, logs: str = f"s3://{LOGS}/prod") -> configs.Config:
    path = folder / "prod.toml"
    path.write_text(
        f"[deployment]\nname = 'prod'\n[sources.task_logs]\nurl = '{logs}'\n[storage.s3]\nendpoint_url = '{endpoint}'\n"
        f"region = 'us-east-1'\n[lake]\nurl = 's3://{LAKE}/lake'\n"
    )
    return configs.load(path, {})


def test_both_policies_let_a_pull_read_logs_and_write_the_lake(
    moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_with(moto, [block("s3-read"), block("s3-lake")], monkeypatch)
    pulled = pipeline.pull(
        pipeline_of(tmp_path, moto), now=NOW, week=Week.of(NOW), output=Output(level=0), full=True
    )
    assert (pulled.read, pulled.rejected) == (5, 0)
    closed = pipeline_of(tmp_path, moto, f"s3://{LOGS}/payroll")  # the server does enforce
    pulled = pipeline.pull(closed, now=NOW, week=Week.of(NOW), output=Output(level=0), full=True)
    assert dict(pulled.reasons) == {"forbidden": 1}


def test_without_the_policy_of_the_lake_nothing_is_written(
    moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_with(moto, [block("s3-read")], monkeypatch)
    with pytest.raises(WindsockError):
        pipeline.pull(pipeline_of(tmp_path, moto), now=NOW, week=Week.of(NOW), output=Output(level=0))


def test_every_block_of_json_is_a_policy() -> None:
    for name in ("s3-read", "s3-lake", "ses-send"):
        policy = json.loads(block(name))
        assert policy["Version"] == "2012-10-17"
        assert "*" not in {one["Resource"] for one in policy["Statement"]}


def test_the_proxy_lets_pass_every_path_that_is_asked_and_no_other() -> None:
    pattern = re.search(r"location ~ (\S+) ", block("prometheus-proxy"))
    asked = re.findall(r'"(/api/v1/\w+)"', (ROOT / "src/windsock/sources/prometheus.py").read_text())
    assert pattern and len(set(asked)) == 3
    assert all(re.search(pattern[1], path) for path in asked)
    assert not any(
        re.search(pattern[1], f"/api/v1/{path}") for path in ("admin/tsdb/delete_series", "write", "targets")
    )


def test_the_role_has_every_right_of_the_table_and_only_reads() -> None:
    """Names of `airflow/security/permissions.py` of 2.11.2."""
    table = set(re.findall(r"^\| can read on ([^|]+?)(?: \(3\.x\)|, and [^|]+)? \|", DOC, re.MULTILINE))
    rights = {name.strip() for names in table for name in names.split(",")}
    words = shlex.split(block("airflow-role").replace("\\\n", ""))
    role = words[words.index("-r") + 1 : words.index("airflow", words.index("-r"))]
    assert set(role) == rights - {"DAG Versions"}
    assert words[words.index("-a") + 1] == "can_read"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    if shutil.which("su") is None:
        pytest.skip("PostgreSQL refuses to run as root, and there is no `su`")
    with postgres() as found:
        yield found


@pytest.mark.parametrize("major", [2, 3])
def test_the_columns_named_are_enough_for_serialised_dags(server: Postgres, major: int) -> None:
    server.create("columns", major)
    (row, *_) = serialized_dags.rows(major, packed=True)
    serialized_dags.insert(server, "columns", major, row)
    of_all, of_3 = re.findall(r"`((?:\w+, )+\w+)`", DOC.split("may be granted alone")[1])
    granted = of_all + (f", {of_3}" if major == 3 else "")
    server.sql(
        "columns",
        f"revoke select on serialized_dag from {READER}; grant select ({granted}) on serialized_dag to {READER}",
    )
    database = open_db(server.url("columns", READER))
    assert [one["data_compressed"] for one in database.serialized_dags(1_000_000)] == [row["data_compressed"]]
    assert database.gaps == []
    database.close()


@pytest.mark.parametrize("major", [2, 3])
def test_the_grants_are_enough_for_the_database(server: Postgres, major: int) -> None:
    server.create("meta", major)
    for row in serialized_dags.rows(major, packed=False):
        serialized_dags.insert(server, "meta", major, row)
    server.sql("postgres", "drop role if exists windsock")
    grants = block("airflow-db").split("-- Airflow 3")[0] if major == 2 else block("airflow-db")
    server.sql("meta", grants)
    database = open_db(server.url("meta", "windsock"))
    try:
        tries = list(database.tries(datetime(2026, 1, 1, tzinfo=UTC), None))
        assert len(tries) > 100
        for told in (database.pools(), database.import_errors(), database.dags(), database.dag_versions()):
            list(told)
        assert {one["dag_id"] for one in database.serialized_dags(1_000_000)} == serialized_dags.truth(
            major
        ).keys()
        assert list(database.pools())
        assert database.gaps == []
    finally:
        database.close()
        server.sql("meta", "drop owned by windsock; drop role windsock")
