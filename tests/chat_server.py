"""A thin server on this machine that speaks OpenAI's chat protocol, counts what it is asked and fails as it is told."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

Reply = tuple[str, list[tuple[str, float]]]  # the answer, and the likeliest first tokens with their log-probabilities
Refusal = tuple[int, dict[str, str], str]  # status, headers, message


class ChatServer(http.server.ThreadingHTTPServer):
    """`reply` answers a chat, `refusals` come first; `asked` counts requests by `name_of` what the user says."""

    daemon_threads = True

    def __init__(self, reply: Callable[[list[dict[str, str]]], Reply]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply = reply
        self.name_of: Callable[[str], str] = str
        self.refusals: list[Refusal] = []
        self.always_refused: dict[str, Refusal] = {}  # by name
        self.body: bytes | None = None  # what is sent instead of an answer
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.begun_s: list[float] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.delay_s = 0.0
        self.at_once = 0
        self.most_at_once = 0
        self.changed = threading.Condition()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is killed is no error here."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: ChatServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None: ...

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server, name = self.server, self.server.name_of(body["messages"][-1]["content"])
        with server.changed:
            server.begun_s.append(time.monotonic())
            server.asked[name] += 1
            server.bodies.append(body)
            server.headers.append(dict(self.headers))
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
            refusal = server.refusals.pop(0) if server.refusals else server.always_refused.get(name)
        time.sleep(server.delay_s)
        with server.changed:
            server.at_once -= 1
        if self.path != "/v1/chat/completions":
            refusal = (404, {}, "no such path")
        if refusal is not None:
            self._send(refusal[0], refusal[1], json.dumps({"error": {"message": refusal[2]}}).encode())
            return
        self._send(200, {}, server.body or json.dumps(self._completion(body)).encode())
        with server.changed:
            server.answered[name] += 1
            server.changed.notify_all()

    def _completion(self, body: dict[str, Any]) -> dict[str, Any]:
        raw, likeliest = self.server.reply(body["messages"])
        choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": raw}, "finish_reason": "stop"}
        if body.get("logprobs"):
            top = [{"token": token, "logprob": value} for token, value in likeliest[: body["top_logprobs"]]]
            choice["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]} if top else None
        n_words = sum(len(message["content"].split()) for message in body["messages"])
        usage = {"prompt_tokens": n_words, "completion_tokens": len(raw.split())}
        return {"object": "chat.completion", "model": f"{body['model']}-served", "choices": [choice], "usage": usage}

    def _send(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
