"""Where a failure comes from, politely: the user's code, its data, a service outside, the infrastructure, Airflow itself.

Judged by the first sign that fits, the surest first; what fits none stays None, and the report says how much that is. The
evidence is the message of the attempt: each sign is looked for in it, in its signature (which holds what a command or a
trigger said last) or in the exception's type.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from windsock.finder import Finder
from windsock.model import Blame
from windsock.parse.sieve import alternatives, needed

_KILLED = frozenset(["oom", "heartbeat"])
_MAX_TEXT = 4000

_WORDS: tuple[tuple[Blame | Literal["elsewhere"], str], ...] = (
    # another DAG, which this log does not tell of
    ("elsewhere", r"failed with failed states|external (?:dag|task)\b.{0,200}failed|^externaltaskfailed"),
    (
        "infrastructure",
        r"OOMKilled|out of memory|cannot allocate memory|java heap space|GC overhead limit|OutOfMemoryError|"
        r"no space left on device|disk quota exceeded|input/output error|stale file handle|transport endpoint is not connected|too many open files|can't start new thread|read-only file system|"
        r"\(SIGKILL\)|killed by SIGKILL|^AirflowTaskTerminated|received SIGTERM|\bEvicted\b|ImagePull|ErrImage|CannotPullContainer|"
        r"pull access denied|Insufficient (?:cpu|memory)|took too long to start|node (?:was )?(?:lost|preempted)|NodeLost|"
        r"exceeded quota: |Pod Launching failed|Docker daemon|ExecutorLostFailure|unable to allocate .{0,40}for an array|"
        r"WorkerLostError",
    ),
    (
        "airflow",
        r"Invalid auth token|airflow\.sdk\.api|DAG not found during start up|task not found in DAG during|"
        r"relation \"?(?:task_instance|dag_run|xcom|job|log|trigger|serialized_dag)\b|\b(?:update|insert into|from) (?:task_instance|dag_run|xcom)\b|"
        r"could not be found; either it does not exist or it failed to parse|state mismatch",
    ),
    (
        "external",
        r"connection (?:refused|reset|aborted|timed out|closed)|connection to server|could not connect|failed to connect|"
        r"remote end closed|broken pipe|server has gone away|lost connection|no route to host|network is unreachable|"
        r"name or service not known|failed to resolve|could not translate host|getaddrinfo|temporary failure in name|"
        r"max retries exceeded|read timed out|request timed out|timed out waiting|deadline exceeded|gateway time-?out|bad gateway|"
        r"service unavailable|internal server error|too many requests|too many connections|rate.?limit|slow ?down|throttl|quota exceeded|"
        r"status(?: code)?[\"']?[:= ]{1,3}(?:5\d\d|429|401|403)|\b(?:401|403|429|5\d\d|<n>) (?:unauthorized|forbidden|too many requests|server error)|"
        r"unauthorized|forbidden|access ?denied|permission denied for (?:schema|table|relation|database)|authentication failed|login failed|"
        r"incorrect username or password|expired ?token|token (?:has|is) expired|invalid (?:credentials|api key)|unable to locate credentials|"
        r"certificate verify failed|ssl(?:eof)?error|deadlock detected|lock wait timeout|canceling statement|no listener|"
        r"(?:job|run|task|step|query|application)\b.{0,80}\b(?:finished|ended|failed) (?:in|with)(?: failed)? (?:state|status)|run state: failed|"
        r"resources exceeded|upstream api returned|source unavailable|role \"[^\"]+\" does not exist|SSH command timed out|"
        r"API(?: returned|: <n>|: \d)|unavailable\b|^AirflowSensorTimeout|Trigger(?:/execution)? timeout|remote (?:job|task|run) failed|\b(?:401|403|429|5\d\d) for https?://",
    ),
    (
        "data",
        r"no such file or directory|cannot access '|FileNotFoundError|no ?such ?key|specified blob does not exist|path (?:not found|does not exist)|PATH_NOT_FOUND|"
        r"(?:table|view|relation|object|column|dataset|partition)\b.{0,120}(?:does not exist|not found|was not found|is missing|vanished|missing)|"
        r"(?:no such|undefined|missing|unknown) (?:table|column|field)|invalid identifier|unrecognized name|invalid column|"
        r"duplicate key|unique constraint|not.null constraint|foreign key constraint|violates|null value in column|"
        r"invalid input syntax|could not convert|can't decode|invalid literal|cannot parse|failed to parse|malformed|"
        r"checksum|corrupt|schema (?:contract|drift|mismatch)|row count|mismatch|expected at least|has NaN|is empty\b|no rows|no data\b|"
        r"expecting value|unterminated string|configured to fail if|validation error|données",
    ),
    (
        "user_code",
        r"command not found|not recognized as|missing script|is not defined|is undefined|has no attribute|not (?:JSON )?serializable|cannot serialize|"
        r"syntax error|compilation error|No module named|cannot import name|maximum recursion|The conn_id .{0,200} isn't defined|"
        r"Variable .{0,200} does not exist|is not set\b|unexpected keyword|missing \d+ required|SystemExit|^exit code|ClassNotFoundException|: not found$|pre_execute hook",
    ),
)
# for lower-cased text: five times as quick as an expression that itself disregards case (no escape here is upper case)
_SIGNS: tuple[tuple[Blame | Literal["elsewhere"], re.Pattern[str]], ...] = tuple(
    (blame, re.compile(one)) for blame, words in _WORDS for one in alternatives(words.lower())
)
"""What is said of an attempt and where it then comes from, the surest first."""
_PLACES: dict[str, list[int]] = {}
for _place, (_, _pattern) in enumerate(_SIGNS):
    for _word in needed(_pattern.pattern):
        _PLACES.setdefault(_word, []).append(_place)
_FINDER = Finder(_PLACES)

_TYPES: dict[str, Blame] = {
    name: blame  # type: ignore[misc]
    for blame, names in {
        "infrastructure": "MemoryError WorkerLostError",
        "airflow": "ServerResponseError AirflowRuntimeError DagNotFound AirflowConfigException",
        "external": "ConnectionError ConnectTimeout ReadTimeout ConnectionResetError ConnectionRefusedError ConnectionAbortedError "
        "BrokenPipeError TimeoutError Timeout SSLError ProxyError gaierror RemoteDisconnected NoCredentialsError "
        "EndpointConnectionError ServiceUnavailable InternalServerError TooManyRequests DeadlineExceeded Unauthorized Forbidden "
        "RateLimitError DeadlockDetected InterfaceError MaxRetryError NewConnectionError ProtocolError AuthenticationError "
        "AuthenticationException RefreshError DefaultCredentialsError PermissionDenied HTTPError ApiException APIError ClientError",
        "data": "JSONDecodeError UnicodeDecodeError ParserError EmptyDataError IntegrityError DataError UndefinedTable "
        "UndefinedColumn FileNotFoundError IsADirectoryError BadZipFile SchemaError ValidationError DataQualityError "
        "SchemaDriftError ResourceNotFoundError ArrowInvalid",
        "user_code": "KeyError TypeError AttributeError NameError UnboundLocalError IndexError ImportError ModuleNotFoundError "
        "SyntaxError IndentationError ZeroDivisionError RecursionError NotImplementedError AssertionError UndefinedError "
        "TemplateNotFound TemplateSyntaxError TemplateAssertionError AirflowNotFoundException SystemExit ProgrammingError "
        "DagRunAlreadyExists LookupError OverflowError StopIteration FloatingPointError",
    }.items()
    for name in names.split()
}


# where a value was refused, or a call was sent from: the installed package whose line raised
_OF_DATA = frozenset(
    "pandas polars pyarrow numpy great_expectations pydantic jsonschema lxml openpyxl json csv".split()
)
_OF_SERVICES = frozenset(
    "requests urllib3 httpx aiohttp botocore boto3 google googleapiclient azure snowflake psycopg2 psycopg asyncpg pymysql "
    "MySQLdb mysql oracledb cx_Oracle pymssql pyodbc redis pymongo paramiko kubernetes docker clickhouse_driver trino "
    "databricks elasticsearch kafka confluent_kafka salesforce simple_salesforce slack_sdk socket ssl ftplib smtplib".split()
)
_OF_VALUES = frozenset(["KeyError", "ValueError", "TypeError", "IndexError"])
_INNER_TYPE = re.compile(r" \| (?:\w+\.)*(\w+(?:Error|Exception|NotFound))\b")


class Case(NamedTuple):
    """A failed attempt: why Airflow ended it, its exception's short type and message, its signature, and the installed
    package whose line raised."""

    reason: str | None
    exception_type: str | None
    message: str | None
    signature: str | None
    package: str | None = None


def blame(case: Case) -> Blame | None:
    """None where no sign is sure enough."""
    return _judged(case, _text(case), [*_PLACES])


def blame_all(cases: Sequence[Case]) -> list[Blame | None]:
    """Of many at once: their texts are searched together for the words that signs hold."""
    texts = [*map(_text, cases)]
    return [
        _judged(case, text, words)
        for case, text, words in zip(cases, texts, _FINDER.candidates(texts), strict=True)
    ]


def _text(case: Case) -> str:
    return f"{case.signature or ''}\n{(case.message or '')[:_MAX_TEXT]}".lower()


def _judged(case: Case, text: str, words: Sequence[str]) -> Blame | None:
    if case.reason in _KILLED:
        return "infrastructure"
    # a person, the API, a time limit of the run, another DAG: this log does not say
    signs = sorted({place for word in {*words} if word in text for place in _PLACES[word]})
    found = next((_SIGNS[place][0] for place in signs if _SIGNS[place][1].search(text)), None)
    if case.reason == "external" or found == "elsewhere":
        return None
    if found:
        return found
    if case.exception_type in _OF_VALUES and case.package in _OF_DATA:
        return "data"
    inner = _INNER_TYPE.search(case.signature or "")
    by_type = _TYPES.get(inner[1] if inner else case.exception_type or "")
    return by_type or ("external" if case.package in _OF_SERVICES else None)
