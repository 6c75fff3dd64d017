"""Checks on what a model was sent, written from the provider's description and not from our code."""
import json


def check_conversation(test, body):
    """Every call of an assistant is followed at once by one result each, in order."""
    request = json.loads(body)
    test.assertIs(request["stream"], True)
    known = {tool["function"]["name"] for tool in request.get("tools", [])}
    messages = request["messages"]
    test.assertIn(messages[0]["role"], ("system", "user"))
    test.assertNotEqual(messages[-1]["role"], "assistant", "nothing is asked")
    open_calls, seen = [], set()
    for message in messages:
        if message["role"] == "tool":
            test.assertTrue(open_calls, f"a result without its call: {message}")
            test.assertEqual(message["tool_call_id"], open_calls.pop(0))
            test.assertIsInstance(message["content"], str)
            continue
        test.assertEqual(open_calls, [], f"calls without a result before {message}")
        for call in message.get("tool_calls", []):
            test.assertEqual(message["role"], "assistant")
            test.assertEqual(call["type"], "function")
            test.assertIsInstance(call["function"]["arguments"], str)
            test.assertNotIn(call["id"], seen, "an id stands for two calls")
            seen.add(call["id"])
            open_calls.append(call["id"])
    test.assertEqual(open_calls, [], "calls without a result at the end")
    return known


def check_prefixes(test, bodies):
    """A later request begins with the bytes of an earlier one up to the end of its messages: what
    providers cache."""
    distinct = sorted(set(bodies), key=lambda body: len(json.loads(body)["messages"]))
    for earlier, later in zip(distinct, distinct[1:]):
        end = earlier.index('],"tools"') if '],"tools"' in earlier else earlier.index('],"stream"')
        test.assertEqual(later[:end], earlier[:end])
        test.assertEqual(later[end], ",")
        test.assertEqual(earlier[end:], later[later.rindex(earlier[end:]):])
