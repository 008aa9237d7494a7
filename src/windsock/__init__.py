"""windsock tells a team which way its Apache Airflow is blowing."""

__version__ = "0.1.0"
