"""Slack, SES and files against servers that are real and that fail in turn."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.deliver.made import deployment
from tests.deliver.test_mail import send
from tests.report.made import WEEK, finding
from tests.support.object_server import Fault, ObjectServer, Request
from tests.support.servers import Hook, Mailbox, aws_server, free_port, mail_server, webhook
from windsock import archive
from windsock.errors import DeliveryError
from windsock.pull import open_lake

SLACK = "[deliver.slack]\nwebhook_env = 'HOOK'\n"
SECRET_PATH = "/services/T000/B000/FAKEfakeFAKE"


def hook_url(port: int) -> dict[str, str]:
    return {"HOOK": f"http://127.0.0.1:{port}{SECRET_PATH}"}


def test_slack_gets_the_verdict_and_the_actions(tmp_path: Path) -> None:
    hook = Hook()
    with webhook(hook) as port:
        send([deployment(tmp_path, SLACK, environ=hook_url(port))])
    (body,) = (json.loads(one) for one in hook.bodies)
    assert hook.paths == [SECRET_PATH]
    assert body["blocks"][0]["text"]["text"] == "Airflow prod, week 47: worse. 1 other problem"
    assert "orders: 22 of 56 runs failed" in body["blocks"][2]["text"]["text"]


def test_slack_is_tried_again_while_it_says_later(tmp_path: Path) -> None:
    hook = Hook(answers=[429, 503, 500])
    with webhook(hook) as port:
        send([deployment(tmp_path, SLACK, environ=hook_url(port))])
    assert len(hook.paths) == 4
    assert len(hook.bodies) == 1


@pytest.mark.parametrize("status", [302, 400, 403, 404, 410])
def test_slack_that_says_no_is_asked_once(tmp_path: Path, status: int) -> None:
    hook = Hook(answers=[status])
    with webhook(hook) as port, pytest.raises(DeliveryError, match=f"Slack answered {status}"):
        send([deployment(tmp_path, SLACK, environ=hook_url(port))])
    assert hook.paths == [SECRET_PATH]


def test_slack_that_hangs_up_may_have_heard(tmp_path: Path) -> None:
    hook = Hook(answers=[0])
    with webhook(hook) as port:
        config = deployment(tmp_path, SLACK, environ=hook_url(port))
        for _ in range(2):
            with pytest.raises(DeliveryError):
                send([config])
    assert len(hook.bodies) == 1


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:{port}/services/FAKEsecret", "ftp://h/FAKEsecret", "http://[::1/FAKEsecret",
     "http://h h/FAKEsecret", "http://127.0.0.1:{port}/FAKEsecret two", "FAKEsecret"],
)  # fmt: skip
def test_the_webhook_is_in_no_error(tmp_path: Path, url: str) -> None:
    environ = {"HOOK": url.format(port=free_port())}
    config = deployment(tmp_path, SLACK, environ=environ)
    with pytest.raises(DeliveryError) as caught:
        send([config])
    assert "FAKE" not in str(caught.value)
    assert "FAKE" not in "".join(send([config], dry_run=True))
    assert "\n" not in str(caught.value)


def test_a_failed_target_is_named_and_does_not_stop_the_others(tmp_path: Path) -> None:
    hook, box = Hook(answers=[404]), Mailbox()
    with webhook(hook) as port, mail_server(box) as smtp:
        table = (
            f"[deliver.email]\nto = ['ops@example.com']\nsmtp_host = '127.0.0.1'\nsmtp_port = {smtp}\n{SLACK}"
            "[deliver.files]\nurl = 'shared'\n"
        )
        config = deployment(tmp_path, table, environ=hook_url(port))
        with pytest.raises(DeliveryError, match=r"^not delivered: slack: Slack answered 404") as caught:
            send([config])
        assert "sent email to ops@example.com" in str(caught.value)
        assert (tmp_path / "shared/prod/latest/report.html").is_file()
        lines = send([config])  # only Slack is left
    assert len(box.envelopes) == 1
    assert len(hook.bodies) == 1
    assert sum("was sent before" in line for line in lines) == 2


def test_what_was_delivered_is_kept_in_the_lake(tmp_path: Path) -> None:
    config = deployment(tmp_path, "[deliver.files]\nurl = 'shared'\n")
    send([config])
    kept = archive.delivered(open_lake(config).store, WEEK)
    assert kept == json.loads((config.out / str(WEEK) / "report.json").read_text())


def test_files_list_the_weeks_and_latest_stays_the_newest(tmp_path: Path) -> None:
    config = deployment(tmp_path, "[deliver.files]\nurl = 'shared'\n")
    shared = tmp_path / "shared/prod"
    shared.mkdir(parents=True)
    newer = {"week": "2026-W48", "verdict": "same", "verdict_sentence": "Same as before.", "revised": False}
    (shared / "weeks.json").write_text(json.dumps([newer, {"week": "2026-W40"}, "junk"]))
    send([config])
    assert [one["week"] for one in json.loads((shared / "weeks.json").read_text())] == [
        "2026-W48",
        "2026-W47",
    ]
    assert "2026-W47/report.html" in (shared / "index.html").read_text()
    assert (shared / "2026-W47/report.html").is_file()
    assert not (shared / "latest").exists()


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    told = {"AWS_ACCESS_KEY_ID": "fake", "AWS_SECRET_ACCESS_KEY": "fake", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": ""}  # fmt: skip
    before = {name: os.environ.get(name) for name in told}
    os.environ |= told
    with aws_server() as endpoint:
        os.environ["AWS_ENDPOINT_URL"] = endpoint
        yield endpoint
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def test_files_in_a_bucket_carry_their_content_types(tmp_path: Path, aws: str) -> None:
    client: Any = boto3.client("s3", endpoint_url=aws)
    client.create_bucket(Bucket="reports")
    send([deployment(tmp_path, "[deliver.files]\nurl = 's3://reports/airflow'\n")])
    types = {
        name: client.head_object(Bucket="reports", Key=f"airflow/prod/{name}")["ContentType"]
        for name in ("index.html", "latest/report.html", "2026-W47/email.txt", "2026-W47/report.json")
    }
    assert types == {
        "index.html": "text/html; charset=utf-8",
        "latest/report.html": "text/html; charset=utf-8",
        "2026-W47/email.txt": "text/plain; charset=utf-8",
        "2026-W47/report.json": "application/json",
    }


def test_files_reach_google_cloud_storage_and_are_written_over(tmp_path: Path) -> None:
    with ObjectServer() as server:
        server.bucket("reports")
        more = f"[storage.gcs]\nbase_url = '{server.url}'\nanonymous = true\n"
        config = deployment(tmp_path, "[deliver.files]\nurl = 'gs://reports/airflow'\n", more=more)
        send([config])
        first = server.keys("reports", prefix="", after="")
        send([config], again=True)
        assert server.keys("reports", prefix="", after="") == first
    names = ("report.html", "report.json", "email.html", "email.txt")
    assert {f"airflow/prod/{place}/{name}" for place in ("2026-W47", "latest") for name in names} <= set(
        first
    )


def test_ses_sends_the_same_message(tmp_path: Path, aws: str) -> None:
    client: Any = boto3.client("sesv2", endpoint_url=aws)
    client.create_email_identity(EmailIdentity="bot@example.com")
    table = "[deliver.email]\nto = ['ops@example.com']\nfrom = 'bot@example.com'\nses = true\n"
    config = deployment(tmp_path, table, findings=[finding()])
    assert send([config])[0].startswith("sent email to ops@example.com by Amazon SES")
    import urllib.request

    told = json.loads(urllib.request.urlopen(f"{aws}/moto-api/data.json").read())
    text = json.dumps(told["ses"])
    assert "Airflow prod, week 47: worse" in text
    assert "multipart/alternative" in text
    assert "was sent before" in send([config])[0]


def test_ses_that_refuses_is_told_in_one_line(tmp_path: Path, aws: str) -> None:
    table = "[deliver.email]\nto = ['ops@example.com']\nfrom = 'unknown@nowhere.example'\nses = true\n"
    with pytest.raises(DeliveryError, match="SES: ") as caught:
        send([deployment(tmp_path, table)])
    assert "\n" not in str(caught.value)


def test_ses_that_cannot_be_reached_is_told_in_one_line(
    tmp_path: Path, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    table = "[deliver.email]\nto = ['ops@example.com']\nfrom = 'bot@example.com'\nses = true\n"
    with pytest.raises(DeliveryError, match="check AWS credentials and region"):
        send([deployment(tmp_path, table)])


@contextmanager
def ses_that_answers(answers: list[tuple[int, str]]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that speaks the wire of SES v2: these (status, error type) in turn, then a message id."""
    taken: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, error = answers.pop(0) if answers else (200, "")
            told = {"message": "FAKE says no"} if error else {"MessageId": "fake-1"}
            if not error:
                taken.append(body)
            data = json.dumps(told).encode()
            self.send_response(status)
            if error:
                self.send_header("x-amzn-ErrorType", error)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", taken
    finally:
        server.shutdown()
        server.server_close()


SES = "[deliver.email]\nto = ['ops@example.com']\nfrom = 'bot@example.com'\nses = true\n"


def test_ses_is_tried_again_while_it_throttles(
    tmp_path: Path, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = [(429, "TooManyRequestsException"), (503, "ServiceUnavailable"), (500, "InternalFailure")]
    with ses_that_answers(later) as (url, taken):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        config = deployment(tmp_path, SES)
        assert send([config])[0].startswith("sent email")
        assert "was sent before" in send([config])[0]
    assert len(taken) == 1
    assert later == []


def test_ses_that_says_no_is_asked_once_and_does_not_stop_the_others(
    tmp_path: Path, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [(400, "MessageRejected"), (400, "MessageRejected")]
    with ses_that_answers(answers) as (url, taken):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        config = deployment(tmp_path, f"{SES}[deliver.files]\nurl = 'shared'\n")
        with pytest.raises(DeliveryError, match="email: SES: MessageRejected: FAKE says no"):
            send([config])
        assert taken == []
    assert len(answers) == 1
    assert (tmp_path / "shared/prod/latest/report.html").is_file()


def test_a_bucket_that_is_busy_is_written_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "FAKE")
    refused = []

    def busy(one: Request) -> Fault | None:
        if one.method == "PUT" and len(refused) < 2:
            refused.append(one.key)
            return Fault("status", 503)
        return None

    with ObjectServer(on_request=busy) as server:
        server.bucket("reports")
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        send([deployment(tmp_path, "[deliver.files]\nurl = 's3://reports/airflow'\n")])
        written = server.keys("reports", prefix="", after="")
    assert len(refused) == 2
    assert {f"airflow/prod/latest/{name}" for name in ("report.html", "report.json", "email.txt")} <= set(
        written
    )


def test_a_bucket_that_refuses_is_named_and_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "FAKE")
    denied = Fault("status", 403)
    with ObjectServer(on_request=lambda one: denied if one.method == "PUT" else None) as server:
        server.bucket("reports")
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        config = deployment(tmp_path, "[deliver.files]\nurl = 's3://reports/airflow'\n")
        with pytest.raises(DeliveryError, match=r"files: s3://reports/airflow: access denied"):
            send([config])
        assert server.keys("reports", prefix="", after="") == []
