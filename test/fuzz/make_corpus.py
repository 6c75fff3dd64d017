#!/usr/bin/env python3
"""Writes the seed inputs of the fuzzers into test/fuzz/corpus. Records come from the golden files."""
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "golden" / "records"


def put(fuzzer, name, data):
    folder = HERE / "corpus" / fuzzer
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def chunk(delta, finish="null"):
    return (b'data: {"id":"r","model":"m","choices":[{"index":0,"delta":{' + delta
            + b'},"finish_reason":' + finish.encode() + b"}]}\n\n")


def main():
    put("sse", "plain", b"data: a\n\ndata: b\r\n\r\n")
    put("sse", "fields", b"\xef\xbb\xbf: c\nevent: e\nid: 1\nretry: 20\ndata: a\ndata\ndata:b\n\n")
    put("sse", "cr", b"data: a\r\rid\rdata: b\r\n\r")
    header = b"\x0b:event-type\x07\x00\x05event"
    put("aws_event_stream", "event", bytes([len(header)]) + header + b"{}")
    put("aws_event_stream", "empty", bytes.fromhex("000000100000000005c248eb7d98c8ff"))
    stop = chunk(b"", '"stop"')
    usage = (b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,'
             b'"total_tokens":3}}\n\ndata: [DONE]\n\n')
    call = b'"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]'
    put("provider_answer", "text", chunk(b'"content":"x"') + stop + usage)
    put("provider_answer", "call", chunk(call, '"tool_calls"') + usage)
    put("provider_answer", "refusal", chunk(b'"refusal":"no"') + stop)
    put("provider_answer", "error", chunk(b'"content":"x"') + b'data: {"error":{"code":502}}\n\n')
    put("provider_answer", "whole", b'{"id":"r","choices":[{"message":{"content":"x",' + call
        + b'},"finish_reason":"tool_calls"}]}')
    put("provider_answer", "refused", b'{"error":{"message":"m","type":"t","code":"slow_down"}}')
    part = (b'data: {"candidates":[{"content":{"parts":[%s]},"finishReason":"%s"}],'
            b'"usageMetadata":{"promptTokenCount":1}}\n\n')
    put("provider_answer", "gemini_text", part % (b'{"text":"x","thoughtSignature":"s"}', b"STOP"))
    put("provider_answer", "gemini_call", part % (b'{"functionCall":{"name":"f","args":{}}}', b"STOP"))
    put("provider_answer", "gemini_refused", b'{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":['
        b'{"@type":"google.rpc.RetryInfo","retryDelay":"3s"}]}}')
    put("provider_answer", "bedrock_text", b'contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"x"}}\n'
        b'messageStop {"stopReason":"end_turn"}\nmetadata {"usage":{"inputTokens":1,"outputTokens":2}}')
    put("provider_answer", "bedrock_call", b'contentBlockStart {"contentBlockIndex":1,"start":{"toolUse":'
        b'{"toolUseId":"a","name":"f"}}}\ncontentBlockDelta {"contentBlockIndex":1,"delta":{"toolUse":'
        b'{"input":"{}"}}}\nmessageStop {"stopReason":"tool_use"}')
    put("provider_answer", "bedrock_thinks", b'contentBlockDelta {"contentBlockIndex":0,"delta":'
        b'{"reasoningContent":{"text":"h","signature":"s"}}}\nmessageStop {"stopReason":"max_tokens"}')
    put("provider_answer", "bedrock_throttled", b'!throttlingException {"message":"slow"}')
    put("json", "members", b'{"s":"x","i":5,"n":1.5,"b":true,"d":"5m","c":"two","o":{},"a":[1]}')
    put("json", "escapes", b'["\\u00e4\\ud83d\\ude42\\n", -0, 1e308, 18446744073709551615, null]')
    put("schema", "object", b'{"type":"object","required":["a"],"properties":{"a":{"type":["integer","null"],'
        b'"minimum":1}},"additionalProperties":false}\n{"a":0,"b":1}')
    put("schema", "refs", b'{"$id":"x:r","$defs":{"n":{"$dynamicAnchor":"n","anyOf":[{"type":"string"},{"items":'
        b'{"$dynamicRef":"#n"}}]}},"$ref":"#/$defs/n","unevaluatedItems":false}\n["a",["b",[1.5]]]')
    put("schema", "pattern", b'{"patternProperties":{"^\\\\p{Lu}[\\\\w-]+$":{"pattern":"\\\\s","multipleOf":0.01,'
        b'"uniqueItems":true,"contains":{"const":1}}}}\n{"Ab":[1,1.0,{"c":2}],"x":" "}')
    for path in sorted(GOLDEN.glob("*.hex")):
        data = bytes.fromhex(path.read_text())
        is_frame = path.name.startswith("frame")
        put("record_codec", path.name.removesuffix(".hex"),
            bytes([len(list(GOLDEN.glob("*.json")))]) + data if is_frame else data)


main()
