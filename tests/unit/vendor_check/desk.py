"""A made-up helpdesk: a right definition, and the document that its vendor would publish."""

from __future__ import annotations

import json
from typing import Any

DEFINITION = """
connector: desk
kind: http
base_url: https://desk.example/api
headers: {Desk-Version: "2"}
actions:
  create_ticket:
    idempotency: lookup
    proof: read_back
    required: [title]
    optional: [note, tags]
    create:
      path: /tickets
      json:
        ticket:
          title: "{send.title}"
          note: "{send.note}"
          tags: "{send.tags}"
          source: api
          urgent: false
          key: "{key}"
      record_id: ticket.id
    lookup:
      path: /tickets
      query: {key: "{key}", sort: new}
      items: tickets
      next: {at: next, query: cursor}
      where: {key: "{key}"}
      record_id: id
    read:
      path: /tickets/{record_id}
      fields: {title: ticket.title, note: ticket.note, tags: ticket.tags}
    undo: {method: delete, path: "/tickets/{record_id}"}
"""


def document() -> dict[str, Any]:
    """The vendor's document, which the definition fits."""
    said: dict[str, Any] = json.loads(json.dumps(_document()))  # nothing in it is shared
    return said


def _document() -> dict[str, Any]:
    ticket = {"$ref": "#/components/schemas/Ticket"}
    one = {"type": "object", "properties": {"ticket": ticket}}
    some = {"tickets": {"type": "array", "items": ticket}, "next": {"type": "string"}}
    new = {
        "type": "object",
        "required": ["ticket"],
        "properties": {"ticket": {"$ref": "#/components/schemas/NewTicket"}},
    }
    query = {"key": {}, "cursor": {}, "sort": {"type": "string", "enum": ["new", "old"]}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Desk API", "version": "2"},
        "servers": [
            {"url": "https://desk.example/{stage}", "variables": {"stage": {"default": "api"}}}
        ],
        "paths": {
            "/tickets": {
                "post": {"requestBody": {"required": True, **_json(new)}, **_answer("201", one)},
                "get": {
                    "parameters": [
                        {"name": name, "in": "query", "schema": schema}
                        for name, schema in query.items()
                    ],
                    **_answer("200", {"type": "object", "properties": some}),
                },
            },
            "/tickets/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": True}],
                "get": _answer("200", one),
                "delete": {"responses": {"204": {"description": "gone"}}},
            },
        },
        "components": {
            "schemas": {
                "Ticket": {
                    "allOf": [
                        {"$ref": "#/components/schemas/NewTicket"},
                        {"type": "object", "properties": {"id": {"type": "integer"}}},
                    ]
                },
                "NewTicket": {
                    "type": "object",
                    "required": ["title"],
                    "properties": {
                        "title": {"type": "string"},
                        "note": {"type": "string", "nullable": True},
                        "tags": {"type": "array", "items": {"type": "string"}},
                        "source": {"type": "string", "enum": ["api", "mail"]},
                        "urgent": {"type": "boolean"},
                        "key": {"type": "string"},
                    },
                },
            }
        },
    }


def swagger_document() -> dict[str, Any]:
    """The same API as Swagger 2, which takes a ticket as a form or as JSON."""
    names = {"title": True, "note": False, "tags": False}
    said = document()
    ticket = said["components"]["schemas"]["NewTicket"]
    return {
        "swagger": "2.0",
        "info": {"title": "Desk API", "version": "2"},
        "host": "desk.example",
        "basePath": "/api",
        "consumes": ["application/x-www-form-urlencoded", "application/json"],
        "definitions": {"Ticket": ticket},
        "paths": {
            "/tickets": {
                "post": {
                    "parameters": [
                        {"in": "formData", "name": name, "required": needed, "type": "string"}
                        for name, needed in names.items()
                    ],
                    "responses": {200: {"schema": {"$ref": "#/definitions/Ticket"}}},
                }
            }
        },
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _answer(status: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"responses": {status: {"description": "good", **_json(schema)}}}
