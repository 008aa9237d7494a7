"""The reviewed list of versions and executors: each entry points at a test that holds it."""

from pathlib import Path

from windsock.reviewed.tested import load_tested

ROOT = Path(__file__).parents[1]


def test_each_entry_names_a_test_that_mentions_it() -> None:
    rows = load_tested(ROOT / "sql")
    assert {row.kind for row in rows} == {"version", "executor"}
    assert {row.how for row in rows} <= {"run", "logs", "texts"}
    assert len({(row.kind, row.name) for row in rows}) == len(rows)
    for row in rows:
        path = ROOT / row.where
        words = row.name if row.kind == "version" else row.name.removesuffix("Executor")
        assert words in path.read_text(encoding="utf-8") or words in path.stem.replace("_", "."), row


def test_what_is_said_to_run_is_run_by_the_end_to_end_tests() -> None:
    for row in load_tested(ROOT / "sql"):
        if row.how == "run":
            assert row.where.startswith("tests/e2e/"), row
