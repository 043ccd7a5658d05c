// Requests and answers of the Digital Credentials API as @openid4vc/openid4vp makes and reads them, the platform played by the test:
// one job on standard input, one answer on standard output.
//   ask     {signed, mode, origin, clientId, nonce, x5c, signer, encryption}                       → {data}
//   read    {data (its request), answer, origin, encryption, issuer, anchor}                       → {claims, document} or {error}
//   answer  {data (our request), origin, held: {pid, doc}, holder}                                 → {data} or {error}
// Keys are JWKs, private ones where it signs or decrypts. What is presented is made and judged by @sd-jwt/sd-jwt-vc and @owf/mdoc.
import { extractEncryptionJwkFromJwks, Openid4vpClient, Openid4vpVerifier } from '@openid4vc/openid4vp'
import { DeviceRequest, DeviceResponse, DocRequest, Holder, IssuerSigned, ItemsRequest, SessionTranscript, Verifier } from '@owf/mdoc'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { digest, ES256, generateSalt } from '@sd-jwt/crypto-nodejs'
import * as jose from 'jose'
import { body, callbacks, say } from './common.mjs'
import { context, coseKey } from './owf.mjs'

const job = JSON.parse(await body(process.stdin))
const pair = (privateJwk) => {
  const { d: _, ...publicJwk } = privateJwk
  return { privateJwk, publicJwk: { ...publicJwk, kid: 'enc', use: 'enc', alg: 'ECDH-ES' } }
}
const base = { hasher: digest, hashAlg: 'sha-256', saltGenerator: generateSalt }
const payloadOf = (data) => (data.request ? jose.decodeJwt(data.request) : data)

async function transcript(payload, key) {
  const jwkThumbprint = key && new Uint8Array(Buffer.from(await jose.calculateJwkThumbprint(key), 'base64url'))
  return SessionTranscript.forOid4VpDcApi({ origin: job.origin, nonce: payload.nonce, jwkThumbprint }, context())
}

const does = {
  ask: async () => {
    const sealed = job.mode === 'dc_api.jwt'
    const { authorizationRequestPayload: data, jar } = await new Openid4vpVerifier({ callbacks: callbacks([pair(job.signer)]) }).createOpenId4vpAuthorizationRequest({
      authorizationRequestPayload: {
        response_type: 'vp_token', response_mode: job.mode, nonce: job.nonce,
        ...(job.signed ? { client_id: job.clientId, expected_origins: [job.origin] } : {}),
        dcql_query: {
          credentials: [
            { id: 'pid', format: 'dc+sd-jwt', meta: { vct_values: [job.types[0]] }, claims: [{ path: ['given_name'] }] },
            { id: 'doc', format: 'mso_mdoc', meta: { doctype_value: job.types[1] }, claims: [{ path: [job.space, 'family_name'], intent_to_retain: false }] },
          ],
        },
        client_metadata: {
          ...(sealed ? { jwks: { keys: [pair(job.encryption).publicJwk] }, encrypted_response_enc_values_supported: ['A128GCM', 'A256GCM'] } : {}),
          vp_formats_supported: {
            'dc+sd-jwt': { 'sd-jwt_alg_values': ['ES256'], 'kb-jwt_alg_values': ['ES256'] },
            mso_mdoc: { issuerauth_alg_values: [-7], deviceauth_alg_values: [-7] },
          },
        },
      },
      ...(job.signed
        ? { jar: { jwtSigner: { method: 'x5c', alg: 'ES256', x5c: job.x5c }, expiresInSeconds: 300, additionalJwtPayload: { aud: 'https://self-issued.me/v2' } } }
        : {}),
    })
    return { data: job.signed ? { request: jar.authorizationRequestJwt } : data }
  },

  read: async () => {
    const payload = payloadOf(job.data)
    const key = pair(job.encryption)
    const parsed = await new Openid4vpVerifier({ callbacks: callbacks([key]) }).parseOpenid4vpAuthorizationResponse({
      authorizationResponse: job.answer, authorizationRequestPayload: payload, origin: job.origin, callbacks: callbacks([key]),
    })
    const sdJwt = new SDJwtVcInstance({
      ...base, verifier: await ES256.getVerifier(job.issuer),
      kbVerifier: async (data, signature, { cnf }) => (await ES256.getVerifier(cnf.jwk))(data, signature),
    })
    const { payload: claims, kb } = await sdJwt.verify(parsed.dcql.presentations.pid[0], { keyBindingNonce: payload.nonce })
    if (kb.payload.aud !== `origin:${job.origin}`) throw new Error('audience')
    const deviceResponse = DeviceResponse.fromEncodedForOid4Vp(parsed.dcql.presentations.doc[0])
    const faults = []
    await Verifier.verifyDeviceResponse({
      deviceResponse, sessionTranscript: await transcript(payload, payload.response_mode === 'dc_api.jwt' ? key.publicJwk : undefined),
      trustedCertificates: [new Uint8Array(Buffer.from(job.anchor, 'base64'))], onCheck: ({ status, check }) => status === 'FAILED' && faults.push(check),
    }, context())
    if (faults.length) throw new Error(faults.join())
    return { claims, document: deviceResponse.documents[0].issuerSigned.getPrettyClaims(job.space), sealed: Boolean(parsed.jarm) }
  },

  answer: async () => {
    const client = new Openid4vpClient({ callbacks: callbacks([]) })
    // A request by value has its client beside it elsewhere; here the platform hands over the object alone.
    const resolved = await client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: job.data, origin: job.origin })
    const payload = resolved.authorizationRequestPayload
    const sealed = payload.response_mode === 'dc_api.jwt'
    const encryptionJwk = sealed ? extractEncryptionJwkFromJwks(payload.client_metadata.jwks, { supportedAlgValues: ['ECDH-ES'] }) : undefined
    const sdJwt = new SDJwtVcInstance({ ...base, kbSigner: await ES256.getSigner(job.holder), kbSignAlg: 'ES256' })
    const pid = await sdJwt.present(job.held.pid, { given_name: true }, {
      kb: { payload: { iat: Math.floor(Date.now() / 1000), aud: `origin:${job.origin}`, nonce: payload.nonce } },
    })
    const deviceRequest = DeviceRequest.create({ docRequests: [DocRequest.create({ itemsRequest: ItemsRequest.create({ docType: job.types[1], namespaces: { [job.space]: { family_name: false } } }) })] })
    const doc = await Holder.createDeviceResponseForDeviceRequest({
      deviceRequest, sessionTranscript: await transcript(payload, encryptionJwk), issuerSigned: [IssuerSigned.fromEncodedForOid4Vci(job.held.doc)],
      signature: { signingKey: coseKey(job.holder, 'ES256') },
    }, context())
    const { jarm, authorizationResponsePayload } = await client.createOpenid4vpAuthorizationResponse({
      authorizationRequestPayload: payload, origin: job.origin, authorizationResponsePayload: { vp_token: { pid: [pid], doc: [doc.encodedForOid4Vp] } },
      jarm: sealed
        ? {
            encryption: { nonce: payload.nonce, jwk: encryptionJwk },
            serverMetadata: {
              authorization_signing_alg_values_supported: [], authorization_encryption_alg_values_supported: ['ECDH-ES'],
              authorization_encryption_enc_values_supported: ['A256GCM'],
            },
          }
        : undefined,
    })
    const { state: _, ...open } = authorizationResponsePayload
    return { data: jarm ? { response: jarm.responseJwt } : open, client: resolved.client.prefix }
  },
}
try {
  say(await does[job.do]())
} catch (error) {
  say({ error: String(error.message), stack: error.stack })
}
