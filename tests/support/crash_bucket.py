"""As `crash`, with the lake in a bucket: a pull gets SIGKILL before or after its n-th writing request, or after a time.

`python -m tests.support.crash_bucket FOLDER FIRST_SEED COUNT` forks one child per seed; the S3 server is a process of its
own (`serve`) that kills: it sees each request, and is told whom and when by requests to its bucket `control`.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import windsock.pipeline as pipeline
from tests.support import crash, lakes
from tests.support.object_server import Fault, ObjectServer, Request
from windsock import config as configs
from windsock.lake import Lake
from windsock.output import Output
from windsock.store import Storage, open_store

ROOT = Path(__file__).parents[2]
WRITING = ("PUT", "POST", "DELETE")
RENEW_S, EXPIRE_S = 0.2, 1.0
"""A killed holder's lock is taken over after a second here, not after a minute."""


def serve() -> None:
    """The store, until its standard input ends. It counts the writes to each bucket, and kills at the wanted one."""
    wanted: dict[str, tuple[int, int, str]] = {}
    counts: dict[str, int] = {}

    def on_request(one: Request) -> Fault | None:
        command, *told = one.key.split("/") if one.bucket == "control" else ("",)
        if command == "copy":
            with server.lock:
                for key, stored in list(server.bucket(told[0]).items()):
                    server.put(told[1], key, stored.data, modified_at=stored.modified_at)
                server.bucket(told[1])
        elif command == "count":
            return Fault("status", status=200, message=f"={counts.get(told[0], 0)}=")
        elif command == "kill":
            wanted[told[0]], counts[told[0]] = (int(told[1]), int(told[2]), told[3]), 0
        elif one.method in WRITING:
            counts[one.bucket] = counts.get(one.bucket, 0) + 1
            fire(one, "before")
        return None

    def fire(one: Request, when: str) -> None:
        pid, count, at = wanted.get(one.bucket, (0, 0, ""))
        if pid and at == when and counts[one.bucket] >= count:
            del wanted[one.bucket]
            os.kill(pid, signal.SIGKILL)

    with ObjectServer() as server:
        server.on_request = on_request
        server.after_write = lambda one: fire(one, "after")
        server.bucket("control")
        print(server.url, flush=True)
        sys.stdin.read()


@contextmanager
def served() -> Iterator[str]:
    """The address of a fresh store."""
    command = [sys.executable, "-m", "tests.support.crash_bucket", "serve"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


def tell(url: str, command: str) -> str:
    """An instruction to the server, and its answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request("PUT", f"/control/{command}", body=b"")
    answer = connection.getresponse().read().decode()
    connection.close()
    return answer


def pull(folder: Path, url: str, bucket: str) -> None:
    home = folder / f"{bucket}.toml"
    home.write_text(
        f"[deployment]\nname='prod'\n[sources.task_logs]\nurl='file://{folder}/logs'\n"
        f"[storage.s3]\nendpoint_url='{url}'\n[lake]\nurl='s3://{bucket}/lake'\n"
    )
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache" / bucket)
    Lake.open.__func__.__kwdefaults__.update(renew_s=RENEW_S, expire_s=EXPIRE_S)  # type: ignore[attr-defined]
    pipeline.pull(configs.load(home, {}), now=crash.NOW, week=crash.WEEK, output=Output(level=0), full=True)


def dump(folder: Path, url: str, bucket: str) -> Path:
    """The lake of a bucket as a folder."""
    store = open_store(f"s3://{bucket}/lake", Storage(s3_endpoint_url=url))
    root = folder / "dumps" / bucket
    subprocess.run(["rm", "-rf", str(root)], check=True)
    for obj in store.list():
        path = root / obj.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.get(obj.path))
    return root


def make(folder: Path, url: str) -> None:
    """Before, after, and what undisturbed pulls make of it: buckets `before`, `expected`, `fresh`."""
    for state in (0, 1):
        crash.write_sources(folder / f"logs{state}", 0)
    crash.write_sources(folder / "logs1", 1)
    (folder / "logs").symlink_to(folder / "logs0")
    tell(url, "copy/nothing/before")
    assert crash.forked(partial(pull, folder, url, "before")) == 0
    (folder / "logs").unlink()
    (folder / "logs").symlink_to(folder / "logs1")
    tell(url, "copy/before/expected")
    tell(url, "copy/nothing/fresh")
    for bucket in ("expected", "fresh"):
        assert crash.forked(partial(pull, folder, url, bucket)) == 0


def assert_sound(folder: Path, url: str, bucket: str) -> None:
    told = crash.broken(dump(folder, url, bucket))
    assert told == "", told


def assert_healed(folder: Path, url: str, bucket: str, expected: str) -> None:
    found, wanted = dump(folder, url, bucket), dump(folder, url, expected)
    # rows, not files: in a bucket an emptied file stays
    assert lakes.dump(found) == lakes.dump(wanted), "the healed lake differs from an undisturbed one"
    assert not list(found.glob("_windsock/intent-*")), "an intent is left"


def run_seed(folder: Path, url: str, seed: int, writes: int) -> tuple[str, int]:
    """One or two kills, then an undisturbed pull: what went wrong (empty: nothing), and how many kills fell."""
    rng = random.Random(seed)
    bucket, start = f"seed{seed}", "before" if rng.random() < 0.8 else "nothing"
    tell(url, f"copy/{start}/{bucket}")
    kills = 0
    for _ in range(rng.choice((1, 1, 2))):
        count, when = rng.randint(1, writes), rng.choice(("before", "after"))

        def doomed(count: int = count, when: str = when) -> None:
            tell(url, f"kill/{bucket}/{os.getpid()}/{count}/{when}")
            pull(folder, url, bucket)

        kills += crash.forked(doomed) == -signal.SIGKILL
        if crash.forked(partial(assert_sound, folder, url, bucket)) != 0:
            return "a reader after the kill sees it wrong", kills
    tell(url, f"kill/{bucket}/0/0/never")
    if crash.forked(partial(pull, folder, url, bucket)) != 0:
        return "the next pull failed", kills
    expected = "expected" if start == "before" else "fresh"
    healed = crash.forked(partial(assert_healed, folder, url, bucket, expected))
    return "" if healed == 0 else "the healed lake differs from an undisturbed one", kills


def run(folder: Path, first: int, count: int) -> dict[str, object]:
    """All seeds: what went wrong, one line each; how many kills fell; how many writes an undisturbed pull makes."""
    with served() as url:
        make(folder, url)
        writes = int(tell(url, "count/expected").split("<Message>=")[1].split("=")[0])
        told = {seed: run_seed(folder, url, seed, writes) for seed in range(first, first + count)}
    wrong = [f"seed {seed}: {why}" for seed, (why, _kills) in told.items() if why]
    return {"wrong": wrong, "kills": sum(kills for _why, kills in told.values()), "writes": writes}


if __name__ == "__main__":
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "FAKE", "AWS_SECRET_ACCESS_KEY": "FAKE", "AWS_EC2_METADATA_DISABLED": "true"
    }  # fmt: skip
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        found = run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
        print(json.dumps(found))
        sys.exit(bool(found["wrong"]))
