# SPDX-License-Identifier: Apache-2.0
"""Holds one channel's conversation: hello, then request after request, each decoded, given to the TEE core, answered.

Whatever a client sends, the worst that comes of it is the end of its channel and a line in the log.
"""

import contextlib
import logging
from collections.abc import Iterator

from softee.daemon import memory_file
from softee.daemon.change_page import ChangePage
from softee.daemon.channel import Channel
from softee.daemon.clients import ClientProcess, Clients
from softee.daemon.settings import Limits
from softee.names import Origin, TeeResult
from softee.tee.application import TeeError
from softee.tee.core import ClientContext
from softee.tee.wiping import wipe
from softee.wire.codec import WireError
from softee.wire.frames import Frame, FrameType
from softee.wire.messages import (
    FEATURE_CHANGE_COUNTERS,
    FEATURE_MEMORY_FILES,
    FEATURES,
    REPLY_OF,
    VERSION,
    Cancel,
    CloseSession,
    Hello,
    HelloReply,
    Invoke,
    OpenSession,
    OpenSessionReply,
    Request,
    ResultReply,
    decode_request,
    encode_invoke_reply,
)
from softee.wire.parameters import NO_PARAMETERS, Parameters
from softee.wire.values import Memref

log = logging.getLogger(__name__)

_REPLY_HEAD = 256
"""Bytes of a reply frame that are kept for all but inline outputs."""
_QUICK_OUTPUT = 16 * 1024
"""Bytes of answers that are made in a moment, as they travel in the frame."""
_QUICK_MEMORY = 144 * 1024
"""The same of all that goes through a memory file: 64 KiB and the answer to them, copied in some ten microseconds."""


class Conversation:
    """What happens on one channel.

    ``advance`` answers what can be answered at once, and never waits. Where it cannot, ``catch_up`` waits, in a thread
    that has nothing else to do. One of the two runs at a time. Both raise WireError where the client broke the
    protocol, and OSError where the connection broke, or the client did not read.
    """

    def __init__(self, channel: Channel, clients: Clients, limits: Limits, page: ChangePage | None) -> None:
        self.channel = channel
        self.client: ClientProcess | None = None
        """Whose channel it is, from HELLO on."""
        self._clients = clients
        self._limits = limits
        self._most_output = limits.max_frame - _REPLY_HEAD
        self._page = page
        self._memory_files = False
        self._request: tuple[Frame, Request] | None = None
        """What has come and takes its time."""
        self._sent = True
        self.wait = 0.0
        """For how many seconds what has come has to wait until ``catch_up`` does it. Who has waited sets it to 0."""
        self.was_quick = False
        """Whether the request that ``catch_up`` has answered would have been answered at once by the loop."""

    def advance(self) -> bool:
        """Take a request and answer it. False: ``catch_up`` has to do it, or to finish it."""
        frame, client = self.channel.take(), self.client
        if frame is None or client is None:
            return False
        request = decode_request(frame)
        if client.busy or not self._is_done_at_once(client.context, request):
            self._keep(client.context, frame, request)
            return False
        return self._serve(client.context, frame, request)

    def catch_up(self) -> bool:
        """Do what ``advance`` has left, or say hello. False: the conversation has ended.

        Where something has come meanwhile that has to ``wait``, it is left, for the next call.
        """
        if self.client is None:
            return self._begin()
        if self._sent and not self._serve_next(self.client):
            return False
        if not self._sent:
            self.channel.send_rest()
            self._sent = True
        return True

    def end(self) -> None:
        """Close the channel, and the client's context where this was its last one. Waits for what runs there."""
        try:
            if self.client is not None:
                self._clients.leave(self.client, self.channel)
        finally:
            self._clients.part(self.channel)
            self.channel.close()

    def _begin(self) -> bool:
        """Say hello. False where that ends the conversation."""
        frame = self.channel.receive(self._limits.frame_timeout)
        if frame is None:
            return False
        hello = self._hello(frame)
        try:
            self.client, secret = self._enter(hello)
        except TeeError as error:
            pid, uid = self.channel.peer.pid, self.channel.peer.uid
            log.info("no channel for pid %d, uid %d: %s", pid, uid, error, extra={"uid": uid})
            self._greet(frame.serial, HelloReply(error.result, VERSION, 0, self._limits.max_frame))
            return False
        features = hello.features & (FEATURES if self._page else FEATURES & ~FEATURE_CHANGE_COUNTERS)
        self._memory_files = bool(features & FEATURE_MEMORY_FILES)
        self._greet(frame.serial, HelloReply(TeeResult.SUCCESS, VERSION, features, self._limits.max_frame, secret))
        return True

    def _serve_next(self, client: ClientProcess) -> bool:
        """Answer the request that is there, or else the next one. False at the end of the connection."""
        context, waiting = client.context, self._request
        self._request = None
        if waiting is None:
            frame = self.channel.receive()
            if frame is None:
                return False
            waiting = frame, decode_request(frame)
            self._keep(context, *waiting)
            if self.wait:
                return True
            self._request = None
        self.was_quick = self._is_done_at_once(context, waiting[1])
        self.channel.begin(waiting[0].serial)
        with self._share(client, waiting[1]):
            self._serve(context, *waiting)
        return True

    @contextlib.contextmanager
    def _share(self, client: ClientProcess, request: Request) -> Iterator[None]:
        """Wait for what others want, too, and hold it: memory for a large request, a turn for a slow one."""
        with contextlib.ExitStack() as held:
            if self.channel.descriptor is not None:
                held.enter_context(self._clients.bulk.hold(client.peer.uid, memory_file.claimed(request)))
            if isinstance(request, Invoke) and not self.was_quick:
                held.enter_context(self._clients.turns.take(client.peer.uid, client))
                self._refuse_for_nobody(request)
            yield

    def _refuse_for_nobody(self, request: Invoke) -> None:
        """Do no slow work for a client that has gone while it waited. Raises OSError."""
        if self.channel.is_abandoned():
            for param in request.parameters.params:
                if isinstance(param, Memref):
                    wipe(param.data)
            raise BrokenPipeError("the client has gone before its turn")

    def _keep(self, context: ClientContext, frame: Frame, request: Request) -> None:
        """Keep a request for later, and note how much later that is."""
        self._request = frame, request
        if isinstance(request, Invoke) and self.channel.descriptor is None:
            self.wait = context.wait(request.session, request.command, request.parameters.params)
            if self.wait:
                self.channel.begin(frame.serial)

    def _is_done_at_once(self, context: ClientContext, request: Request) -> bool:
        """Tell whether a request is answered at once, if nothing else of its client runs."""
        if not isinstance(request, Invoke):
            return False
        parameters = request.parameters
        if parameters.inline_output > _QUICK_OUTPUT:
            return False
        if self.channel.descriptor is not None and not memory_file.is_small(parameters, _QUICK_MEMORY):
            return False
        return context.is_quick(request.session, request.command, parameters.params)

    def _hello(self, frame: Frame) -> Hello:
        request = decode_request(frame)
        if not isinstance(request, Hello):
            raise WireError(f"a channel begins with HELLO, not with {frame.type.name}")
        self._check_memory_file(NO_PARAMETERS)
        return request

    def _enter(self, hello: Hello) -> tuple[ClientProcess, bytes]:
        if hello.version != VERSION:
            raise TeeError(TeeResult.NOT_SUPPORTED, f"version {hello.version} of the protocol; this is {VERSION}")
        return self._clients.enter(self.channel, hello.secret)

    def _greet(self, serial: int, reply: HelloReply) -> None:
        self.channel.forget()
        if self._page is not None and reply.features & FEATURE_CHANGE_COUNTERS:
            self.channel.reply_with(self._page.descriptor, FrameType.HELLO_REPLY, serial, reply.encode())
        else:
            self.channel.reply(FrameType.HELLO_REPLY, serial, reply.encode())

    def _serve(self, context: ClientContext, frame: Frame, request: Request) -> bool:
        """Answer a request; False where the answer did not fit into the socket."""
        try:
            reply = self._answer(context, request)
        finally:
            self.channel.forget()
        self._sent = self.channel.send(REPLY_OF[frame.type], frame.serial, reply)
        return self._sent

    def _answer(self, context: ClientContext, request: Request) -> bytes:
        """Do what a request asks for, and return the reply's payload."""
        match request:
            case Invoke():
                return self._invoke(context, request)
            case OpenSession():
                return self._open_session(context, request)
            case CloseSession():
                self._check_memory_file(NO_PARAMETERS)
                return ResultReply(context.close_session(request.session)).encode()
            case Cancel():
                self._check_memory_file(NO_PARAMETERS)
                return ResultReply(context.cancel(request.session, request.cancel_id)).encode()
            case Hello():
                raise WireError("a second HELLO")

    def _invoke(self, context: ClientContext, request: Invoke) -> bytes:
        parameters = request.parameters
        if not self._prepare(parameters):
            return encode_invoke_reply(TeeResult.EXCESS_DATA, Origin.TEE, parameters)
        result, origin = context.invoke(request.session, request.command, parameters.params)
        if self.channel.descriptor is not None:
            memory_file.write_outputs(self.channel.descriptor, parameters)
        return encode_invoke_reply(result, origin, parameters)

    def _open_session(self, context: ClientContext, request: OpenSession) -> bytes:
        parameters = request.parameters
        if not self._prepare(parameters):
            return OpenSessionReply(TeeResult.EXCESS_DATA, Origin.TEE, 0, parameters).encode()
        result, origin, session = context.open_session(
            request.uuid, request.login, request.login_data, parameters.params
        )
        if self.channel.descriptor is not None:
            memory_file.write_outputs(self.channel.descriptor, parameters)
        return OpenSessionReply(result, origin, session, parameters).encode()

    def _prepare(self, parameters: Parameters) -> bool:
        """Fetch the inputs from the memory file; False where the inline outputs may not fit into the reply's frame."""
        if self.channel.descriptor is not None or parameters.regions:
            self._check_memory_file(parameters)
        if self.channel.descriptor is not None:
            memory_file.read_inputs(self.channel.descriptor, parameters)
        return parameters.inline_output <= self._most_output

    def _check_memory_file(self, parameters: Parameters) -> None:
        """Refuse a descriptor that is not needed, none where one is, and one that does not hold what it should."""
        descriptor = self.channel.descriptor
        if descriptor is None and not parameters.regions:
            return
        if not self._memory_files:
            raise WireError("a memory file, though none was agreed upon in HELLO")
        memory_file.check_memory_file(descriptor, parameters)
