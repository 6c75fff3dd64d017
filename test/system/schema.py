"""JSON Schema, as far as api/openapi.json uses it. A word that is not known here is an error: what is
not understood is not checked."""
import re

IGNORED = {"description", "example", "format", "title", "default"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def is_a(kind, value):
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[kind])


def check(document, schema, value, where="$"):
    """What does not fit, as lines."""
    if "$ref" in schema:
        target = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return check(document, target, value, where)
    out = []
    for word, rule in schema.items():
        if word == "type":
            kinds = rule if isinstance(rule, list) else [rule]
            if not any(is_a(kind, value) for kind in kinds):
                return [f"{where}: {value!r} is no {rule}"]
        elif word == "enum":
            out += [] if value in rule else [f"{where}: {value!r} is none of {rule}"]
        elif word == "const":
            out += [] if value == rule else [f"{where}: {value!r} is not {rule!r}"]
        elif word == "required":
            out += [f"{where}: {name} is missing" for name in rule if name not in value]
        elif word == "properties":
            for name in rule.keys() & value.keys() if isinstance(value, dict) else ():
                out += check(document, rule[name], value[name], f"{where}.{name}")
        elif word == "additionalProperties":
            more = value.keys() - schema.get("properties", {}).keys() if isinstance(value, dict) else ()
            if rule is False:
                out += [f"{where}: {name} is not described" for name in more]
            elif isinstance(rule, dict):
                for name in more:
                    out += check(document, rule, value[name], f"{where}.{name}")
        elif word == "items":
            for at, item in enumerate(value if isinstance(value, list) else ()):
                out += check(document, rule, item, f"{where}[{at}]")
        elif word in ("minimum", "maximum"):
            if is_a("number", value) and (value < rule if word == "minimum" else value > rule):
                out.append(f"{where}: {value} against {word} {rule}")
        elif word in ("oneOf", "anyOf"):
            if not any(check(document, one, value, where) == [] for one in rule):
                out.append(f"{where}: {value!r} fits none")
        elif word not in IGNORED:
            raise ValueError(f"{where}: {word} is not understood")
        if word == "format" and rule == "date-time" and isinstance(value, str) and not TIME.fullmatch(value):
            out.append(f"{where}: {value!r} is no time")
    return out
