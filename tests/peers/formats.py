"""SD-JWTs and status lists as `sd-jwt` and `token-status-list` make and read them: one job on standard input, one answer on standard output.

issue   {claims, issuer, header, holder, alg}           → {issued}     `alg`: ES256 unless it says another; claims: a name that begins with `~` and an array element
                                                                       {"~": value} can be kept back by the holder
key     {}                                              → {private, public}     of Ed25519
present {issued, shown, holder, audience, nonce}        → {presented}
verify  {presented, issuer, audience, nonce}            → {claims}
list    {bits, statuses, subject}                       → {list, claims, token, cwt_claims}
read    {list, at}                                      → {statuses}
"""

import base64
import json
import logging
import sys

logging.disable(logging.CRITICAL)
from jwcrypto.jwk import JWK  # noqa: E402


def key(jwk):
    return JWK.from_json(json.dumps(jwk))


def marked(value):
    from sd_jwt.common import SDObj

    if isinstance(value, dict):
        return {SDObj(name[1:]) if name.startswith("~") else name: marked(v) for name, v in value.items()}
    if isinstance(value, list):
        alone = lambda v: isinstance(v, dict) and list(v) == ["~"]
        return [SDObj(marked(v["~"])) if alone(v) else marked(v) for v in value]
    return value


def issue(job):
    from sd_jwt.issuer import SDJWTIssuer

    issuer = SDJWTIssuer(
        marked(job["claims"]),
        key(job["issuer"]),
        key(job["holder"]),
        sign_alg=job.get("alg"),
        add_decoy_claims=True,
        extra_header_parameters=job["header"],
    )
    return {"issued": issuer.sd_jwt_issuance}


def make_key(_job):
    drawn = JWK.generate(kty="OKP", crv="Ed25519")
    return {"private": drawn.export_private(as_dict=True), "public": drawn.export_public(as_dict=True)}


def present(job):
    from sd_jwt.holder import SDJWTHolder

    holder = SDJWTHolder(job["issued"])
    holder.create_presentation(job["shown"], job["nonce"], job["audience"], key(job["holder"]))
    return {"presented": holder.sd_jwt_presentation}


def verify(job):
    from sd_jwt.verifier import SDJWTVerifier

    verifier = SDJWTVerifier(job["presented"], lambda _issuer, _header: key(job["issuer"]), job["audience"], job["nonce"])
    return {"claims": verifier.get_verified_payload()}


def make_list(job):
    import cbor2
    from token_status_list import IssuerStatusList

    listed = IssuerStatusList.new(job["bits"], len(job["statuses"]), "linear")
    for at, status in enumerate(job["statuses"]):
        listed[at] = status
    payload = listed.sign_jwt_payload(alg="ES256", kid="1", iss="https://issuer.example", sub=job["subject"], ttl=300)
    claims = payload.split(b".")[1]
    token = listed.sign_jwt(lambda _: b"signature", alg="ES256", kid="1", iss="https://issuer.example", sub=job["subject"])
    _, cwt = listed.sign_cwt_payload(alg="ES256", iss="https://issuer.example", sub=job["subject"])
    return {
        "list": listed.status_list.dump(),
        "claims": json.loads(base64.urlsafe_b64decode(claims + b"=" * (-len(claims) % 4))),
        "token": token,
        "cwt_labels": [label for label in cbor2.loads(cwt)],
    }


def read_list(job):
    from token_status_list import BitArray

    listed = BitArray.load(job["list"])
    return {"statuses": [listed[at] for at in job["at"]]}


DOES = {"issue": issue, "key": make_key, "present": present, "verify": verify, "list": make_list, "read": read_list}

job = json.load(sys.stdin)
try:
    answer = DOES[job["do"]](job)
except Exception as error:  # The answer of a peer that refuses is why it does.
    answer = {"error": f"{type(error).__name__}: {error}"}
print(json.dumps(answer))
