# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.json held against what a server answers.

The part of JSON Schema that the description uses, and no more: a word that is not
known here is an error, so that nothing in it is believed to be checked and is not.
"""
import json
import os
import re

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs",
                    "openapi.json")
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
SILENT = {"description", "default", "example", "examples"}


class Differs(Exception):
    """The answer is not what the description says."""


class Description:
    """The description, and what of it has been seen."""

    def __init__(self):
        with open(PATH, encoding="utf-8") as f:
            self.root = json.load(f)
        self.seen = set()

    def follow(self, node):
        while "$ref" in node:
            found = self.root
            for name in node["$ref"][2:].split("/"):
                found = found[name]
            node = found
        return node

    # --- schemas ---

    def valid(self, value, schema, where):
        """Raises Differs with the place."""
        schema = self.follow(schema)
        for word, argument in schema.items():
            if word not in SILENT:
                getattr(self, "_" + word.lstrip("$"))(value, argument, where, schema)

    @staticmethod
    def want(condition, where, text, *values):
        if not condition:
            raise Differs("%s: %s" % (where, text % values))

    def _type(self, value, argument, where, _):
        if argument in ("integer", "number"):
            good = isinstance(value, int) and not isinstance(value, bool)
        else:
            good = isinstance(value, TYPES[argument])
        self.want(good, where, "%r is no %s", value, argument)

    def _enum(self, value, argument, where, _):
        self.want(value in argument, where, "%r is none of %r", value, argument)

    def _pattern(self, value, argument, where, _):
        self.want(re.search(argument, value), where, "%r is not %s", value, argument)

    def _minimum(self, value, argument, where, _):
        self.want(value >= argument, where, "%r < %r", value, argument)

    def _maximum(self, value, argument, where, _):
        self.want(value <= argument, where, "%r > %r", value, argument)

    def _minLength(self, value, argument, where, _):
        self.want(len(value) >= argument, where, "%r is too short", value)

    def _maxLength(self, value, argument, where, _):
        self.want(len(value) <= argument, where, "%r is too long", value)

    def _minItems(self, value, argument, where, _):
        self.want(len(value) >= argument, where, "too few")

    def _maxItems(self, value, argument, where, _):
        self.want(len(value) <= argument, where, "too many")

    def _required(self, value, argument, where, _):
        for name in argument:
            self.want(name in value, where, "no %s in %r", name, value)

    def _properties(self, value, argument, where, _):
        for name, schema in argument.items():
            if name in value:
                self.valid(value[name], schema, "%s.%s" % (where, name))

    def _additionalProperties(self, value, argument, where, schema):
        assert argument is False
        for name in value:
            self.want(name in schema["properties"], where, "%s is not described", name)

    def _items(self, value, argument, where, _):
        for i, item in enumerate(value):
            self.valid(item, argument, "%s[%d]" % (where, i))

    def _oneOf(self, value, argument, where, _):
        fits, why = 0, []
        for schema in argument:
            try:
                self.valid(value, schema, where)
                fits += 1
            except Differs as problem:
                why.append(str(problem))
        self.want(fits == 1, where, "fits %d of %d: %s", fits, len(argument), "; ".join(why))

    # --- answers ---

    def template(self, path):
        """The described path that this one is, or None."""
        for template in self.root["paths"]:
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
                return template
        return None

    def answer(self, method, path, status, headers, body):
        """An answer to an operation: its status, type, headers and body."""
        template = self.template(path)
        if template and status == 405:  # of a method that is not there
            self.seen |= {(template, known, "405") for known in self.root["paths"][template]}
        operation = template and self.root["paths"][template].get(method.lower())
        if not operation:
            return  # 404 and 405: nothing that is described was asked
        where = "%s %s: %d" % (method, path, status)
        described = operation["responses"].get(str(status))
        self.want(described, where, "the status is not described")
        described = self.follow(described)
        for name, header in described.get("headers", {}).items():
            if name in headers:
                self.valid(headers[name], header["schema"], "%s %s" % (where, name))
        if "content" in described:
            media = headers.get("Content-Type", "").split(";")[0]
            self.want(media in described["content"], where, "type %r is not described", media)
            value = json.loads(body) if media == "application/json" else body
            self.valid(value, described["content"][media]["schema"], where)
        else:
            self.want(not body, where, "a body that is not described")
        self.seen.add((template, method.lower(), str(status)))

    def unseen(self, but=()):
        """Documented answers that nobody has had."""
        every = {(path, method, status) for path, item in self.root["paths"].items()
                 for method, operation in item.items() for status in operation["responses"]}
        return sorted(every - self.seen - set(but))

    def examples(self):
        """Every example against its schema."""
        def walk(node, where):
            node = self.follow(node) if isinstance(node, dict) else node
            if isinstance(node, list):
                for i, item in enumerate(node):
                    walk(item, "%s[%d]" % (where, i))
            if not isinstance(node, dict):
                return
            if "schema" in node and "example" in node:
                self.valid(node["example"], node["schema"], where)
            for name, example in node.get("examples", {}).items():
                self.valid(example["value"], node["schema"], "%s %s" % (where, name))
            for name, item in node.items():
                if name not in ("example", "examples"):
                    walk(item, "%s/%s" % (where, name))
        walk(self.root["paths"], "paths")
