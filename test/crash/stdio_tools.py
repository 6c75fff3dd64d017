#!/usr/bin/env python3
"""An MCP server on stdin and stdout that writes down each call before it answers: stdio_tools.py FILE"""
import json
import os
import sys

from receivers import mcp_result, mcp_text


def main():
    calls = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request:
            continue
        result = mcp_result(request)
        if request["method"] == "tools/call":
            key = request["params"]["_meta"]["perdure/idempotency-key"]
            os.write(calls, f"{request['params']['name']} {key}\n".encode())
            result = mcp_text(key)
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)


if __name__ == "__main__":
    main()
