"""One plan a line in, one turn a line out: the Python planner as a filter."""
import importlib.util
import json
import sys

spec = importlib.util.spec_from_file_location("script_planner", sys.argv[1])
planner = importlib.util.module_from_spec(spec)
spec.loader.exec_module(planner)
for line in sys.stdin:
    print(json.dumps(planner.answer(json.loads(line))))
