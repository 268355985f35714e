"""``python -m tests.providers.policy_server CERTIFICATE KEY``: HTTPS with an MTA-STS policy."""

from __future__ import annotations

import http.server
import ssl
import sys

_POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mx.sts.test\r\nmax_age: 86400\r\n"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/.well-known/mta-sts.txt" else 404)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(_POLICY)


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("0.0.0.0", 443), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
