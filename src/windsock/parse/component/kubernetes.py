"""What the KubernetesExecutor tells of worker pods that failed: a pod that is killed uploads no log of its task.

Texts of kubernetes_executor.py (e) and kubernetes_executor_utils.py (u) in apache-airflow-providers-cncf-kubernetes 8.4.2,
10.1.0, 10.12.0 and 10.25.0, and of Airflow 2.3.4, compared logging call by logging call; no run of ours has shown them:

- `Task … failed in pod …. Pod phase: …`, `(no details available)`: e, 10.12 and newer (`ns/pod`).
- `[Try n of m] Pod … failed before the task process started`: e, 10.25.
- `Event: … has container … with fatal reason …`: u, 8.4 and newer; with `, task: …` from 10.12 on.
- `Event: … failed to start with reason ProviderFailed`, `Event: … Failed`: u, all; `, task: …` from 10.12 on.
- `Event: Failed to start pod …`, `Event: Pod … deleted before it could complete`: u, all.
- `Pod "…" has been pending for longer than …`: e of Airflow 2.3 only.
- `[Try n of m] Kube ApiException for Task: (…)`, `Pod creation failed with reason …`, `Pod Mutation Hook failed …`, `Invalid
  executor_config for …`, `Pod reconciliation failed, …`: e, 8.4 and newer.
- `[Try n of m] Transient connection error creating pod for Task …`, `Connection error creating pod, retries exhausted`: e, 10.25.
- `TaskInstance: … found in queued state but was not launched, rescheduling`: e, to 10.1 (since then the scheduler's own
  `stuck in queued` tells it).
"""

from __future__ import annotations

import ast
import re

from windsock.parse.component.facts import Facts
from windsock.parse.component.ids import Who, from_names, from_repr
from windsock.parse.component.records import Told
from windsock.parse.component.told_fields import number

_DETAILS = re.compile(
    r"Task (?P<key>.+?) failed in pod (?P<pod>\S+?)\. Pod phase: (?P<phase>[^,]*), reason: (?P<reason>[^,]*), "
    r"message: (?P<message>.*?), container_type: [^,]*, container_name: (?P<container>[^,]*), container_state: [^,]*, "
    r"container_reason: (?P<container_reason>[^,]*), container_message: (?P<container_message>.*?), "
    r"exit_code: (?P<code>-?\d{1,9}|None)",
    re.DOTALL,
)
_NO_DETAILS = re.compile(r"Task (?P<key>.+?) failed in pod (?P<pod>\S+) \(no details available\)", re.DOTALL)
_REQUEUED = re.compile(
    r"\[Try \d+ of -?\d+\] Pod (?P<pod>\S+) for task (?P<key>.+?) failed before the task process started "
    r"\(container_reason: (?P<reason>[^)]*)\)",
    re.DOTALL,
)
_FATAL = re.compile(
    r"Event: (?P<pod>\S+) has container (?P<container>\S+) with fatal reason (?P<reason>[\w-]+)(?:, task: (?P<task>\S+))?"
)
_PROVIDER = re.compile(
    r"Event: (?P<pod>\S+) failed to start with reason (?P<reason>\w+)(?P<more>.*)", re.DOTALL
)
_START = re.compile(r"Event: Failed to start pod (?P<pod>[^\s,]+)(?P<more>.*)", re.DOTALL)
_PENDING = re.compile(r'Pod "(?P<pod>[^"]+)" has been pending for longer than (?P<limit>\d{1,9}) seconds')
_DELETED = re.compile(r"Event: Pod (?P<pod>\S+) deleted before it could complete(?P<more>.*)", re.DOTALL)
_FAILED = re.compile(r"Event: (?P<pod>[^\s,]+) Failed(?P<more>(?:,.*)?)\Z", re.DOTALL)
_CREATION = re.compile(r"Pod creation failed with reason (?P<reason>'[^']*'|\"[^\"]*\"|\S+?)\. Failing task")
_REFUSED = re.compile(
    r"\[Try \d+ of -?\d+\] Kube ApiException for Task: \((?P<key>.+?)\)\. Reason: (?P<reason>'[^']*'|\"[^\"]*\"|\S+?)\. "
    r"Message: (?P<message>.*)",
    re.DOTALL,
)
_UNREACHED = re.compile(
    r"\[Try \d+ of -?\d+\] Transient connection error creating pod for Task (?P<key>.+?): (?P<error>\w+)\(",
    re.DOTALL,
)
_NOT_LAUNCHED = re.compile(
    r"TaskInstance: (?P<ti><TaskInstance: .+?>) found in queued state but was not launched", re.DOTALL
)
_NOT_MADE = re.compile(
    r"(?P<what>Pod Mutation Hook failed for the task|Invalid executor_config for|Connection error creating pod, retries "
    r"exhausted\. Failing task) (?P<key>TaskInstanceKey\(.*?\))",
    re.DOTALL,
)
UNREACHABLE = "KubernetesUnreachable"
_NOT_MADE_BY = {
    "Pod": "PodMutationHook",
    "Invalid": "InvalidExecutorConfig",
    "Connection": UNREACHABLE,
}
_KEY = re.compile(r"TaskInstanceKey\(.*?\)", re.DOTALL)


def tell_pods(told: Told, component: str, facts: Facts) -> None:
    """One record of the executor."""
    text = told.text
    at = told.at
    if match := _DETAILS.match(text):
        reason = _given(match["container_reason"]) or _given(match["reason"])
        messages = (_given(match["message"]), _given(match["container_message"]))
        detail = "; ".join([match["pod"], *(one for one in messages if one)])
        code = None if match["code"] == "None" else int(match["code"])
        facts.event(
            at, component, "pod_failed", _who(match["key"]), reason=reason, exit_code=code, detail=detail
        )
    elif match := _NO_DETAILS.match(text):
        facts.event(at, component, "pod_failed", _who(match["key"]), detail=match["pod"])
    elif match := _REQUEUED.match(text):
        facts.event(
            at,
            component,
            "pod_requeued",
            _who(match["key"]),
            reason=_given(match["reason"]),
            detail=match["pod"],
        )
    elif match := _FATAL.match(text):
        facts.event(
            at,
            component,
            "pod_not_started",
            _short(match["task"]),
            reason=match["reason"],
            detail=match["pod"],
        )
    elif match := _PROVIDER.match(text):
        facts.event(
            at,
            component,
            "pod_not_started",
            _noted(match["more"]),
            reason=match["reason"],
            detail=match["pod"],
        )
    elif match := _START.match(text):
        facts.event(at, component, "pod_not_started", _noted(match["more"]), detail=match["pod"])
    elif match := _PENDING.match(text):
        limit = int(match["limit"])
        facts.event(
            at, component, "pod_not_started", reason="pending", limit_value=limit, detail=match["pod"]
        )
    elif match := _DELETED.match(text):
        facts.event(
            at, component, "pod_deleted", _noted(match["more"]), reason="deleted", detail=match["pod"]
        )
    elif match := _FAILED.match(text):
        facts.event(at, component, "pod_failed", _noted(match["more"]), detail=match["pod"])
    elif match := _REFUSED.match(text):
        facts.event(
            at,
            component,
            "pod_refused",
            _who(match["key"]),
            reason=match["reason"].strip("'\""),
            detail=match["message"],
        )
    elif match := _UNREACHED.match(text):
        # of the error only its class: its text holds addresses
        who = _who(match["key"])
        facts.event(at, component, "pod_refused", who, reason=UNREACHABLE, detail=match["error"])
    elif match := _NOT_LAUNCHED.match(text):
        facts.event(at, component, "pod_not_launched", from_repr(match["ti"]))
    elif text.startswith("Pod reconciliation failed, "):
        facts.event(at, component, "pod_not_started", reason="PodReconciliation")
    elif match := _NOT_MADE.match(text):
        # what follows is the pod or the executor_config as it was given, and may hold anything
        reason = _NOT_MADE_BY[match["what"].partition(" ")[0]]
        facts.event(at, component, "pod_not_started", _who(match["key"]), reason=reason)
    elif match := _CREATION.match(text):
        facts.event(at, component, "pod_not_started", reason=match["reason"].strip("'\""))


def _given(value: str) -> str | None:
    value = value.strip()
    return None if value in ("", "None") else value


def _who(key: str) -> Who | None:
    """`TaskInstanceKey(dag_id='…', …, try_number=1, map_index=-1)`; of newer keys only a UUID is printed."""
    return from_names(match[0]) if (match := _KEY.search(key)) else from_names(key)


def _short(task: str | None) -> Who | None:
    """`dag.task.try`, as watcher lines name a task."""
    joined, _, tried = (task or "").rpartition(".")
    is_number = re.fullmatch(r"\d{1,9}", tried)
    return Who(joined=joined, try_number=int(tried)) if "." in joined and is_number else None


def _noted(text: str) -> Who | None:
    """From `, task: dag.task.1, annotations: {'dag_id': …, 'try_number': '1'}` (or `<omitted>`, the default)."""
    start = text.find("annotations: {")
    if start >= 0:
        try:
            noted = ast.literal_eval(text[start + 13 : text.find("}", start) + 1])
            index, tried = (number(str(noted.get(name, -1))) for name in ("map_index", "try_number"))
            if index is not None and tried is not None and tried >= 0:
                return Who(noted["dag_id"], noted.get("run_id"), noted["task_id"], index, tried)
        except (ValueError, SyntaxError, KeyError, TypeError, AttributeError, MemoryError, RecursionError):
            pass
    match = re.search(r"task: (\S+?)(?:,|\Z)", text)
    return _short(match[1]) if match else None
