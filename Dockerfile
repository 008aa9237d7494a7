# The weekly job as an image: docker build -t windsock .   (docs/running.md)
# Two stages: what builds stays behind; every library is locked by hash, so two builds hold the same code.
ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /src
COPY requirements/run.txt requirements/build.txt requirements/
# the libraries change rarely, the code often: two layers
RUN python -m venv /opt/windsock \
 && /opt/windsock/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/run.txt
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY src src
COPY sql sql
COPY reports/template reports/template
COPY data/sample data/sample
RUN /opt/build/bin/python -m hatchling build -t wheel -d /wheels \
 && /opt/windsock/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps /wheels/*.whl

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="windsock" \
      org.opencontainers.image.description="Which way your Apache Airflow is blowing: a weekly health report" \
      org.opencontainers.image.licenses="Apache-2.0"
# a number, not a name: Kubernetes can then see by itself that it is not root
RUN useradd --uid 10001 --user-group --create-home --home-dir /var/windsock --shell /usr/sbin/nologin windsock
COPY --from=build /opt/windsock /opt/windsock
ENV PATH="/opt/windsock/bin:${PATH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# reports, caches and a local lake go here; mount something that lasts, or keep the lake in a bucket
WORKDIR /var/windsock
USER 10001:10001
ENTRYPOINT ["windsock"]
CMD ["--help"]
