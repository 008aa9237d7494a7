"""A fictitious fleet: weeks of task logs and pool gauges with the byte shapes of real Airflow, and planted faults."""
