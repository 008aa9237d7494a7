"""Simulated series, fleets and pools with known truth: how good the judges are, in figures.

Each simulator takes a seed and returns what really happened beside what a lake would hold. `python -m benchmarks.judging`
scores the methods of `windsock.findings.methods` on them; the quick form of the same scoring is a test.
"""
