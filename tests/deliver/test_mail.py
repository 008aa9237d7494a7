"""Mail against a real SMTP server: TLS, login, refusals, crashes; to all recipients or to none, and never twice."""

import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.deliver.made import deployment
from tests.deliver.made import email as email_table
from tests.report.made import WEEK, finding
from tests.support.servers import Mailbox, free_port, mail_server, self_signed
from windsock.config import Config
from windsock.errors import ConfigError, DeliveryError
from windsock.publish import dispatch
from windsock.pull import open_lake

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
PASSWORD = "correct horse FAKE"
SECRET = {"USER": "robot", "PASS": PASSWORD}
LOGIN = "username_env = 'USER'\npassword_env = 'PASS'\n"


def send(configs: list[Config], *, again: bool = False, dry_run: bool = False) -> list[str]:
    """As `windsock send`, without waiting between tries."""
    return dispatch.send(
        configs, week=WEEK, now=NOW, sleep=lambda _: None, lake_of=lambda one: open_lake(one).store,
        again=again, dry_run=dry_run,
    )  # fmt: skip


def received(box: Mailbox) -> list[EmailMessage]:
    made = []
    for one in box.envelopes:
        assert isinstance(one.content, bytes)
        message = email.message_from_bytes(one.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        made.append(message)
    return made


def test_a_mail_has_two_parts_and_the_headers_that_mail_programs_sort_by(tmp_path: Path) -> None:
    box = Mailbox()
    with mail_server(box) as port:
        send([deployment(tmp_path, email_table(port, more="from = 'Windsock <bot@example.com>'\n"))])
    (message,) = received(box)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert message["Subject"] == "Airflow prod, week 47: worse. 1 other problem"
    assert message["Date"].datetime == NOW
    assert message["Message-ID"].endswith("@example.com>")
    assert message["List-Id"] == "windsock weekly report <windsock.example.com>"
    plain, rich = (part.get_content() for part in message.iter_parts())
    out = tmp_path / "out/prod" / str(WEEK)
    assert plain.replace("\r\n", "\n") == (out / "email.txt").read_text()
    assert rich.replace("\r\n", "\n").rstrip("\n") == (out / "email.html").read_text()
    assert b"\n" not in (box.envelopes[0].content or b"").replace(b"\r\n", b"")  # type: ignore[operator,union-attr]


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "tls"])
def test_login_over_tls_with_a_certificate_of_our_own(tmp_path: Path, implicit: bool) -> None:
    certificate = self_signed(tmp_path)
    box = Mailbox(password=PASSWORD)
    kind = "tls" if implicit else "starttls"
    more = f"{kind} = true\nca_file = '{certificate[0]}'\n{LOGIN}"
    with mail_server(box, certificate=certificate, implicit=implicit) as port:
        send([deployment(tmp_path, email_table(port, more=more), environ=SECRET)])
    assert len(box.envelopes) == 1
    assert box.encrypted == [True]


def test_a_certificate_that_nobody_trusts_stops_the_mail(tmp_path: Path) -> None:
    box = Mailbox(password=PASSWORD)
    more = f"starttls = true\n{LOGIN}"
    with (
        mail_server(box, certificate=self_signed(tmp_path)) as port,
        pytest.raises(DeliveryError, match="certificate"),
    ):
        send([deployment(tmp_path, email_table(port, more=more), environ=SECRET)])
    assert box.envelopes == []


@pytest.mark.parametrize("password", ["wrong FAKE", "wröng FAKE", "x"])
def test_a_wrong_password_is_told_without_the_password(tmp_path: Path, password: str) -> None:
    certificate = self_signed(tmp_path)
    more = f"starttls = true\nca_file = '{certificate[0]}'\n{LOGIN}"
    config_of = {"USER": "robot", "PASS": password}
    with (
        mail_server(Mailbox(password=PASSWORD), certificate=certificate) as port,
        pytest.raises(DeliveryError) as caught,
    ):
        send([deployment(tmp_path, email_table(port, more=more), environ=config_of)])
    assert "FAKE" not in str(caught.value)
    assert "check [deliver.email]" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_password_is_never_sent_in_the_clear(tmp_path: Path) -> None:
    table = "[deliver.email]\nto = ['a@example.com']\nsmtp_host = 'mail.example.com'\n" + LOGIN
    with pytest.raises(ConfigError, match="in the clear"):
        deployment(tmp_path, table, environ=SECRET)


def test_a_passing_failure_is_tried_again(tmp_path: Path) -> None:
    box = Mailbox(data_answers=["451 try later", "452 disk full"])
    with mail_server(box) as port:
        send([deployment(tmp_path, email_table(port))])
    assert len(box.envelopes) == 1


def test_one_refused_recipient_means_that_nobody_is_sent_anything(tmp_path: Path) -> None:
    box = Mailbox(rcpt_answers={"gone@example.com": "550 no such user"})
    with mail_server(box) as port:
        config = deployment(tmp_path, email_table(port, to="ops@example.com', 'gone@example.com"))
        with pytest.raises(
            DeliveryError, match=r"refused gone@example.com \(550 no such user\); nobody was sent"
        ):
            send([config])
        assert box.envelopes == []
        box.rcpt_answers.clear()
        send([config])
    assert [one.rcpt_tos for one in box.envelopes] == [["ops@example.com", "gone@example.com"]]


def test_a_week_is_sent_once_unless_again(tmp_path: Path) -> None:
    box = Mailbox()
    with mail_server(box) as port:
        config = deployment(tmp_path, email_table(port))
        assert send([config])[0].startswith("sent email to ops@example.com")
        assert "was sent before" in send([config])[0]
        assert len(box.envelopes) == 1
        send([config], again=True)
    assert len(box.envelopes) == 2


def test_receipts_outlast_the_machine(tmp_path: Path) -> None:
    box = Mailbox()
    with mail_server(box) as port:
        send([deployment(tmp_path, email_table(port))])
        (tmp_path / "out").rename(tmp_path / "lost")
        other = deployment(tmp_path, email_table(port))  # the same lake, written anew elsewhere
        assert "was sent before" in send([other])[0]
    assert len(box.envelopes) == 1


def test_a_connection_lost_after_the_message_was_handed_over_is_not_tried_again(tmp_path: Path) -> None:
    box = Mailbox(drop_after_data=True)
    with mail_server(box) as port:
        config = deployment(tmp_path, email_table(port))
        with pytest.raises(DeliveryError, match="while the message was handed over"):
            send([config])
        assert len(box.envelopes) == 1
        with pytest.raises(
            DeliveryError, match=r"its end is not known; see whether it arrived: if not, --again"
        ):
            send([config])
        assert len(box.envelopes) == 1
        box.drop_after_data = False
        send([config], again=True)
    assert len(box.envelopes) == 2


def test_a_failed_again_leaves_the_old_receipt(tmp_path: Path) -> None:
    box = Mailbox()
    with mail_server(box) as port:
        config = deployment(tmp_path, email_table(port))
        send([config])
    with pytest.raises(DeliveryError):
        send([config], again=True)
    assert "was sent before" in send([config])[0]


def test_several_deployments_are_one_mail_worst_first(tmp_path: Path) -> None:
    box = Mailbox()
    with mail_server(box) as port:
        fine = deployment(tmp_path, email_table(port), name="alpha", findings=[])
        bad = deployment(tmp_path, email_table(port), name="beta")
        send([fine, bad])
        (message,) = received(box)
        assert message["Subject"] == "Airflow beta, alpha, week 47: beta worse, alpha same"
        text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        assert text.index("Airflow beta, week") < text.index("Airflow alpha, week")
        late = deployment(tmp_path, email_table(port), name="gamma")
        lines = send([fine, bad, late])
    assert sum("was sent before" in line for line in lines) == 2
    assert "Airflow gamma, week 47" in received(box)[1]["Subject"]


def test_one_deployment_without_a_report_does_not_stop_the_other(tmp_path: Path) -> None:
    box = Mailbox()
    with mail_server(box) as port:
        ready = deployment(tmp_path, email_table(port), name="alpha")
        missing = deployment(tmp_path, email_table(port), name="beta")
        (missing.out / str(WEEK) / "report.json").unlink()
        with pytest.raises(
            DeliveryError, match=r"no finished report of week 2026-W47; run `windsock report beta\.toml"
        ):
            send([missing, ready])
    assert len(box.envelopes) == 1


def test_owners_with_an_address_get_their_slice_and_nothing_else(tmp_path: Path) -> None:
    box = Mailbox()
    findings = [finding(dag_id="finance_a"), finding(dag_id="ops_b"), finding(dag_id="team_c")]
    owner_of = {"finance_a": "finance@example.com", "ops_b": "ops@example.com", "team_c": "Team C"}
    with mail_server(box) as port:
        send([deployment(tmp_path, email_table(port), findings=findings, owner_of=owner_of)])
    assert [one.rcpt_tos for one in box.envelopes] == [["ops@example.com"], ["finance@example.com"]]
    mine = received(box)[1]
    text = mine.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert mine["Subject"] == "Airflow prod, week 47: 1 finding concerns you"
    assert "finance_a: 22 of 56 runs failed" in text
    assert "ops_b" not in text


def test_an_owner_whose_findings_are_accepted_or_better_hears_nothing(tmp_path: Path) -> None:
    box = Mailbox()
    findings = [finding("WS601", "finance_a", severity="info")]
    with mail_server(box) as port:
        config = deployment(
            tmp_path, email_table(port), findings=findings, owner_of={"finance_a": "finance@example.com"}
        )
        send([config])
    assert [one.rcpt_tos for one in box.envelopes] == [["ops@example.com"]]


def test_a_dry_run_shows_what_would_go_where_and_sends_nothing(tmp_path: Path) -> None:
    port = free_port()  # nobody listens
    config = deployment(
        tmp_path,
        email_table(port) + "[deliver.files]\nurl = 'shared'\n",
        owner_of={"orders": "o@example.com"},
    )
    shown = send([config], dry_run=True)
    assert [line.split("\n")[0][:40] for line in shown] == [
        "would send email to ops@example.com by 1",
        "would send email to o@example.com by 127",
        f"would send files to {tmp_path}/shared"[:40],
    ]
    mail = (config.out / str(WEEK) / "email.txt").read_text()
    assert all(f"    {line}" in shown[0] for line in mail.rstrip("\n").split("\n"))
    assert not (tmp_path / "shared").exists()
    assert not (tmp_path / "lake-prod/_windsock/receipts").exists()


@pytest.mark.parametrize("address", ["no address", "a@example.com\\nBcc: evil@example.com", ""])
def test_what_is_no_address_is_told_and_not_sent(tmp_path: Path, address: str) -> None:
    table = f'[deliver.email]\nto = ["{address}"]\nsmtp_host = "127.0.0.1"\n'
    box = Mailbox()
    with mail_server(box) as port:
        config = deployment(tmp_path, f"{table}smtp_port = {port}\n")
        with pytest.raises(DeliveryError, match="no mail address"):
            send([config])
    assert box.envelopes == []
