"""Tables that people review: known issues of Airflow and its providers, and what its metrics are known to miss."""
