"""Which model the demo talks to: yours, if there is one; else a conversation that is kept here.

Places are taken as the makers' own programs take them: OPENAI_BASE_URL, OLLAMA_HOST. PERDURE_DEMO_MODEL names a model.
Each table has a price, since the desk has a limit of money.
"""
import json
import os
import urllib.request
from urllib.parse import urlsplit

OPENAI = "https://api.openai.com/v1"
OLLAMA_PORTS = {"": 11434, "http": 80, "https": 443}  # with a scheme, the scheme's own
LOOKED_AT_MAX = 20
FREE = "price_per_mtok = {input = 0, output = 0}\n"


def ollama_url():
    given = os.environ.get("OLLAMA_HOST") or "127.0.0.1"
    scheme = given.partition("://")[0] if "://" in given else ""
    try:
        place = urlsplit(given if scheme else "http://" + given)
    except ValueError:
        place = urlsplit("http://127.0.0.1")
    try:
        port = place.port
    except ValueError:
        port = None
    port = port or OLLAMA_PORTS.get(scheme, OLLAMA_PORTS[""])
    host = place.hostname if place.hostname not in (None, "0.0.0.0", "::") else "127.0.0.1"
    return f"{place.scheme}://{'[' + host + ']' if ':' in host else host}:{port}"


def ollama_asked(path, body=None):
    """{} if nobody there answers as Ollama does."""
    try:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(ollama_url() + path, data, timeout=0.5 if body is None else 2) as response:
            answer = json.load(response)
            return answer if isinstance(answer, dict) else {}
    except (OSError, ValueError):
        return {}


def calls_tools(name):
    """Models for embeddings stand in Ollama's list too. An Ollama that is too old to say is guessed at."""
    can = ollama_asked("/api/show", {"model": name}).get("capabilities")
    return "tools" in can if isinstance(can, list) else "embed" not in name and "bert" not in name


def ollama_model(chosen):
    """The one that was chosen, or the first that calls tools; None without an Ollama that has one."""
    listed = ollama_asked("/api/tags").get("models")
    if not isinstance(listed, list) or not listed:
        return None
    if chosen:
        return chosen
    names = [model["name"] for model in listed[:LOOKED_AT_MAX] if isinstance(model, dict) and model.get("name")]
    return next(filter(calls_tools, names), None)


def table(price, **members):
    return "[models.main]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in members.items()) + price


def kept_table(kept):
    return table("price_per_mtok = {input = 0.4, output = 1.6}\n", provider="openai-chat",
                 base_url=f"http://127.0.0.1:{kept.port}/v1", model="kept-conversation", allow_private=True)


def openai(chosen):
    url = os.environ.get("OPENAI_BASE_URL") or OPENAI
    members = {"provider": "openai-chat", "base_url": url, "model": chosen or "gpt-4.1-mini",
               "key": "env:OPENAI_API_KEY"}
    if url != OPENAI:  # a server that speaks as OpenAI does: on any machine, and with the older name
        members |= {"allow_private": True, "max_tokens_member": "max_tokens"}
    where = "OpenAI's " + members["model"] if url == OPENAI else f"{members['model']} at {url}"
    priced = "" if (url, members["model"]) == (OPENAI, "gpt-4.1-mini") else ", its cost counted at gpt-4.1-mini's price"
    return (f"{where}, with your OPENAI_API_KEY{priced}",
            table("price_per_mtok = {input = 0.4, output = 1.6}\n", **members), False)


def anthropic(chosen):
    model = chosen or "claude-haiku-4-5"
    priced = "" if model == "claude-haiku-4-5" else ", its cost counted at claude-haiku-4-5's price"
    return (f"Anthropic's {model}, with your ANTHROPIC_API_KEY{priced}",
            table("price_per_mtok = {input = 1.0, output = 5.0}\n", provider="anthropic", model=model,
                  key="env:ANTHROPIC_API_KEY"), False)


def find(kept, kept_only):
    """(what is said about it, its table in the operator's file, whether it is the kept one)."""
    if kept_only:
        return "a kept conversation is replayed, as asked for", kept_table(kept), True
    chosen = os.environ.get("PERDURE_DEMO_MODEL")
    if os.environ.get("OPENAI_API_KEY"):
        return openai(chosen)
    if os.environ.get("ANTHROPIC_API_KEY"):
        return anthropic(chosen)
    local = ollama_model(chosen)
    if local:
        return f"{local}, on Ollama at {ollama_url()}", table(
            FREE, provider="openai-chat", base_url=ollama_url() + "/v1", model=local,
            max_tokens_member="max_tokens", allow_private=True), False
    return ("a kept conversation is replayed, because no key is set (OPENAI_API_KEY, ANTHROPIC_API_KEY) and no "
            "Ollama with a model that calls tools runs"), kept_table(kept), True
