"""WS611."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from windsock.findings import wording
from windsock.findings.held_settings import shown
from windsock.findings.how_to_set import in_environment
from windsock.findings.parsing.one_pass import Pass, week_pass
from windsock.findings.rule import Rule, Thresholds, Verdicts, threshold
from windsock.findings.settings import FROM, Held, held_of
from windsock.model import Answer, Finding
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When parsing does not keep its own interval."""

    min_ratio: float = threshold(
        1.5, "times min_file_process_interval", "a pass of about the interval is as it is meant"
    )
    min_pass_s: float = threshold(60.0, "seconds of one pass", "nobody waits for less than a minute")
    min_files: float = threshold(5, "files", "a handful is known by name: WS201 and WS202 tell of each")
    most_processes: float = threshold(
        8, "processes", "more than that is a machine of its own: parse less, or less often"
    )


class ParsingBehind(Rule):
    """One pass of the dag-processor over all files takes clearly longer than `min_file_process_interval` asks for.

    What it means: the interval has no effect, files are parsed as fast as the processes allow, and a change of a DAG waits
    for a whole pass. The processes never rest.
    How it is judged: the sum of the mean parse times of all files over `parsing_processes` against the interval, by the source
    that is nearest to the dag-processor; values as told, else the version's defaults, called assumed. Not told beside WS207,
    which says the same of its consequence.
    What to do: more parsing processes, if the machine has the cores; or an interval that is kept, which costs nothing.
    """

    code, name, section = "WS611", "parsing-behind", "settings"
    questions = ("parse_load_by_file", *FROM)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        held, whole = held_of(answers), week_pass(answers)
        if whole is None or "parsing_processes" not in held:
            return verdicts
        if whole.files < limits.min_files:
            verdicts.not_enough += 1
            return verdicts
        verdicts.judged += 1
        is_behind = whole.cycle_s >= limits.min_ratio * whole.settings.interval_s
        if is_behind and whole.cycle_s >= limits.min_pass_s:
            processes, interval = held["parsing_processes"], held["min_file_process_interval"]
            verdicts.findings.append(cls._of(answers, whole, processes, interval, limits))
        return verdicts

    @classmethod
    def _of(
        cls, answers: Mapping[str, Answer], whole: Pass, processes: Held, interval: Held, limits: Limits
    ) -> Finding:
        enough = ceil(whole.parse_s / whole.settings.interval_s)
        kept_s = 10 * ceil(whole.cycle_s / 10)
        if enough <= limits.most_processes:
            what = in_environment(answers, processes.setting, enough)
            advice = (
                f"Set {processes.named} to {enough}: {wording.seconds(whole.parse_s)} of parsing over {enough} is a pass of "
                f"{wording.seconds(whole.parse_s / enough)}, within the interval. It takes {wording.plural(enough, 'core')} while it "
                f"parses. Where they are not to be had, set {interval.named} to {kept_s}: DAGs change as late as now, and the "
                "processes rest."
            )
        else:
            what = in_environment(answers, interval.setting, kept_s)
            advice = (
                f"Set {interval.named} to {kept_s}, which is what holds now; {enough} processes would be needed for "
                f"{shown(interval.value)} s. Better, make the slowest files lighter: they are in the table of DAG parsing."
            )
        return cls.finding(
            subject={"setting": "parsing_processes"},
            severity="watch",
            headline=f"One pass over {wording.plural(whole.files, 'DAG file')} takes {wording.seconds(whole.cycle_s)}; "
            f"{interval.named} asks for {interval.said_s}",
            evidence={
                "files": whole.files,
                "parse_s": whole.parse_s,
                "pass_s": whole.cycle_s,
                "parsing_processes": processes.said,
                "interval_s": whole.settings.interval_s,
                "pass_proposed_s": whole.parse_s / min(enough, int(limits.most_processes)),
                **what,
            },
            advice=advice,
            rank=whole.cycle_s / whole.settings.interval_s,
        )
