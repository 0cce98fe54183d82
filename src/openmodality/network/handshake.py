"""What both sides do until the association stands: write what the provider has to send, read, watch one deadline."""

from __future__ import annotations

from typing import Final

from openmodality.network.timeouts import Deadline
from openmodality.network.transport import Transport
from openmodality.upper_layer.primitives import Indication
from openmodality.upper_layer.provider import Provider

_READ_BYTES: Final = 16 * 1024


def await_indication(
    transport: Transport, provider: Provider, timeout_s: float | None, waiting_for: str
) -> Indication | None:
    """The provider's next indication, or ``None`` when it is over without one.

    The deadline holds for the whole of it, so that a peer that sends byte by byte does not stretch it. A peer that
    broke the protocol is not waited for: our answer is out, and the caller closes. Raises :class:`PeerTimeout` where
    the time is over and :class:`TransportError` where the connection breaks.
    """
    deadline = Deadline(timeout_s)
    buffer = memoryview(bytearray(_READ_BYTES))
    flush(transport, provider, timeout_s)
    while True:
        indication = provider.next_event()
        flush(transport, provider, timeout_s)
        if indication is not None or provider.must_close or provider.violation:
            return indication
        count = transport.read_before(buffer, deadline, waiting_for)
        if count:
            provider.receive_data(buffer[:count])
        else:
            provider.transport_closed()


def flush(transport: Transport, provider: Provider, timeout_s: float | None) -> None:
    """Write what the provider has to send."""
    data = provider.data_to_send()
    if data:
        transport.write((data,), timeout_s)
