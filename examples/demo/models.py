"""Which model the demo talks to: yours, if there is one; else a conversation that is kept here."""
import json
import os
import urllib.request

OLLAMA = "http://127.0.0.1:11434"


def ollama_model():
    try:
        with urllib.request.urlopen(OLLAMA + "/api/tags", timeout=0.5) as response:
            models = json.load(response).get("models", [])
            return models[0]["name"] if models else None
    except (OSError, ValueError, KeyError):
        return None


def table(**members):
    return "[models.main]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in members.items())


def kept_table(kept):
    return table(provider="openai-chat", base_url=f"http://127.0.0.1:{kept.port}/v1",
                 model="kept-conversation", allow_private=True,
                 ) + "price_per_mtok = {input = 0.4, output = 1.6}\n"


def find(kept, kept_only):
    """(what is said about it, its table in the operator's file, whether it is the kept one)."""
    if kept_only:
        return "a kept conversation is replayed, as asked for", kept_table(kept), True
    chosen = os.environ.get("PERDURE_DEMO_MODEL")
    if os.environ.get("OPENAI_API_KEY"):
        model = chosen or "gpt-4.1-mini"
        return f"OpenAI's {model}, with your OPENAI_API_KEY", table(
            provider="openai-chat", base_url="https://api.openai.com/v1", model=model,
            key="env:OPENAI_API_KEY") + "price_per_mtok = {input = 0.4, output = 1.6}\n", False
    if os.environ.get("ANTHROPIC_API_KEY"):
        model = chosen or "claude-haiku-4-5"
        return f"Anthropic's {model}, with your ANTHROPIC_API_KEY", table(
            provider="anthropic", model=model, key="env:ANTHROPIC_API_KEY",
            ) + "price_per_mtok = {input = 1.0, output = 5.0}\n", False
    local = chosen or ollama_model()
    if local:
        return f"{local}, on this machine (Ollama)", table(
            provider="openai-chat", base_url=OLLAMA + "/v1", model=local, allow_private=True), False
    return ("a kept conversation is replayed, because no key is set (OPENAI_API_KEY, ANTHROPIC_API_KEY) and "
            "Ollama does not run"), kept_table(kept), True
