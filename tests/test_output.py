"""What is printed: safe on a terminal, safe in a spreadsheet, exact for machines."""

import json
import math
from datetime import UTC, datetime

from windsock.output import as_csv, as_json, as_table


def test_json_is_one_array_with_z_times_and_null_for_nan() -> None:
    rows = [{"at": datetime(2026, 11, 16, 8, tzinfo=UTC), "rate": math.nan, "n": 3}]
    assert json.loads(as_json(rows)) == [{"at": "2026-11-16T08:00:00Z", "rate": None, "n": 3}]


def test_a_formula_in_log_text_stays_text_in_a_spreadsheet() -> None:
    assert as_csv(["message"], [{"message": '=HYPERLINK("x")'}]) == 'message\n"\'=HYPERLINK(""x"")"'


def test_a_negative_number_stays_a_number() -> None:
    assert as_csv(["map_index"], [{"map_index": -1}]) == "map_index\n-1"


def test_escape_codes_of_a_log_never_reach_the_terminal() -> None:
    table = as_table(["message"], [{"message": "\x1b[31mred\x00\n"}])
    assert "\x1b" not in table
    assert "\\x1b[31mred\\x00\\n" in table


def test_long_cells_are_cut_with_a_mark() -> None:
    assert as_table(["m"], [{"m": "x" * 100}], width=10).splitlines()[-1] == "x" * 9 + "…"
