FROM python:3.13.9-slim-trixie

WORKDIR /app
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . ./
# What is installed here is in the lock already; nothing else is fetched.
RUN pip install --no-cache-dir --no-deps --no-build-isolation ./sdk . \
 && useradd --system --uid 10001 --home-dir /var/lib/meshline --create-home meshline

WORKDIR /var/lib/meshline
USER meshline
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MESHLINE_HOME=/var/lib/meshline
ENTRYPOINT ["meshline"]
