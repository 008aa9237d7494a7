"""`python -m tests.support.audit_names SITE_PACKAGES/airflow`: names under which an installed Airflow writes its audit log, one a line as
in `tests/data/audit_events.csv`: by whom (api, ui, cli), the event. Read from the sources, nothing is imported."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

LOGGERS = ("action_logging", "action_cli")
OF_THE_DECORATORS = ("utils/cli.py", "www/decorators.py", "api_fastapi/logging/decorators.py")
PERMISSIONS = {"CREATE": "create", "EDIT": "edit", "DELETE": "delete"}
NOT_LOGGED = ("read", "show", "list")


def names_of(root: Path) -> set[tuple[str, str]]:
    """(api, ui or cli; event) of each function that is logged. The REST API of Airflow 2 writes its names behind `api.` or `ui.`."""
    return {
        one
        for path in sorted(root.rglob("*.py"))
        if not (place := str(path.relative_to(root))).startswith("providers/")
        and place not in OF_THE_DECORATORS
        for one in _of_file(place, path.read_text(encoding="utf-8"))
    }


def _of_file(place: str, text: str) -> Iterator[tuple[str, str]]:
    if not any(name in text for name in LOGGERS):
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            yield from _of_view(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for decorator in node.decorator_list:
            if _names(decorator, "action_cli"):
                yield "cli", f"cli_{node.name}"
            elif _names(decorator, "action_logging"):
                yield "api" if "api_" in place else "ui", _event(decorator, place) or node.name


def _of_view(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Airflow 2's tables: `pool.edit`, by the permission that a page of theirs needs."""
    values = {
        target.id: one.value
        for one in node.body
        if isinstance(one, ast.Assign)
        for target in one.targets
        if isinstance(target, ast.Name)
    }
    permissions, base = values.get("method_permission_name"), values.get("route_base")
    if isinstance(permissions, ast.Dict) and isinstance(base, ast.Constant):
        for method, permission in ast.literal_eval(permissions).items():
            if permission not in NOT_LOGGED and not method.startswith("action_"):
                yield "ui", f"{str(base.value).strip('/')}.{permission}"


def _event(decorator: ast.expr, place: str) -> str:
    """A name given beside: `connection.create`, `variable.varimport`."""
    for call in (one for one in ast.walk(decorator) if isinstance(one, ast.Call)):
        for keyword in call.keywords:
            if keyword.arg == "event":
                told = ast.unparse(keyword.value)
                action = next((word for name, word in PERMISSIONS.items() if name in told), "varimport")
                return f"{'connection' if 'connection' in place else 'variable'}.{action}"
    return ""


def _names(node: ast.expr, name: str) -> bool:
    return any(name in (getattr(one, "id", ""), getattr(one, "attr", "")) for one in ast.walk(node))


if __name__ == "__main__":
    print("\n".join(",".join(one) for one in sorted(names_of(Path(sys.argv[1])))))
