"""The Airflow REST API, v1 (2.x) and v2 (3.x): what it answers, page by page, as it came. Only ever reads."""

from windsock.sources.airflow_api.api import AirflowApi, open_api
from windsock.sources.airflow_api.auth import Credentials
from windsock.sources.airflow_api.client import Client

__all__ = ["AirflowApi", "Client", "Credentials", "open_api"]
