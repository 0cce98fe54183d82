"""PS3.8: PDUs, negotiation and the state machine. No socket, no thread, no clock.

``pdu``, ``items``, ``user_information``: what goes over the wire. ``p_data``: fragments for sending. ``framing``:
received bytes to PDUs and fragments. ``state_table``: Table 9-10. ``primitives``: what a user of the service says and
hears. ``provider``: the machine. ``negotiation``, ``acceptance``: what requestor and acceptor make of an A-ASSOCIATE.
"""
