"""An issuer that others wrote (`openid4vci`): offers, tokens, nonces, encrypted or not, at once or later. Says its offers on the first line.

It is started with one JSON argument: {"issuer": JWK, "x5c": […], "encrypt": bool, "formats"…}. The package takes `https` only, as it should: what
it makes is made for https://127.0.0.1:PORT, and written as http:// where it leaves, as if TLS ended before us.
"""

import asyncio
import json
import sys
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from joserfc.jwk import ECKey, KeySet
from openid4vci.adapters.sd_jwt_vc import SdJwtVcAdapter
from openid4vci.authorization import InMemoryAuthorizationServer, TokenError
from openid4vci.crypto.encryption import decrypt_credential_request, encrypt_credential_response
from openid4vci.crypto.proofs import validate_jwt_proof
from openid4vci.crypto.signer import LocalJwsSigner
from openid4vci.exceptions import CredentialRequestError, DeferredCredentialError
from openid4vci.models.credential import CredentialErrorCode, CredentialRequest, CredentialResponse
from openid4vci.models.credential import RequestedCredentialResponseEncryption
from openid4vci.models.deferred import DeferredCredentialRequest
from openid4vci.models.metadata import CredentialIssuerMetadata
from openid4vci.models.nonce import NonceResponse
from openid4vci.models.notification import NotificationRequest
from openid4vci.models.oauth import TokenRequest
from openid4vci.models.offer import offer_uri_by_value
from openid4vci.reference import InMemoryIssuerBackend
from pydantic import ValidationError

CODE = "4321"
job = json.loads(sys.argv[1])


class Signer(LocalJwsSigner):
    """The package leaves certificates to the signer."""

    async def sign(self, payload, header=None):
        return await super().sign(payload, {**(header or {}), "x5c": job["x5c"]})


adapter = SdJwtVcAdapter("urn:amparo:identity:1", Signer(ECKey.import_key(job["issuer"])), always_visible=["iat", "exp"])
encryption_key = ECKey.generate_key("P-256", {"use": "enc", "alg": "ECDH-ES", "kid": "requests"})
asked = {}


async def mint(request, _context):
    """Copies for every proof; of `later`, only when it is asked for the second time."""
    if request.credential_configuration_id == "later" and not asked.get(id(request)):
        asked[id(request)] = True
        return CredentialResponse(transaction_id=backend.transactions.open(request), interval=1)
    used, copies = set(), []
    for proof in (request.proofs or {}).get("jwt", []):
        result = validate_jwt_proof(proof, credential_issuer=plain(SECURE), supported_algorithms=["ES256"])
        nonce = result.claims.get("nonce", "")
        if nonce not in used and not asked.get(id(request)) and not backend.nonces.consume(nonce):
            raise CredentialRequestError(CredentialErrorCode.INVALID_NONCE, "not a nonce of ours")
        used.add(nonce)
        now = int(time.time())
        claims = {"given_name": "Inés", "family_name": "Peer", "age_over_18": True, "iat": now, "exp": now + 86_400}
        copies.append({"credential": await adapter.issue(claims, holder_key=result.bound_key)})
    return CredentialResponse.model_validate({"credentials": copies, "notification_id": "n-1"})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, content, media="application/json"):
        text = plain(content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("content-type", media)
        self.send_header("cache-control", "no-store")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        if self.path == "/.well-known/openid-credential-issuer":
            return self.answer(200, metadata.to_dict())
        if self.path == "/.well-known/oauth-authorization-server":
            return self.answer(200, {
                "issuer": SECURE, "token_endpoint": f"{SECURE}/token", "response_types_supported": [],
                "grant_types_supported": ["urn:ietf:params:oauth:grant-type:pre-authorized_code"],
                "pre-authorized_grant_anonymous_access_supported": True,
            })
        return self.answer(404, {"error": "not_found"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        try:
            if self.path == "/token":
                form = dict(urllib.parse.parse_qsl(body))
                return self.answer(200, server.redeem(TokenRequest.model_validate(form)).to_dict())
            if self.path == "/nonce":
                return self.answer(200, NonceResponse(c_nonce=backend.nonces.issue()).to_dict())
            if server.grant_for((self.headers.get("authorization") or "").removeprefix("Bearer ")) is None:
                return self.answer(401, {"error": "invalid_token"})
            encrypted = self.headers.get("content-type") == "application/jwt"
            if job["encrypt"] and not encrypted and self.path != "/notification":
                raise CredentialRequestError(CredentialErrorCode.INVALID_ENCRYPTION_PARAMETERS, "in the clear")
            said = decrypt_credential_request(body, encryption_key) if encrypted else json.loads(body)
            if self.path == "/credential":
                response = asyncio.run(backend.issue_credential(CredentialRequest.model_validate(said), None))
            elif self.path == "/deferred_credential":
                response = asyncio.run(backend.issue_deferred(DeferredCredentialRequest.model_validate(said), None))
            elif self.path == "/notification":
                asyncio.run(backend.notify(NotificationRequest.model_validate(said), None))
                self.send_response(204)
                self.send_header("content-length", "0")
                return self.end_headers()
            else:
                return self.answer(404, {"error": "not_found"})
            status = 202 if response.transaction_id else 200
            wish = said.get("credential_response_encryption")
            if wish:
                sealed = encrypt_credential_response(response, RequestedCredentialResponseEncryption.model_validate(wish))
                return self.answer(status, sealed, "application/jwt")
            return self.answer(status, response.to_dict())
        except (TokenError, CredentialRequestError, DeferredCredentialError) as error:
            print(f"peer issuer: {error}", file=sys.stderr)
            return self.answer(400, {"error": error.code.value, "error_description": error.description})
        except (ValidationError, ValueError) as error:
            print(f"peer issuer: {error}", file=sys.stderr)
            return self.answer(400, {"error": "invalid_request", "error_description": str(error)})


web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
SECURE = f"https://127.0.0.1:{web.server_address[1]}"


def plain(text):
    return text.replace("https://127.0.0.1", "http://127.0.0.1")


configuration = {
    **adapter.metadata_fragment(), "scope": "identity", "cryptographic_binding_methods_supported": ["jwk"],
    "credential_signing_alg_values_supported": ["ES256"], "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
    "credential_metadata": {"display": [{"name": "Identity", "locale": "en"}]},
}
metadata = CredentialIssuerMetadata.model_validate({
    "credential_issuer": SECURE, "credential_endpoint": f"{SECURE}/credential", "nonce_endpoint": f"{SECURE}/nonce",
    "deferred_credential_endpoint": f"{SECURE}/deferred_credential", "notification_endpoint": f"{SECURE}/notification",
    "batch_credential_issuance": {"batch_size": 4}, "display": [{"name": "Peer issuer", "locale": "en"}],
    "credential_configurations_supported": {"identity": configuration, "later": configuration},
    **({
        "credential_request_encryption": {
            "jwks": KeySet([encryption_key]).as_dict(private=False), "enc_values_supported": ["A256GCM"], "encryption_required": True,
        },
        "credential_response_encryption": {"alg_values_supported": ["ECDH-ES"], "enc_values_supported": ["A256GCM"], "encryption_required": True},
    } if job["encrypt"] else {}),
})
backend = InMemoryIssuerBackend(metadata, mint)
server = InMemoryAuthorizationServer(SECURE)
offers = {}
for name in ("identity", "later"):
    offer, _ = server.offer("somebody", [name], tx_code=CODE)
    uri = offer_uri_by_value(offer)
    offers[name] = uri.replace(urllib.parse.quote_plus("https://127.0.0.1"), urllib.parse.quote_plus("http://127.0.0.1"))
print(json.dumps({**offers, "tx_code": CODE}), flush=True)
web.serve_forever()
