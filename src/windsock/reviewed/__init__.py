"""Tables that people review: known issues of Airflow and its providers, what its metrics miss, settings, upgrades."""
