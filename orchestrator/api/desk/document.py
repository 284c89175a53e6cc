"""/openapi.json: the table of routes in the words of OpenAPI 3.1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from importlib.metadata import version

from pydantic import BaseModel

from orchestrator.api.desk.routes import Route
from orchestrator.api.desk.schemas import JSON, Schema, Schemas
from orchestrator.api.problems import STATUS
from orchestrator.domain.access.roles import roles_that_include
from orchestrator.domain.acts import ACTS, Act, Scope

_PARAMETER = re.compile(r"\{([a-z]+)(?::circuit)?\}")
_REFERENCE = "#/components/schemas/{model}"
_WITH_KEY = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_WITH_BODY = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)

_PROBLEM: Schema = {
    "type": "object",
    "description": "A refusal, as RFC 9457 has it.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "one sentence: what is wrong"},
        "code": {"enum": sorted(STATUS)},
        "field": {"type": "string", "description": "what of the request it is about"},
        "fix": {"type": "string", "description": "what to do instead"},
        "faults": {"type": "array", "description": "of a workflow file: each fault"},
        "index": {"type": "integer", "description": "of a batch: which trigger"},
    },
}


def describe(routes: Iterable[Route]) -> Mapping[str, object]:
    """The document of these routes."""
    schemas = Schemas()
    schemas.named["Problem"] = _PROBLEM
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        address = _PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(address, {})[route.method.lower()] = _operation(route, schemas)
    schemas.named["JsonValue"] = JSON  # pydantic's own says nothing
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Meshline",
            "version": version("meshline-server"),
            "description": "Send events, and do over HTTP what the commands and the pages do.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.named,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, schemas: Schemas) -> dict[str, object]:
    found: dict[str, object] = {
        "operationId": route.name,
        "summary": route.says,
        "parameters": list(_parameters(route, schemas)),
        "responses": _responses(route, schemas),
        "security": [{"key": []}] if route.act else [],
    }
    if route.act is not None:
        found["description"] = _told(route.act, route.or_act)
        found["x-act"] = route.act.value
    if route.body is not None:
        schema = _model(route.body, schemas)
        required = any(one.is_required() for one in route.body.model_fields.values())
        found["requestBody"] = {
            "required": required,
            "content": {"application/json": {"schema": schema}},
        }
    elif route.content is not None:
        found["requestBody"] = {"required": not route.may_be_empty, "content": route.content}
    return found


def _told(act: Act, or_act: Act | None) -> str:
    rule = ACTS[act]
    told = f"The act `{act}`: it takes the role {' or '.join(roles_that_include(rule.least))}"
    if or_act is not None:
        told += f"; {ACTS[or_act].least} will do"
    where = "every client" if rule.scope is Scope.EVERYWHERE else "each client that it is about"
    return f"{told}, for {where}."


def _parameters(route: Route, schemas: Schemas) -> Iterator[dict[str, object]]:
    for name in _PARAMETER.findall(route.path):
        schema: Schema = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    if route.query is not None:
        whole = route.query.model_json_schema(ref_template=_REFERENCE)
        schemas.named.update(whole.pop("$defs", {}))
        for name, schema in whole["properties"].items():
            yield {"name": name, "in": "query", "required": False, "schema": _present(schema)}
    for header in route.headers:
        yield {
            "name": header.name,
            "in": "header",
            "required": False,
            "description": header.says,
            "schema": header.schema,
        }
    if route.tagged and route.method == "POST":
        yield {
            "name": "If-Match",
            "in": "header",
            "required": False,
            "description": "the ETag of what you saw: 412 if it has changed since",
            "schema": {"type": "string"},
        }


def _present(schema: Mapping[str, object]) -> Schema:
    """The schema of a parameter that is there: null cannot be written in a query."""
    found = {key: value for key, value in schema.items() if key not in ("default", "title")}
    several = found.pop("anyOf", None)
    if isinstance(several, list):
        found |= next(one for one in several if one != {"type": "null"})
    if schema.get("default") is not None:
        found["default"] = schema["default"]
    return found


def _model(model: type[BaseModel], schemas: Schemas) -> Schema:
    whole = model.model_json_schema(ref_template=_REFERENCE)
    schemas.named.update(whole.pop("$defs", {}))
    schemas.named[model.__name__] = whole
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _responses(route: Route, schemas: Schemas) -> dict[str, object]:
    good: dict[str, object] = {"description": "done"}
    if route.status is not HTTPStatus.NO_CONTENT:
        schema = {"type": "string"} if route.answers is None else schemas.of(route.answers)
        good["content"] = {route.produces: {"schema": schema}}
    if route.tagged and route.method == "GET":
        good["headers"] = {"ETag": {"schema": {"type": "string"}}}
    found: dict[str, object] = {str(route.status.value): good}
    if route.also is HTTPStatus.NOT_MODIFIED:
        found[str(route.also.value)] = {"description": "it is what you know"}
    elif route.also is not None:
        found[str(route.also.value)] = good
    for status in sorted(_refusals(route)):
        found[str(status.value)] = {
            "description": status.phrase,
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
    return found


def _refusals(route: Route) -> Iterable[HTTPStatus]:
    if route.act is None:
        return route.refusals
    with_body = _WITH_BODY if route.body or route.content else ()
    return {*_WITH_KEY, *route.refusals, *with_body}
