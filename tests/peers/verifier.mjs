// A verifier that others wrote: one request, one answer. Says its link on the first line, what it verified on the second.
//   node verifier.mjs ISSUER_ANCHOR.pem OWN_ANCHOR.pem PREFIX direct_post|direct_post.jwt [several]
// PREFIX: x509_san_dns, x509_hash, redirect_uri (unsigned, all in the link) or decentralized_identifier (did:jwk, fetched by POST with a nonce of the wallet).
// With `several` it asks for a mobile document too, verified by @owf/mdoc over a transcript of its own making.
import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { createServer } from 'node:http'
import { readFileSync, writeFileSync } from 'node:fs'
import { Openid4vpVerifier } from '@openid4vc/openid4vp'
import { DeviceResponse, SessionTranscript, Verifier } from '@owf/mdoc'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { digest, generateSalt, ES256 } from '@sd-jwt/crypto-nodejs'
import * as jose from 'jose'
import { body, callbacks, certificateJwk, certify, generateKey, say } from './common.mjs'
import { context } from './owf.mjs'

const [issuerAnchor, ownAnchor, prefix = 'x509_hash', responseMode = 'direct_post.jwt', several] = process.argv.slice(2)
const PID = 'eu.europa.ec.eudi.pid.1'
const key = await generateKey()
const encryption = await generateKey()
encryption.publicJwk = { ...encryption.publicJwk, kid: 'enc', use: 'enc', alg: 'ECDH-ES' }
const verifier = new Openid4vpVerifier({ callbacks: callbacks([key, encryption]) })
const server = createServer()
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `http://localhost:${server.address().port}`
const { x5c, anchorPem } = await certify(key, { dns: 'localhost' })
writeFileSync(ownAnchor, anchorPem)
const leaf = Buffer.from(x5c[0], 'base64')
const did = `did:jwk:${Buffer.from(JSON.stringify(key.publicJwk)).toString('base64url')}`
const clientId = {
  x509_hash: `x509_hash:${createHash('sha256').update(leaf).digest('base64url')}`, x509_san_dns: 'x509_san_dns:localhost',
  redirect_uri: `redirect_uri:${url}/response`, decentralized_identifier: `decentralized_identifier:${did}`,
}[prefix]
const jwtSigner = prefix === 'decentralized_identifier' ? { method: 'did', alg: 'ES256', didUrl: `${did}#0` } : { method: 'x5c', alg: 'ES256', x5c }
const nonce = randomBytes(24).toString('base64url')
const state = randomBytes(16).toString('base64url')
const wish = {
  authorizationRequestPayload: {
    response_type: 'vp_token', client_id: clientId, nonce, state, response_mode: responseMode, response_uri: `${url}/response`,
    aud: 'https://self-issued.me/v2',
    dcql_query: {
      credentials: [
        { id: 'pid', format: 'dc+sd-jwt', meta: { vct_values: ['urn:amparo:identity:1'] }, claims: [{ path: ['given_name'] }] },
        ...(several ? [{ id: 'doc', format: 'mso_mdoc', meta: { doctype_value: 'org.amparo.identity.1' }, claims: [{ path: [PID, 'family_name'], intent_to_retain: false }] }] : []),
      ],
    },
    client_metadata: {
      ...(responseMode === 'direct_post.jwt' ? { jwks: { keys: [encryption.publicJwk] }, encrypted_response_enc_values_supported: ['A128GCM', 'A256GCM'] } : {}),
      vp_formats_supported: {
        'dc+sd-jwt': { 'sd-jwt_alg_values': ['ES256'], 'kb-jwt_alg_values': ['ES256'] },
        ...(several ? { mso_mdoc: { issuerauth_alg_values: [-7], deviceauth_alg_values: [-7] } } : {}),
      },
    },
  },
}
const ask = (more) => verifier.createOpenId4vpAuthorizationRequest({
  ...wish, ...(prefix === 'redirect_uri' ? {} : { jar: { requestUri: `${url}/request`, jwtSigner, expiresInSeconds: 300, additionalJwtPayload: { aud: 'https://self-issued.me/v2', ...more } } }),
})
const { authorizationRequestPayload, authorizationRequest, jar } = await ask({})

async function verifyDocument(presentation, anchor) {
  const jwkThumbprint = responseMode === 'direct_post.jwt' ? new Uint8Array(Buffer.from(await jose.calculateJwkThumbprint(encryption.publicJwk), 'base64url')) : undefined
  const sessionTranscript = await SessionTranscript.forOid4Vp({ clientId, nonce, jwkThumbprint, responseUri: `${url}/response` }, context())
  const deviceResponse = DeviceResponse.fromEncodedForOid4Vp(presentation.presentation ?? presentation)
  const faults = []
  await Verifier.verifyDeviceResponse({
    deviceResponse, sessionTranscript, trustedCertificates: [anchor.raw], onCheck: ({ status, check }) => status === 'FAILED' && faults.push(check),
  }, context())
  // A rule for driving licences (ISO/IEC 18013-5 Annex B.1.4), which this document is not.
  const wrong = faults.filter((fault) => !fault.startsWith('Country name'))
  if (wrong.length) throw new Error(`peer: ${wrong}`)
  return deviceResponse.documents[0].issuerSigned.getPrettyClaims(PID)
}

server.on('request', async (request, response) => {
  try {
    const path = new URL(request.url, url).pathname
    if (path === '/request') {
      const nonced = request.method === 'POST' && new URLSearchParams(await body(request)).get('wallet_nonce')
      const signed = nonced ? (await ask({ wallet_nonce: nonced })).jar : jar
      response.writeHead(200, { 'content-type': 'application/oauth-authz-req+jwt' })
      return response.end(signed.authorizationRequestJwt)
    }
    const parsed = await verifier.parseOpenid4vpAuthorizationResponse({
      authorizationResponse: Object.fromEntries(new URLSearchParams(await body(request))),
      authorizationRequestPayload,
      callbacks: callbacks([encryption, key]),
    })
    const presentation = parsed.dcql.presentations.pid[0]
    const text = presentation.presentation ?? presentation
    const header = jose.decodeProtectedHeader(text.split('~')[0])
    const chain = header.x5c.map((c) => new X509Certificate(Buffer.from(c, 'base64')))
    const anchor = new X509Certificate(readFileSync(issuerAnchor))
    if (!chain.every((c, n) => c.verify((chain[n + 1] ?? anchor).publicKey))) throw new Error('peer: the chain does not hold')
    const sdJwt = new SDJwtVcInstance({
      verifier: await ES256.getVerifier(await certificateJwk(header.x5c[0])), hasher: digest, hashAlg: 'sha-256', saltGenerator: generateSalt,
      kbVerifier: async (data, signature, payload) => (await ES256.getVerifier(payload.cnf.jwk))(data, signature),
      statusListFetcher: async (uri) => (await fetch(uri)).text(),
      statusVerifier: async (data, signature) => true,
    })
    const { payload, kb } = await sdJwt.verify(text, { keyBindingNonce: nonce })
    if (kb.payload.aud !== clientId) throw new Error('peer: audience')
    const document = several ? await verifyDocument(parsed.dcql.presentations.doc[0], anchor) : null
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end('{}')
    say({ verified: true, given_name: payload.given_name, family_name: payload.family_name ?? null, encrypted: Boolean(parsed.jarm), extra: Object.keys(kb.payload).sort(), document })
    server.close()
  } catch (error) {
    process.stderr.write(`peer verifier: ${error.stack}\n`)
    response.writeHead(400, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: 'invalid_request' }))
    say({ verified: false, reason: String(error.message) })
    server.close()
  }
})
say({ request: prefix === 'decentralized_identifier' ? `${authorizationRequest}&request_uri_method=post` : authorizationRequest })
