"""One Airflow as its REST API shows it. Entries come as the API gives them; what it will not tell is a named gap."""

from __future__ import annotations

import itertools
import re
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from windsock.errors import SourceError
from windsock.sources.airflow_api.auth import Credentials
from windsock.sources.airflow_api.client import TIMEOUT_S, Client, Refused
from windsock.sources.airflow_api.endpoints import ENDPOINTS
from windsock.sources.airflow_api.paging import pages
from windsock.sources.airflow_gaps import LOSES, Gap

THREADS = 4
"""Requests at once for the tries of single instances: an API server is shared with people."""
DAGS_AT_ONCE, FAILED_DAGS = 32, 5
"""DAGs whose answers are held at a time; how many of them may fail before the rest is left alone."""
UPDATED_AT_SINCE, TRIES_SINCE, EVENT_FILTER_SINCE = (2, 6), (2, 10), (2, 9)
"""Versions from which lists can be asked by `updated_at`, earlier tries are kept, and the audit log can be asked by time."""
_API_PATH = re.compile(r"/api/v[12]/?\Z|/home/?\Z")
_VERSION = re.compile(r"(\d+)\.(\d+)")
Told = tuple[dict[str, Any], list[dict[str, Any]]]
"""A DAG's details, and its tasks."""


def open_api(
    url: str,
    credentials: Credentials,
    *,
    timeout_s: float = TIMEOUT_S,
    sleep: Callable[[float], None] = time.sleep,
) -> AirflowApi:
    """Find out which version of the API answers at `url`, and be let in. Raises `SourceError` in one line."""
    if not url.startswith(("http://", "https://")):
        raise SourceError(f"[sources.airflow_api] url {url!r}: give an http:// or https:// address")
    base = _API_PATH.sub("", url.rstrip("/"))
    statuses = {}
    for api in (2, 1):
        client = Client(base, credentials, timeout_s=timeout_s, sleep=sleep)
        asker = client
        if api == 2 and not (credentials.token or credentials.token_command):
            client.ask_for_tokens()
            asker = Client(base, Credentials(), timeout_s=timeout_s, sleep=sleep)
        try:
            told = asker.get(f"/api/v{api}/version")
        except Refused as error:
            statuses[api] = error.status
            continue
        version = told.get("version") if isinstance(told, dict) else None
        client.served_at = asker.served_at
        found = AirflowApi(client, api=api, version=version if isinstance(version, str) else "")
        found.check_credentials()
        return found
    if any(status in (401, 403) for status in statuses.values()):
        raise SourceError(
            f"{base}: refuses these credentials ({statuses[2]}); is the token right, and has it not ended?"
        )
    raise SourceError(f"{base}: has neither /api/v2 nor /api/v1; give Airflow's own address")


class AirflowApi:
    """What windsock asks an API for. The names of entries are those of the API."""

    source = "api"
    window = timedelta(days=1)
    """Lists are asked for in windows of this length: deep offsets cost the server dearly."""

    def __init__(self, client: Client, *, api: int, version: str) -> None:
        self._client, self.api, self.version_text = client, api, version
        match = _VERSION.match(version)
        self.version = (int(match[1]), int(match[2])) if match else ((2, 0) if api == 1 else (3, 0))
        self.address = f"api:{client.base}"
        self.gaps: list[Gap] = []

    @property
    def requests(self) -> int:
        """Requests made so far."""
        return self._client.requests

    def close(self) -> None:
        """Nothing is held open between requests."""

    def clock(self, now: datetime) -> datetime:
        """The server's own time, or ours where it does not say."""
        return self._client.served_at or now

    def check_credentials(self) -> None:
        """One small request that every role may make. Wrong credentials are 401, or 403 with 2.x basic auth."""
        statuses = []
        for kind in ("dags", "tries", "pools"):
            try:
                self._get(ENDPOINTS[kind].paths[self.api], {"limit": 1})
                return
            except Refused as error:
                statuses.append(error.status)
                if error.status == 401:
                    break
                if error.status != 403:
                    return
        if not self._client.credentials.is_password and statuses[-1] == 401:
            hint = "the token is wrong, or has ended; set token_env or token_command anew"
        elif self._client.credentials.is_password:
            hint = "user name or password is wrong, or the user has no role; role Viewer is enough"
        else:
            hint = "the token belongs to nobody with a role; role Viewer is enough"
        raise SourceError(f"{self._client.base}: refuses these credentials ({statuses[-1]}): {hint}")

    def tries(self, from_at: datetime, until_at: datetime | None) -> Iterator[dict[str, Any]]:
        """Task instances that changed in a time, each with its earlier tries (`is_history`)."""
        for page in self._changed("tries", from_at, until_at):
            yield from page
            yield from self._earlier(page)

    def open_tries(self, states: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        """Task instances in one of `states`."""
        for page in self._list("tries", {"state": list(states)}):
            yield from page

    def runs(self, from_at: datetime, until_at: datetime | None) -> Iterator[dict[str, Any]]:
        """DAG runs that changed in a time."""
        for page in self._changed("runs", from_at, until_at):
            yield from page

    def events(
        self, names: tuple[str, ...], from_at: datetime, until_at: datetime | None
    ) -> Iterator[dict[str, Any]]:
        """Entries of the audit log by their event."""
        if self.version < EVENT_FILTER_SINCE:
            self._gap("events", "GET /eventLogs", "Airflow before 2.9 cannot give its audit log by time")
            return
        # one list of names: v1 takes it as one text, v2 name by name
        asked = {"included_events": ",".join(names) if self.api == 1 else list(names), "after": _iso(from_at)}
        for page in self._list("events", asked | ({"before": _iso(until_at)} if until_at else {})):
            yield from page

    def pools(self) -> Iterator[dict[str, Any]]:
        """Pools with their slots as they are now."""
        yield from self._all("pools")

    def import_errors(self) -> Iterator[dict[str, Any]]:
        """Import errors as they are now."""
        yield from self._all("import_errors")

    def dags(self) -> Iterator[dict[str, Any]]:
        """DAGs with the duration of their last parse (3.x)."""
        yield from self._all("dags")

    def dag_versions(self) -> Iterator[dict[str, Any]]:
        """All versions of all DAGs (3.x); 2.x keeps none."""
        yield from self._all("dag_versions")

    def dag_warnings(self) -> Iterator[dict[str, Any]]:
        """What Airflow warns of in DAG files (3.x)."""
        yield from self._all("dag_warnings")

    def serialized_dags(self, max_bytes: int) -> Iterator[dict[str, Any]]:
        """The API shows none."""
        return iter(())

    def open_runs(self, most: int) -> Iterator[dict[str, Any]]:
        """DAG runs that are queued or running, `most` of them."""
        pages_of = self._list("runs", {"state": ["queued", "running"]})
        yield from itertools.islice(itertools.chain.from_iterable(pages_of), most)

    def make_up(self, dag_ids: Sequence[str]) -> Iterator[tuple[str, Told | None]]:
        """Each DAG's details and tasks, in this order; None for one that is gone, or that this server cannot show.

        One DAG that always answers 500 must not end a pull, nor cost it minutes: it is asked twice, and where several in a row
        fail the others are left for the next pull."""
        failed = 0
        with ThreadPoolExecutor(THREADS, thread_name_prefix="dags") as pool:
            for start in range(0, len(dag_ids), DAGS_AT_ONCE):
                part = dag_ids[start : start + DAGS_AT_ONCE]
                for dag_id, (told, why) in zip(part, pool.map(self._make_up_of, part), strict=True):
                    if isinstance(why, Refused):
                        if why.status != 404:  # the DAG is gone since it was listed
                            self._refused("makeup", "GET /dags/{dag_id}/tasks", why, ENDPOINTS["tries"].right)
                            return
                    elif why is not None:
                        failed += 1
                        self._gap(
                            "makeup", "GET /dags/{dag_id}/tasks", f"of {dag_id}, and maybe others: {why}"
                        )
                        if failed >= FAILED_DAGS:
                            return
                    yield dag_id, told

    def _make_up_of(self, dag_id: str) -> tuple[Told | None, Refused | SourceError | None]:
        path = f"/api/v{self.api}/dags/{urllib.parse.quote(dag_id, safe='')}"
        try:
            details = self._client.get(f"{path}/details", attempts=2)
            tasks = self._client.get(f"{path}/tasks", attempts=2)
        except (Refused, SourceError) as error:
            return None, error
        found = tasks.get("tasks") if isinstance(tasks, dict) else None
        if not isinstance(details, dict) or not isinstance(found, list):
            return None, SourceError("answered without tasks")
        return (details, [one for one in found if isinstance(one, dict)]), None

    def providers(self) -> Iterator[dict[str, Any]]:
        """Installed providers with their versions, as the API server has them."""
        yield from self._all("providers")

    def settings(self) -> dict[str, Any]:
        """The configuration as far as Airflow exposes it; empty where it does not."""
        return self._one(
            "settings", "/config", "[webserver] expose_config (3.x: [api]) = non-sensitive-only, and role Op"
        )

    def health(self) -> dict[str, Any]:
        """Status of the components."""
        return self._one("health", "/monitor/health" if self.api == 2 else None, "")

    def _all(self, kind: str) -> Iterator[dict[str, Any]]:
        for page in self._list(kind, {}):
            yield from page

    def _changed(
        self, kind: str, from_at: datetime, until_at: datetime | None
    ) -> Iterator[list[dict[str, Any]]]:
        """By `updated_at`; before 2.6 by the end, and what has not ended is asked for by its state (`open_tries`)."""
        if self.version >= UPDATED_AT_SINCE:
            yield from self._list(kind, _between("updated_at", from_at, until_at))
            return
        yield from self._list(kind, _between("end_date", from_at, until_at))
        if kind == "runs" and until_at is None:
            yield from self._list(kind, {"state": ["queued", "running"]})

    def _list(self, kind: str, params: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """All pages of a list, in a stable order where this version can give one; a refusal is a gap."""
        endpoint = ENDPOINTS[kind]
        path = endpoint.path(self.api)
        if path is None:
            return
        order = {"order_by": name} if (name := endpoint.order_by.get(self.api)) else {}
        for sorting in (order, {}) if order else ({},):
            try:
                yield from pages(self._client, f"/api/v{self.api}{path}", endpoint.key, {**params, **sorting})
                return
            except Refused as error:
                if error.status == 400 and sorting:
                    continue  # an older version without this order
                self._refused(kind, f"GET {path}", error, endpoint.right)
                return

    def _earlier(self, page: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The earlier tries of the instances of a page that had some."""
        again = [one for one in page if isinstance(one.get("try_number"), int) and one["try_number"] > 1]
        if not again or self.version < TRIES_SINCE:
            return
        with ThreadPoolExecutor(THREADS, thread_name_prefix="tries") as pool:
            for instance, told in zip(again, pool.map(self._tries_of, again), strict=True):
                for one in told:
                    # the instance itself tells its last try better: `up_for_retry` is `failed` there
                    if one.get("try_number") != instance["try_number"]:
                        yield {"run_after": instance.get("run_after"), "logical_date": instance.get("logical_date"),
                               "execution_date": instance.get("execution_date"), **one, "is_history": True}  # fmt: skip

    def _tries_of(self, instance: Mapping[str, Any]) -> list[dict[str, Any]]:
        words = [str(instance.get(name)) for name in ("dag_id", "dag_run_id", "task_id")]
        dag, run, task = (urllib.parse.quote(word, safe="") for word in words)
        index = instance.get("map_index")
        mapped = f"/{index}" if isinstance(index, int) and index >= 0 else ""
        path = f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}{mapped}/tries"
        try:
            told = self._get(path, {})
        except Refused as error:
            if error.status != 404:  # the instance is gone since it was listed
                self._refused("tries", "GET …/taskInstances/{task}/tries", error, ENDPOINTS["tries"].right)
            return []
        found = told.get("task_instances") if isinstance(told, dict) else None
        return [one for one in found or () if isinstance(one, dict)]

    def _one(self, kind: str, path: str | None, right: str) -> dict[str, Any]:
        try:
            told = self._get(path or "/health", {})
        except Refused as error:
            self._refused(kind, f"GET {path or '/health'}", error, right)
            return {}
        return told if isinstance(told, dict) else {}

    def _get(self, path: str, params: Mapping[str, Any]) -> Any:
        return self._client.get(f"/api/v{self.api}{path}", params)

    def _refused(self, kind: str, what: str, error: Refused, right: str) -> None:
        if error.status == 401:
            raise SourceError(
                f"{self._client.base}{error.path}: the credentials ended while it was read (401); set token_command, "
                "which gives a fresh one each time"
            )
        told = f"answered {error.status}" + (f" ({error.detail})" if error.detail else "")
        self._gap(kind, what, f"{told}; it needs {right}" if right and error.status == 403 else told)

    def _gap(self, kind: str, what: str, why: str) -> None:
        if not any(gap.what == what for gap in self.gaps):
            self.gaps.append(Gap(what, why, LOSES[kind]))


def _between(name: str, from_at: datetime, until_at: datetime | None) -> dict[str, str]:
    """Both ends belong to it in the API; ours leaves the end out."""
    params = {f"{name}_gte": _iso(from_at)}
    if until_at is not None:
        params[f"{name}_lte"] = _iso(until_at - timedelta(microseconds=1))
    return params


def _iso(at: datetime) -> str:
    return at.isoformat()
