#pragma once
// The meta-schema of draft 2020-12 and its vocabularies, as far as they constrain: each is what the
// specification says of its keywords. Supplied to the tests that refer to it.
#include <string>
#include <utility>
#include <vector>

namespace perdure {

inline const std::vector<std::pair<std::string, std::string>> kMetaSchemas = {
    {"https://json-schema.org/draft/2020-12/schema", R"({
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "$id": "https://json-schema.org/draft/2020-12/schema",
      "$vocabulary": {
        "https://json-schema.org/draft/2020-12/vocab/core": true,
        "https://json-schema.org/draft/2020-12/vocab/applicator": true,
        "https://json-schema.org/draft/2020-12/vocab/unevaluated": true,
        "https://json-schema.org/draft/2020-12/vocab/validation": true,
        "https://json-schema.org/draft/2020-12/vocab/meta-data": true,
        "https://json-schema.org/draft/2020-12/vocab/format-annotation": true,
        "https://json-schema.org/draft/2020-12/vocab/content": true},
      "$dynamicAnchor": "meta",
      "allOf": [{"$ref": "meta/core"}, {"$ref": "meta/applicator"}, {"$ref": "meta/unevaluated"},
                {"$ref": "meta/validation"}, {"$ref": "meta/meta-data"},
                {"$ref": "meta/format-annotation"}, {"$ref": "meta/content"}],
      "type": ["object", "boolean"],
      "properties": {
        "definitions": {"type": "object", "additionalProperties": {"$dynamicRef": "#meta"}},
        "dependencies": {"type": "object", "additionalProperties": {
          "anyOf": [{"$dynamicRef": "#meta"}, {"$ref": "meta/validation#/$defs/stringArray"}]}}}})"},
    {"https://json-schema.org/draft/2020-12/meta/core", R"({
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "$id": "https://json-schema.org/draft/2020-12/meta/core",
      "$dynamicAnchor": "meta",
      "type": ["object", "boolean"],
      "properties": {
        "$id": {"$ref": "#/$defs/uriReference", "pattern": "^[^#]*#?$"},
        "$schema": {"$ref": "#/$defs/uriReference"},
        "$ref": {"$ref": "#/$defs/uriReference"},
        "$anchor": {"$ref": "#/$defs/anchor"},
        "$dynamicRef": {"$ref": "#/$defs/uriReference"},
        "$dynamicAnchor": {"$ref": "#/$defs/anchor"},
        "$vocabulary": {"type": "object", "propertyNames": {"type": "string"},
                        "additionalProperties": {"type": "boolean"}},
        "$comment": {"type": "string"},
        "$defs": {"type": "object", "additionalProperties": {"$dynamicRef": "#meta"}}},
      "$defs": {"anchor": {"type": "string", "pattern": "^[A-Za-z_][-A-Za-z0-9._]*$"},
                "uriReference": {"type": "string", "format": "uri-reference"}}})"},
    {"https://json-schema.org/draft/2020-12/meta/applicator", R"({
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "$id": "https://json-schema.org/draft/2020-12/meta/applicator",
      "$dynamicAnchor": "meta",
      "type": ["object", "boolean"],
      "properties": {
        "prefixItems": {"$ref": "#/$defs/schemas"},
        "items": {"$dynamicRef": "#meta"},
        "contains": {"$dynamicRef": "#meta"},
        "additionalProperties": {"$dynamicRef": "#meta"},
        "properties": {"type": "object", "additionalProperties": {"$dynamicRef": "#meta"}},
        "patternProperties": {"type": "object", "additionalProperties": {"$dynamicRef": "#meta"},
                              "propertyNames": {"format": "regex"}},
        "dependentSchemas": {"type": "object", "additionalProperties": {"$dynamicRef": "#meta"}},
        "propertyNames": {"$dynamicRef": "#meta"},
        "if": {"$dynamicRef": "#meta"},
        "then": {"$dynamicRef": "#meta"},
        "else": {"$dynamicRef": "#meta"},
        "allOf": {"$ref": "#/$defs/schemas"},
        "anyOf": {"$ref": "#/$defs/schemas"},
        "oneOf": {"$ref": "#/$defs/schemas"},
        "not": {"$dynamicRef": "#meta"}},
      "$defs": {"schemas": {"type": "array", "minItems": 1, "items": {"$dynamicRef": "#meta"}}}})"},
    {"https://json-schema.org/draft/2020-12/meta/unevaluated", R"({
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "$id": "https://json-schema.org/draft/2020-12/meta/unevaluated",
      "$dynamicAnchor": "meta",
      "type": ["object", "boolean"],
      "properties": {"unevaluatedItems": {"$dynamicRef": "#meta"},
                     "unevaluatedProperties": {"$dynamicRef": "#meta"}}})"},
    {"https://json-schema.org/draft/2020-12/meta/validation", R"({
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "$id": "https://json-schema.org/draft/2020-12/meta/validation",
      "$dynamicAnchor": "meta",
      "type": ["object", "boolean"],
      "properties": {
        "type": {"anyOf": [{"$ref": "#/$defs/simpleType"},
                           {"type": "array", "items": {"$ref": "#/$defs/simpleType"},
                            "minItems": 1, "uniqueItems": true}]},
        "const": true,
        "enum": {"type": "array"},
        "multipleOf": {"type": "number", "exclusiveMinimum": 0},
        "maximum": {"type": "number"}, "exclusiveMaximum": {"type": "number"},
        "minimum": {"type": "number"}, "exclusiveMinimum": {"type": "number"},
        "maxLength": {"$ref": "#/$defs/count"}, "minLength": {"$ref": "#/$defs/count"},
        "pattern": {"type": "string", "format": "regex"},
        "maxItems": {"$ref": "#/$defs/count"}, "minItems": {"$ref": "#/$defs/count"},
        "uniqueItems": {"type": "boolean"},
        "maxContains": {"$ref": "#/$defs/count"}, "minContains": {"$ref": "#/$defs/count"},
        "maxProperties": {"$ref": "#/$defs/count"}, "minProperties": {"$ref": "#/$defs/count"},
        "required": {"$ref": "#/$defs/stringArray"},
        "dependentRequired": {"type": "object",
                              "additionalProperties": {"$ref": "#/$defs/stringArray"}}},
      "$defs": {
        "count": {"type": "integer", "minimum": 0},
        "simpleType": {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]},
        "stringArray": {"type": "array", "items": {"type": "string"}, "uniqueItems": true}}})"},
    {"https://json-schema.org/draft/2020-12/meta/meta-data", R"({
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "$id": "https://json-schema.org/draft/2020-12/meta/meta-data",
      "$dynamicAnchor": "meta",
      "type": ["object", "boolean"],
      "properties": {"title": {"type": "string"}, "description": {"type": "string"},
                     "deprecated": {"type": "boolean"}, "readOnly": {"type": "boolean"},
                     "writeOnly": {"type": "boolean"}, "examples": {"type": "array"}}})"},
    {"https://json-schema.org/draft/2020-12/meta/format-annotation", R"({
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "$id": "https://json-schema.org/draft/2020-12/meta/format-annotation",
      "$dynamicAnchor": "meta",
      "type": ["object", "boolean"],
      "properties": {"format": {"type": "string"}}})"},
    {"https://json-schema.org/draft/2020-12/meta/content", R"({
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "$id": "https://json-schema.org/draft/2020-12/meta/content",
      "$dynamicAnchor": "meta",
      "type": ["object", "boolean"],
      "properties": {"contentEncoding": {"type": "string"}, "contentMediaType": {"type": "string"},
                     "contentSchema": {"$dynamicRef": "#meta"}}})"},
};

}  // namespace perdure
