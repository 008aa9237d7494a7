"""Great Expectations asserts on a frame of one row: the measures of one table. The only place that imports it."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Mapping
from typing import Any

from windsock.checks.expectations import Expectation


def unmet(table: str, measured: Mapping[str, int], expectations: list[Expectation]) -> list[str]:
    """The names of the expectations that Great Expectations found unmet on the one-row frame of measures."""
    gx, gxe, pandas = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    frame = pandas.DataFrame([measured])
    asset = context.data_sources.add_pandas("windsock").add_dataframe_asset(table)
    batch = asset.add_batch_definition_whole_dataframe("week")
    suite = context.suites.add(
        gx.ExpectationSuite(
            name=table,
            expectations=[
                gxe.ExpectColumnValuesToBeBetween(
                    column=f"bad_{one.name}",
                    max_value=one.max_share * measured["row_count"],
                    meta={"name": one.name},
                )
                for one in expectations
            ],
        )
    )
    validation = context.validation_definitions.add(
        gx.ValidationDefinition(name=table, data=batch, suite=suite)
    )
    result = validation.run(batch_parameters={"dataframe": frame})
    unmet = {one.expectation_config.meta["name"] for one in result.results if not one.success}
    return [one.name for one in expectations if one.name in unmet]


def _great_expectations() -> tuple[Any, Any, Any]:
    """The late import: seconds of CPU that only `check` and `run` should pay. Analytics stay off."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
        import great_expectations.expectations as gxe
        import pandas
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    return gx, gxe, pandas
