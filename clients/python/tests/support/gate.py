"""A gate in front of a real server, which lets calls through, or does to them what networks and proxies do."""

import http.client
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Gate:
    """
    `mode` may be changed at any time: pass; lose (the server takes the call, its reply is lost); hang (nothing is
    replied until the mode is another; then the connection is closed); drip (a byte now and then); a status such as 500, with `headers`; or text (a page that is no JSON).
    """

    def __init__(self, port: int) -> None:
        self.mode: str | int = "pass"
        self.headers: dict[str, str] = {}
        self.body = b""
        self.calls = 0
        self.is_closing = threading.Event()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                gate.calls += 1
                body = self.rfile.read(int(self.headers["content-length"]))
                mode = gate.mode
                if mode == "hang":
                    while gate.mode == "hang" and not gate.is_closing.wait(0.02):
                        pass
                    self.close_connection = True
                elif mode == "drip":
                    self.drip()
                elif isinstance(mode, int):
                    self.reply(mode, gate.headers, gate.body)
                elif mode == "text":
                    self.reply(200, {"content-type": "text/html"}, b"<h1>Sign in</h1>")
                else:
                    self.forward(body, mode)

            def forward(self, body: bytes, mode: str | int) -> None:
                names = ("content-type", "content-encoding", "authorization", "accept")
                headers = {name: self.headers[name] for name in names if name in self.headers}
                server = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                server.request("POST", self.path, body, headers)
                response = server.getresponse()
                reply = response.read()
                if mode == "lose":
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                else:
                    self.reply(response.status, {"content-type": "application/json"}, reply)

            def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def drip(self) -> None:
                try:
                    while not gate.is_closing.wait(0.05):
                        self.wfile.write(b"H")
                        self.wfile.flush()
                except OSError:
                    self.close_connection = True

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/graphql"

    def __enter__(self) -> "Gate":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.is_closing.set()
        self._server.shutdown()
        self._server.server_close()
