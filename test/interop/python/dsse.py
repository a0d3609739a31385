"""Verify a DSSE envelope with securesystemslib: dsse.py ENVELOPE THRESHOLD KEY..., keys in hex."""

import json
import sys

from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey


def main() -> None:
    path, threshold, *keys = sys.argv[1:]
    with open(path, "rb") as file:
        envelope = Envelope.from_dict(json.load(file))
    known = [SSlibKey(key, "ed25519", "ed25519", {"public": key}) for key in keys]
    accepted = envelope.verify(known, int(threshold))
    if envelope.payload_type != "application/vnd.in-toto+json":
        sys.exit("another payload type")
    print("OK", len(accepted))


main()
