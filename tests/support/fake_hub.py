"""A Hub on this machine that speaks the HTTP of huggingface_hub: repositories, commits, tags, files."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN, READ_TOKEN = "hf_writes", "hf_reads"
OWNER = "lab"

Files = dict[str, bytes]


@dataclass
class Repo:
    """A dataset repository; every commit holds all of its files."""

    private: bool
    commits: dict[str, Files] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> str:
        return list(self.commits)[-1]

    @property
    def files(self) -> Files:
        return self.commits[self.head]

    def commit(self, files: Files, message: str) -> str:
        sha = hashlib.sha1(f"{len(self.commits)} {message}".encode()).hexdigest()
        self.commits[sha] = files
        self.messages.append(message)
        return sha

    def at(self, revision: str) -> tuple[str, Files] | None:
        sha = self.head if revision == "main" else self.tags.get(revision, revision)
        return (sha, self.commits[sha]) if sha in self.commits else None


@dataclass
class FakeHub:
    """What the server holds, what it was asked, and how it shall fail.

    Attributes:
        failures: ``METHOD path-regex`` -> status and message of every answer to such a request.
    """

    address: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    failures: dict[str, tuple[int, str]] = field(default_factory=dict)

    def environment(self, token: str | None = TOKEN) -> dict[str, str]:
        """Variables with which huggingface_hub asks this Hub."""
        found = {"HF_ENDPOINT": self.address, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
        return found if token is None else {**found, "HF_TOKEN": token}

    def add(self, repo_id: str, files: Mapping[str, bytes], *, private: bool = False) -> Repo:
        repo = self.repos[repo_id] = Repo(private)
        repo.commit({".gitattributes": b"*.mp4 filter=lfs\n", **files}, "initial commit")
        return repo


class RefusedError(Exception):
    def __init__(self, status: int, message: str, code: str = "") -> None:
        self.status, self.message, self.code = status, message, code


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None: ...

    def do_HEAD(self) -> None:
        self._serve()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD  # noqa: N815  # as http.server wants them

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(self._chunks())
        path = unquote(urlsplit(self.path).path)
        request = f"{self.command} {path}"
        self.hub.requests.append(request)
        try:
            for pattern, (status, message) in self.hub.failures.items():
                if re.fullmatch(pattern, request):
                    raise RefusedError(status, message)
            for pattern, answer in _ROUTES:
                if match := re.fullmatch(pattern, request):
                    self._send(200, answer(self, body, *match.groups()))
                    return
            raise RefusedError(404, f"nothing answers {request}")
        except RefusedError as refusal:
            headers = {"X-Error-Code": refusal.code} if refusal.code else {}
            self._send(
                refusal.status, {"error": refusal.message}, {**headers, "X-Error-Message": refusal.message}
            )

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _send(self, status: int, answer: Any, headers: Mapping[str, str] | None = None) -> None:
        if isinstance(answer, tuple):
            answer, headers = answer
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _writer(self) -> None:
        token = self._token()
        if token == READ_TOKEN:
            raise RefusedError(403, "you need a token with write permission")
        if token != TOKEN:
            raise RefusedError(401, "Invalid username or password.")

    def _token(self) -> str:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def _repo(self, repo_id: str) -> Repo:
        repo = self.hub.repos.get(repo_id)
        if repo is None or (repo.private and self._token() not in (TOKEN, READ_TOKEN)):
            raise RefusedError(404, "Repository not found", "RepoNotFound")
        return repo

    def _at(self, repo_id: str, revision: str) -> tuple[str, Files]:
        found = self._repo(repo_id).at(revision)
        if found is None:
            raise RefusedError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return found

    def whoami(self, _: bytes) -> Any:
        if self._token() not in (TOKEN, READ_TOKEN):
            raise RefusedError(401, "Invalid username or password.")
        role = "read" if self._token() == READ_TOKEN else "write"
        orgs = [{"name": "robots"}]
        return {"name": OWNER, "type": "user", "orgs": orgs, "auth": {"accessToken": {"role": role}}}

    def validate(self, _: bytes) -> Any:
        return {"errors": [], "warnings": []}

    def create(self, body: bytes) -> Any:
        self._writer()
        wanted = json.loads(body)
        repo_id = f"{wanted.get('organization') or OWNER}/{wanted['name']}"
        assert wanted["type"] == "dataset"
        if repo_id in self.hub.repos:
            raise RefusedError(409, "You already created this dataset repo")
        self.hub.add(
            repo_id, {}, private=wanted.get("visibility") == "private" or bool(wanted.get("private"))
        )
        return {"url": f"{self.hub.address}/datasets/{repo_id}"}

    def info(self, _: bytes, repo_id: str, revision: str | None) -> Any:
        sha, files = self._at(repo_id, revision or "main")
        names = [{"rfilename": name} for name in files]
        return {"id": repo_id, "sha": sha, "private": self._repo(repo_id).private, "siblings": names}

    def tree(self, _: bytes, repo_id: str, revision: str) -> Any:
        files = self._at(repo_id, revision)[1]
        folders = {name.rsplit("/", depth)[0] for name in files for depth in range(1, name.count("/") + 1)}
        return [{"type": "directory", "path": name, "oid": "0" * 40} for name in sorted(folders)] + [
            {"type": "file", "path": name, "size": len(data), "oid": _git_oid(data)}
            for name, data in files.items()
        ]

    def refs(self, _: bytes, repo_id: str) -> Any:
        repo = self._repo(repo_id)
        tags = [{"name": t, "ref": f"refs/tags/{t}", "targetCommit": sha} for t, sha in repo.tags.items()]
        branches = [{"name": "main", "ref": "refs/heads/main", "targetCommit": repo.head}]
        return {"branches": branches, "tags": tags, "converts": []}

    def preupload(self, body: bytes, repo_id: str, revision: str) -> Any:
        self._writer()
        _, there = self._at(repo_id, revision)
        files = []
        for wanted in json.loads(body)["files"]:
            large = wanted["path"].endswith((".parquet", ".mp4"))
            data = there.get(wanted["path"])
            oid = None if data is None else hashlib.sha256(data).hexdigest() if large else _git_oid(data)
            mode = "lfs" if large else "regular"
            files.append({"path": wanted["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return {"files": files}

    def batch(self, body: bytes, _: str) -> Any:
        self._writer()
        objects = []
        for wanted in json.loads(body)["objects"]:
            href = {"upload": {"href": f"{self.hub.address}/large/{wanted['oid']}"}}
            objects.append({**wanted, **({} if wanted["oid"] in self.hub.large else {"actions": href})})
        return {"transfer": "basic", "objects": objects}

    def upload(self, body: bytes, oid: str) -> Any:
        assert hashlib.sha256(body).hexdigest() == oid
        self.hub.large[oid] = body
        return {}

    def commit(self, body: bytes, repo_id: str, revision: str) -> Any:
        self._writer()
        repo = self._repo(repo_id)
        head, there = self._at(repo_id, revision)
        files, message = dict(there), ""
        for line in map(json.loads, body.splitlines()):
            kind, value = line["key"], line["value"]
            if kind == "header":
                message = value["summary"]
                if value.get("parentCommit", head) != head:
                    raise RefusedError(412, "A commit has happened since. Please refresh and try again.")
            elif kind == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif kind == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
            elif kind == "deletedFile":
                del files[value["path"]]
            else:
                raise RefusedError(400, f"{kind} is not known")
        sha = repo.commit(files, message)
        return {"commitUrl": f"{self.hub.address}/datasets/{repo_id}/commit/{sha}", "commitOid": sha}

    def tag(self, body: bytes, repo_id: str, revision: str) -> Any:
        self._writer()
        name = json.loads(body)["tag"]
        if name in self._repo(repo_id).tags:
            raise RefusedError(409, "Tag reference exists already")
        self._repo(repo_id).tags[name] = self._at(repo_id, revision)[0]
        return {}

    def untag(self, _: bytes, repo_id: str, name: str) -> Any:
        self._writer()
        if self._repo(repo_id).tags.pop(name, None) is None:
            raise RefusedError(404, "Tag not found", "RevisionNotFound")
        return {}

    def file(self, _: bytes, repo_id: str, revision: str, path: str) -> Any:
        sha, files = self._at(repo_id, revision)
        if path not in files:
            raise RefusedError(404, "Entry not found", "EntryNotFound")
        data = files[path]
        return data, {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": sha}


def _git_oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


_NAME = r"([^/]+/[^/]+)"
_ROUTES = [
    (r"GET /api/whoami-v2", _Handler.whoami),
    (r"POST /api/validate-yaml", _Handler.validate),
    (r"POST /api/repos/create", _Handler.create),
    (rf"GET /api/datasets/{_NAME}(?:/revision/(.+))?", _Handler.info),
    (rf"GET /api/datasets/{_NAME}/tree/([^/]+)", _Handler.tree),
    (rf"GET /api/datasets/{_NAME}/refs", _Handler.refs),
    (rf"POST /api/datasets/{_NAME}/preupload/(.+)", _Handler.preupload),
    (rf"POST /datasets/{_NAME}\.git/info/lfs/objects/batch", _Handler.batch),
    (r"PUT /large/(.+)", _Handler.upload),
    (rf"POST /api/datasets/{_NAME}/commit/(.+)", _Handler.commit),
    (rf"POST /api/datasets/{_NAME}/tag/(.+)", _Handler.tag),
    (rf"DELETE /api/datasets/{_NAME}/tag/(.+)", _Handler.untag),
    (rf"(?:HEAD|GET) /datasets/{_NAME}/resolve/([^/]+)/(.+)", _Handler.file),
]


@contextmanager
def serving() -> Iterator[FakeHub]:
    """A Hub that answers until the block ends."""
    hub = FakeHub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
