"""What Airflow itself tells, by API, database or configuration file, as rows of the lake."""
