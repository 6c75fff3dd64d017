#!/usr/bin/env python3
"""Writes the seed inputs of the fuzzers into test/fuzz/corpus. Records come from the golden files."""
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "golden" / "records"


def put(fuzzer, name, data):
    folder = HERE / "corpus" / fuzzer
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def colliding_names(salt, bits):
    names = []
    for number in range(4096):
        name, value = b"%03x" % number, 0xCBF29CE484222325 + salt
        for byte in name:
            value = ((byte ^ value) * 0x100000001B3) % (1 << 64)
        last = value % (1 << bits) + 64
        if last not in b"\\\x7f" and len(names) < 1 << bits:
            names.append(name + bytes([last]))
    return names


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
    start = b'data: {"type":"message_start","message":{"id":"m","usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
    block = (b'data: {"type":"content_block_start","index":0,"content_block":%s}\n\n'
             b'data: {"type":"content_block_delta","index":0,"delta":%s}\n\n'
             b'data: {"type":"content_block_stop","index":0}\n\n')
    ends = (b'data: {"type":"message_delta","delta":{"stop_reason":"%s"},"usage":{"output_tokens":2}}\n\n'
            b'data: {"type":"message_stop"}\n\n')
    put("provider_answer", "anthropic_text", start + block % (
        b'{"type":"text","text":""}', b'{"type":"text_delta","text":"x"}') + ends % b"end_turn")
    put("provider_answer", "anthropic_call", start + block % (
        b'{"type":"tool_use","id":"a","name":"f","input":{}}',
        b'{"type":"input_json_delta","partial_json":"{}"}') + ends % b"tool_use")
    put("provider_answer", "anthropic_thinks", start + block % (
        b'{"type":"thinking","thinking":"","signature":""}',
        b'{"type":"signature_delta","signature":"s"}') + ends % b"pause_turn")
    put("provider_answer", "anthropic_error",
        start + b'data: {"type":"error","error":{"type":"overloaded_error","message":"m"}}\n\n')
    put("provider_answer", "anthropic_refused",
        b'{"type":"error","error":{"type":"rate_limit_error","message":"m"},"request_id":"r"}')
    response = b'data: {"type":"response.%s","response":{"id":"r","status":"%s"%s}}\n\n'
    item = b'data: {"type":"response.output_item.done","output_index":0,"item":%s}\n\n'
    created = response % (b"created", b"in_progress", b"")
    done = response % (b"completed", b"completed", b',"usage":{"input_tokens":1,"output_tokens":2}')
    put("provider_answer", "responses_text",
        created + b'data: {"type":"response.output_text.delta","output_index":0,"delta":"x"}\n\n' + item
        % b'{"type":"message","content":[{"type":"output_text","text":"x"}]}' + done)
    put("provider_answer", "responses_call", created + item
        % b'{"type":"function_call","call_id":"a","name":"f","arguments":"{}"}' + done)
    put("provider_answer", "responses_thinks", created + item
        % b'{"type":"reasoning","id":"rs","summary":[],"encrypted_content":"e"}' + done)
    put("provider_answer", "responses_failed",
        created + response % (b"failed", b"failed", b',"error":{"code":"rate_limit_exceeded"}'))
    put("provider_answer", "responses_queued", b'{"id":"r","status":"queued","output":[]}')
    put("json", "members", b'{"s":"x","i":5,"n":1.5,"b":true,"d":"5m","c":"two","o":{},"a":[1]}')
    put("json", "escapes", b'["\\u00e4\\ud83d\\ude42\\n", -0, 1e308, 18446744073709551615, null]')
    many = b",".join(b'"%02x":0' % number for number in range(101))
    put("json", "too_many_members", b"{" + many + b"}")
    # FNV-1a of these names, from its offset plus 16, ends in six zeros: one bucket of Boost.JSON's own tables.
    put("json", "colliding_members", b"{" + b",".join(b'"%s":0' % name for name in colliding_names(16, 6)) + b"}")
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
