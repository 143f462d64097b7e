# SPDX-License-Identifier: Apache-2.0
"""Runs one channel: hello, then request after request, each decoded, given to the TEE core, and answered.

Whatever a client sends, the worst that comes of it is the end of its channel and a line in the log.
"""

import logging

from softee.daemon import memory_file
from softee.daemon.channel import Channel
from softee.daemon.clients import ClientProcess, Clients
from softee.daemon.settings import Limits
from softee.names import Origin, TeeResult
from softee.tee.application import TeeError
from softee.tee.core import ClientContext
from softee.wire.codec import WireError
from softee.wire.frames import Frame, FrameType
from softee.wire.messages import (
    FEATURE_MEMORY_FILES,
    FEATURES,
    REPLY_OF,
    VERSION,
    Cancel,
    CloseSession,
    Hello,
    HelloReply,
    Invoke,
    InvokeReply,
    OpenSession,
    OpenSessionReply,
    Request,
    ResultReply,
    decode_request,
)
from softee.wire.parameters import NO_PARAMETERS, Parameters

log = logging.getLogger(__name__)

_REPLY_HEAD = 256
"""Bytes of a reply frame that are kept for all but inline outputs."""


def serve_channel(channel: Channel, clients: Clients, limits: Limits) -> None:
    """Serve a channel to its end, and close it."""
    peer = channel.peer
    try:
        Conversation(channel, clients, limits).run()
    except WireError as error:
        log.warning("a bad frame from pid %d, uid %d, whose channel is closed: %s", peer.pid, peer.uid, error)
    except OSError as error:
        log.info("the channel of pid %d, uid %d broke: %s", peer.pid, peer.uid, error)
    finally:
        channel.close()


class Conversation:
    """What happens on one channel."""

    def __init__(self, channel: Channel, clients: Clients, limits: Limits) -> None:
        self._channel = channel
        self._clients = clients
        self._limits = limits
        self._memory_files = False

    def run(self) -> None:
        """Serve the channel until it ends.

        Raises:
            WireError: the client broke the protocol.
            OSError: the connection broke, or the client did not read.

        """
        frame = self._channel.receive(self._limits.frame_timeout)
        if frame is None:
            return
        hello = self._hello(frame)
        try:
            client, secret = self._enter(hello)
        except TeeError as error:
            log.info("no channel for pid %d, uid %d: %s", self._channel.peer.pid, self._channel.peer.uid, error)
            self._greet(frame.serial, HelloReply(error.result, VERSION, 0, self._limits.max_frame))
            return
        try:
            features = hello.features & FEATURES
            self._memory_files = bool(features & FEATURE_MEMORY_FILES)
            reply = HelloReply(TeeResult.SUCCESS, VERSION, features, self._limits.max_frame, secret)
            self._greet(frame.serial, reply)
            while (frame := self._channel.receive()) is not None:
                self._serve(client.context, frame)
        finally:
            self._clients.leave(client, self._channel)

    def _hello(self, frame: Frame) -> Hello:
        request = decode_request(frame)
        if not isinstance(request, Hello):
            raise WireError(f"a channel begins with HELLO, not with {frame.type.name}")
        self._check_memory_file(NO_PARAMETERS)
        return request

    def _enter(self, hello: Hello) -> tuple[ClientProcess, bytes]:
        if hello.version != VERSION:
            raise TeeError(TeeResult.NOT_SUPPORTED, f"version {hello.version} of the protocol; this is {VERSION}")
        return self._clients.enter(self._channel, hello.secret)

    def _greet(self, serial: int, reply: HelloReply) -> None:
        self._channel.forget()
        self._channel.reply(FrameType.HELLO_REPLY, serial, reply.encode())

    def _serve(self, context: ClientContext, frame: Frame) -> None:
        """Answer a request."""
        serial = frame.serial
        try:
            request = decode_request(frame)
            self._channel.begin(serial)
            reply = self._answer(context, request)
        finally:
            self._channel.forget()
        self._channel.reply(REPLY_OF[frame.type], serial, reply)

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
            return InvokeReply(TeeResult.EXCESS_DATA, Origin.TEE, parameters).encode()
        result, origin = context.invoke(request.session, request.command, parameters.params)
        self._store_outputs(parameters)
        return InvokeReply(result, origin, parameters).encode()

    def _open_session(self, context: ClientContext, request: OpenSession) -> bytes:
        parameters = request.parameters
        if not self._prepare(parameters):
            return OpenSessionReply(TeeResult.EXCESS_DATA, Origin.TEE, 0, parameters).encode()
        result, origin, session = context.open_session(
            request.uuid, request.login, request.login_data, parameters.params
        )
        self._store_outputs(parameters)
        return OpenSessionReply(result, origin, session, parameters).encode()

    def _prepare(self, parameters: Parameters) -> bool:
        """Fetch the inputs from the memory file; False where the inline outputs may not fit into the reply's frame."""
        self._check_memory_file(parameters)
        if self._channel.descriptor is not None:
            memory_file.read_inputs(self._channel.descriptor, parameters)
        return parameters.inline_output <= self._limits.max_frame - _REPLY_HEAD

    def _store_outputs(self, parameters: Parameters) -> None:
        if self._channel.descriptor is not None:
            memory_file.write_outputs(self._channel.descriptor, parameters)

    def _check_memory_file(self, parameters: Parameters) -> None:
        """Refuse a descriptor that is not needed, none where one is, and one that does not hold what it should."""
        descriptor = self._channel.descriptor
        if descriptor is None and not parameters.regions:
            return
        if not self._memory_files:
            raise WireError("a memory file, though none was agreed upon in HELLO")
        memory_file.check_memory_file(descriptor, parameters)
