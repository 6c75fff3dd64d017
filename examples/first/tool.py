import json
from http.server import BaseHTTPRequestHandler, HTTPServer
done = {}  # key -> answer; a real tool keeps them in the database, in the transaction that does the work
class Refunds(BaseHTTPRequestHandler):
    def do_POST(self):
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers["Idempotency-Key"]  # the same for every send of one call
        answer = done.setdefault(key, {"refunded": wanted["order"], "receipt": len(done) + 1})
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())
HTTPServer(("127.0.0.1", 7801), Refunds).serve_forever()
