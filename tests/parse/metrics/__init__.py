"""Metrics in every form they reach a file in."""
