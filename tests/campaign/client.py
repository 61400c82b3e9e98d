"""A scripted person at a raw websocket: what the page's own script sends, and nothing else.

The page is loaded as Streamlit's front end loads it, the served form is read from the frames,
drafts go over the routes of the form's saver, a submission is the trigger that the form sends.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

WAIT_S = 60.0
DRAFT_ROUTES = {
    "answer": "/api/draft",
    "rating": "/api/rating-draft",
    "marking": "/api/marking-draft",
    "adjudication": "/api/adjudication-draft",
}
NAMES = {"answer": "item"}
"""What a draft calls its task, by kind of form; the others say `code`."""


@dataclass(frozen=True, slots=True)
class Form:
    """The form as it was served."""

    element: str
    data: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """`answer`, `rating`, `marking`, `practice` or `adjudication`."""
        return str(self.data["kind"])

    @property
    def item(self) -> str:
        """The task's opaque name."""
        return str(self.data["item"])

    @property
    def revision(self) -> int:
        """Of the draft that was served with it."""
        return int(self.data["revision"])


@dataclass(frozen=True, slots=True)
class Shown:
    """What one run of the page's script sent."""

    frames: tuple[bytes, ...]
    session_id: str
    form: Form | None
    words: str
    """Every piece of HTML and every label, one after another."""
    buttons: Mapping[str, str]
    """Label to the id under which a press is sent."""
    fields: Mapping[str, str]
    """Label of a place for text to the id under which its text is sent."""

    @property
    def received(self) -> bytes:
        """All frames in one piece, to search."""
        return b"".join(self.frames)


@dataclass(slots=True)
class Tab:
    """One browser tab: a socket of its own under the person's cookie."""

    base: str
    token: str
    old_session: str | None = None
    socket: ClientConnection = field(init=False)
    _open: Any = field(init=False)
    _page: str = ""
    """Hash of the page's script, which every later message of a tab names."""
    _kept: set[str] = field(default_factory=set)
    """Hashes of the messages that a browser keeps, so that they need not come again."""

    def __post_init__(self) -> None:
        names = [Subprotocol(p) for p in ("streamlit", "none", self.old_session) if p]
        self._open = connect(
            self.base.replace("http", "ws") + "/_stcore/stream",
            additional_headers={"cookie": f"safemed_session={self.token}"},
            subprotocols=names if self.old_session else names[:1],
            max_size=None,
            open_timeout=WAIT_S,
            close_timeout=1,
            ping_interval=None,
        )
        self.socket = self._open.__enter__()

    def load(self, page: str = "") -> Shown:
        """Run the page's script, as the browser does at an address of ours."""
        message = BackMsg()
        message.rerun_script.page_script_hash = "" if page else self._page
        message.rerun_script.page_name = page
        return self._run(message)

    def press(self, shown: Shown, label: str, **texts: str) -> Shown:
        """Press a button, with texts in the fields whose labels begin with the names given."""
        fields = {
            identity: texts[name]
            for written, identity in shown.fields.items()
            for name in texts
            if written.startswith(name.replace("_", " "))
        }
        assert len(fields) == len(texts), (sorted(shown.fields), texts)
        return self.push([shown.buttons[label]], fields)

    def push(self, buttons: Iterable[str], fields: Mapping[str, str]) -> Shown:
        """Send presses and texts under ids, be they of this page or of another's."""
        message = BackMsg()
        message.rerun_script.page_script_hash = self._page
        message.rerun_script.cached_message_hashes.extend(self._kept)
        for identity, text in fields.items():
            state = message.rerun_script.widget_states.widgets.add()
            state.id, state.string_value = identity, text
        for identity in buttons:
            state = message.rerun_script.widget_states.widgets.add()
            state.id, state.trigger_value = identity, True
        return self._run(message)

    def submit(self, form: Form, given: Mapping[str, Any]) -> Shown:
        """Send what the form's button sends, and wait for the page that follows."""
        self.send(form, given)
        return self.read()

    def send(self, form: Form, given: Mapping[str, Any]) -> None:
        """Send what the form's button sends, and wait for nothing."""
        message = BackMsg()
        message.rerun_script.page_script_hash = self._page
        message.rerun_script.cached_message_hashes.extend(self._kept)
        state = message.rerun_script.widget_states.widgets.add()
        state.id = f"$$STREAMLIT_INTERNAL_KEY_{form.element}__events"
        value = {"item": form.item, **given}
        state.json_trigger_value = json.dumps([{"event": "submitted", "value": value}])
        self.socket.send(message.SerializeToString())

    def read(self) -> Shown:
        """Everything until the script has come to its end."""
        frames: list[bytes] = []
        messages: list[ForwardMsg] = []
        while True:
            frame = self.socket.recv(timeout=WAIT_S)
            assert isinstance(frame, bytes)
            message = ForwardMsg()
            message.ParseFromString(frame)
            frames.append(frame)
            messages.append(message)
            if message.metadata.cacheable:
                self._kept.add(message.hash)
            self._page = message.navigation.page_script_hash or self._page
            if message.WhichOneof("type") == "script_finished" and (
                message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
            ):
                return _shown(frames, messages)

    def __enter__(self) -> Tab:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the tab."""
        self._open.__exit__(None, None, None)

    def _run(self, message: BackMsg) -> Shown:
        self.socket.send(message.SerializeToString())
        return self.read()


def _shown(frames: list[bytes], messages: list[ForwardMsg]) -> Shown:
    form, words, session_id = None, [], ""
    buttons: dict[str, str] = {}
    fields: dict[str, str] = {}
    for message in messages:
        session_id = message.new_session.initialize.session_id or session_id
        for element in _elements(message):
            kind = element.WhichOneof("type")
            if kind == "html":
                words.append(element.html.body)
            elif kind == "button":
                buttons[element.button.label] = element.button.id
            elif kind in ("text_area", "text_input"):
                field_ = getattr(element, kind)
                fields[field_.label] = field_.id
            elif kind == "bidi_component" and "draft_form" in element.bidi_component.component_name:
                bidi = element.bidi_component
                form = Form(bidi.id, json.loads(bidi.json or bidi.mixed.json))
    said = "\n".join([*words, *buttons, *fields])
    return Shown(tuple(frames), session_id, form, said, buttons, fields)


def _elements(message: ForwardMsg) -> Iterator[Any]:
    if message.WhichOneof("type") == "delta" and message.delta.WhichOneof("type") == "new_element":
        yield message.delta.new_element


@dataclass(frozen=True, slots=True)
class Answered:
    """What a route answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def ask(
    base: str, token: str | None, method: str, path: str, *,
    body: Mapping[str, Any] | None = None, form: str | None = None,
) -> Answered:  # fmt: skip
    """One request of a page of ours, under a person's cookie."""
    headers = {"origin": base, "sec-fetch-site": "same-origin"}
    if token is not None:
        headers["cookie"] = f"safemed_session={token}"
    content: bytes | None = None
    if body is not None:
        headers["content-type"], content = "application/json", json.dumps(body).encode()
    elif form is not None:
        headers["content-type"] = "application/x-www-form-urlencoded"
        content = form.encode()
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=WAIT_S)
    try:
        connection.request(method, path, body=content, headers=headers)
        response = connection.getresponse()
        sent = {name.lower(): value for name, value in response.getheaders()}
        return Answered(response.status, sent, response.read())
    finally:
        connection.close()


def save_draft(
    base: str, token: str, form: Form, given: Mapping[str, Any], revision: int
) -> Answered:
    """Keep a draft as the form's saver does."""
    body = {NAMES.get(form.kind, "code"): form.item, **given, "revision": revision}
    return ask(base, token, "POST", DRAFT_ROUTES[form.kind], body=body)


def scores_of(form: Form, point: int) -> dict[str, int]:
    """The same point on every scale that must be filled; 0 where a scale lacks it."""
    scales = [part for part in form.data["parts"] if part["type"] == "scale"]
    return {
        part["name"]: point if point in [value for value, _ in part["points"]] else 0
        for part in scales
        if not part["optional"]
    }
