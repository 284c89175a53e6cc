"""An address of broker or database works, or is refused in one line that does not repeat it."""

from __future__ import annotations

import pytest

from orchestrator.domain.text.endpoints import broker_fault, database_fault, kombu_address

GOOD_BROKERS = [
    "redis://127.0.0.1:6379/0",
    "redis://:p%40ss@broker.example:6379",
    "rediss://user:secret@broker.example/1?ssl_ca_certs=/etc/ca.pem",
    "valkey://[::1]:6379/0",
    "valkeys://broker.example",
    "amqp://user:secret@broker.example:5672//",
    "amqps://user:secret@broker.example/one%2Ftwo",
    "amqp://one.example//;amqp://two.example//",
]


@pytest.mark.parametrize("address", GOOD_BROKERS)
def test_an_address_of_a_broker_works(address: str) -> None:
    assert broker_fault(address) is None


BAD_BROKERS = {
    "": "not a broker's address",
    "broker.example": "not a broker's address",
    "kafka://hunter2@broker.example": "'kafka' is not a broker",
    "sqs://": "'sqs' is not a broker",
    "memory://": "'memory' is not a broker",
    "http://broker.example": "'http' is not a broker",
    "redis+socket:///tmp/redis": "not a broker",
    "sentinel://one.example:26379": "Sentinel is not spoken",
    "redis://": "names no host",
    "amqp://user:hunter2@": "names no host",
    "redis://broker.example:port/0": "port is not a number",
    "redis://broker.example:99999/0": "port is not a number",
    "redis://broker.example/mydb": "database's number",
    "redis://:hunter2%@broker.example/0": "two hexadecimal digits",
    "redis://:hunter2@hunter2@broker.example/0": "more than one @",
    "redis://:hunter2#@broker.example/0": "ends it",
    "redis://:hun/ter2@broker.example/0": "ends it",
    "redis://broker.example/0\n": "Redis database's number",
    "amqp://one.example;kafka://two.example": "'kafka' is not a broker",
}


@pytest.mark.parametrize("address", BAD_BROKERS)
def test_a_broker_that_cannot_work_is_refused_and_not_repeated(address: str) -> None:
    fault = broker_fault(address)

    assert fault is not None and BAD_BROKERS[address] in fault
    assert "hunter2" not in fault and "\n" not in fault


def test_valkey_is_called_as_redis_is() -> None:
    assert kombu_address("valkey://a;valkeys://b") == "redis://a;rediss://b"
    assert kombu_address("amqp://valkey:x@a") == "amqp://valkey:x@a"


GOOD_DATABASES = [
    "postgresql://user:p%40ss@db.example:5432/meshline",
    "postgresql://user:p#ss@db.example/meshline",
    "postgres://db.example/meshline?sslmode=require",
    "postgresql+psycopg://db.example/meshline",
    "postgresql:///meshline?host=/run/postgresql",
    "sqlite:////srv/meshline/store.db",
    "sqlite:///store.db",
    "sqlite:////srv/My%2520Clients/store.db",
]


@pytest.mark.parametrize("address", GOOD_DATABASES)
def test_an_address_of_a_database_works(address: str) -> None:
    assert database_fault(address) is None


BAD_DATABASES = {
    "": "not a database address",
    "mysql://user:hunter2@db.example/meshline": "'mysql' is not a database",
    "postgresql+asyncpg://db.example/meshline": "driver 'asyncpg'",
    "postgresql://db.example": "names no database",
    "postgresql://": "names no database",
    "postgresql://db.example:port/meshline": "port is not a number",
    "postgresql://user:hunter2@hunter2@db.example/meshline": "more than one @",
    "postgresql://user:hunter2%@db.example/meshline": "two hexadecimal digits",
    "postgresql://user:hunter2@db.example/mesh\nline": "blank or a control",
    "sqlite://": "names no file",
    "sqlite:///": "names no file",
    "sqlite:///:memory:": "names no file",
    "sqlite:///file:x?mode=memory&uri=true": "names no file",
    "sqlite://store.db": "three slashes",
    "sqlite:////srv/store.db?mode=ro": "takes no options",
    "sqlite:////srv/100%/store.db": "write it %25",
}


@pytest.mark.parametrize("address", BAD_DATABASES)
def test_a_database_that_cannot_work_is_refused_and_not_repeated(address: str) -> None:
    fault = database_fault(address)

    assert fault is not None and BAD_DATABASES[address] in fault
    assert "hunter2" not in fault and "\n" not in fault
