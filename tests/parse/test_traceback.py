"""A plain traceback is read by a search; it says what a walk over its lines says."""

from hypothesis import given
from hypothesis import strategies as st

from windsock.parse.traceback import START, _of_groups, last_exception

RUNNER = '  File "/usr/lib/python3.11/site-packages/airflow/models/taskinstance.py", line 7, in run'
LINES = st.sampled_from(
    ['  File "/opt/dags/x.py", line 3, in load', '  File "/usr/lib/python3.11/site-packages/a/b.py", line 7, in run', '    raise ValueError("File \\"/opt/dags/y.py\\"")',
     'File "/opt/dags/z.py", line 3, in top', '  | File "/opt/dags/g.py", line 3, in group', "    ^^^^^^", "", "ValueError: of a kind", "a.b.KeyError", "not an exception at all",
     "\tTabError: x", "~~~", "╭─ box", "E: with\r", '  File "/opt/dags/x.py", line 3', "The above exception was the direct cause of the following exception:", "  +- x"]
)  # fmt: skip


FRAME = [f"{START}:", '  File "/opt/dags/x.py", line 3, in load', "    load()"]
FURTHER = st.sampled_from(
    [f"{START}:", f"| {START}:", f'{START} File "/opt/dags/x.py", line 3, in load', RUNNER, "    load()"]
)


@given(st.lists(LINES | FURTHER, max_size=14), st.booleans())
def test_a_search_and_a_walk_agree(lines: list[str], begins_well: bool) -> None:
    text = "\n".join([*FRAME, *lines] if begins_well else lines)
    assert last_exception(text) == _of_groups(text)
