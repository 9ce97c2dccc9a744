"""Twilio's own library signs requests: JSON lines {"token","url","params"} in, signatures out.

`params` is an object of form fields, or a text: then it is a body whose hash the address must carry.
"""

import json
import sys
from urllib.parse import parse_qs, urlparse

from twilio.request_validator import RequestValidator, compare

for line in sys.stdin:
    asked = json.loads(line)
    validator = RequestValidator(asked["token"])
    params = asked["params"]
    if isinstance(params, str):
        given = parse_qs(urlparse(asked["url"]).query)["bodySHA256"][0]
        assert compare(validator.compute_hash(params), given), "the hash is not the body's"
        params = {}
    print(validator.compute_signature(asked["url"], params), flush=True)
