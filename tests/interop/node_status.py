"""What a node says of itself, the whole of it: as floe's program asks for it."""
import json

GET_NODE_STATUS = 0x464C0012


def status(node):
    with node.connect() as connection:
        code, data, error = connection.request(GET_NODE_STATUS, seconds=60)
    if code:
        raise RuntimeError(error)
    return json.loads(data.rstrip(b"\0"))
