// A wallet that others wrote: receives from our issuer, presents to our verifier.
//   node wallet.mjs receive OFFER CODE ANCHOR.pem        → {"held":[…]} in STATE, or what is promised for later
//   node wallet.mjs resume ANCHOR.pem                    what was promised
//   node wallet.mjs present REQUEST CLAIM[,CLAIM]        with what STATE holds
// The grant is the offer's; with ENCRYPT=1 requests and answers are encrypted beside HTTP.
import { readFileSync, writeFileSync } from 'node:fs'
import { createHash, X509Certificate } from 'node:crypto'
import { Oauth2Client } from '@openid4vc/oauth2'
import { Openid4vciClient } from '@openid4vc/openid4vci'
import { Openid4vpClient, extractEncryptionJwkFromJwks } from '@openid4vc/openid4vp'
import { DeviceRequest, DocRequest, Holder, IssuerSigned, ItemsRequest, SessionTranscript } from '@owf/mdoc'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { digest, generateSalt, ES256 } from '@sd-jwt/crypto-nodejs'
import * as jose from 'jose'
import { callbacks, certificateJwk, generateKey, say } from './common.mjs'
import { context, coseKey } from './owf.mjs'

const STATE = process.env.STATE ?? 'peer-wallet.json'
const CLIENT = 'peer-wallet'
const [command, ...rest] = process.argv.slice(2)

async function receive(offer, code, anchor) {
  const dpopKey = await generateKey()
  // Callbacks look keys up when they are asked: those of later copies are added to the same list.
  const keys = [dpopKey]
  const seen = []
  const client = new Openid4vciClient({ callbacks: { ...callbacks(keys), fetch: watched(seen) } })
  const credentialOffer = await client.resolveCredentialOffer(offer)
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
  const signer = { method: 'jwk', alg: 'ES256', publicJwk: dpopKey.publicJwk }
  const dpopWanted = issuerMetadata.authorizationServers[0].dpop_signing_alg_values_supported ? { signer } : undefined
  const byPage = Boolean(credentialOffer.grants.authorization_code)
  const { accessTokenResponse, dpop } = byPage
    ? await authorize(client, keys, seen, credentialOffer, issuerMetadata, code, dpopWanted)
    : await client.retrievePreAuthorizedCodeAccessTokenFromOffer({ credentialOffer, issuerMetadata, txCode: code, dpop: dpopWanted })
  const encryption = process.env.ENCRYPT ? await encrypted(issuerMetadata.credentialIssuer) : undefined
  const delivering = encryption ? new Openid4vciClient({ callbacks: { ...callbacks(keys), fetch: watched(seen, encryption.fetch) } }) : client
  const held = []
  const waiting = []
  for (const credentialConfigurationId of credentialOffer.credential_configuration_ids) {
    const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata })
    const proofs = []
    const own = [await generateKey(), await generateKey()]
    keys.push(...own)
    for (const key of own) {
      const { jwt } = await client.createCredentialRequestJwtProof({
        issuerMetadata, credentialConfigurationId, nonce, signer: { method: 'jwk', alg: 'ES256', publicJwk: key.publicJwk },
      })
      proofs.push(jwt)
    }
    const { credentialResponse } = await delivering.retrieveCredentials({
      issuerMetadata, credentialConfigurationId, accessToken: accessTokenResponse.access_token, dpop, proofs: { jwt: proofs },
      additionalRequestPayload: encryption?.wish,
    })
    if (credentialResponse.credentials) held.push(...credentialResponse.credentials.map(({ credential }, n) => ({ credential, key: own[n] })))
    else waiting.push({ transaction: credentialResponse.transaction_id, keys: own })
  }
  for (const { credential } of held) await verifyIssued(credential, anchor)
  writeFileSync(STATE, JSON.stringify({ held, waiting, dpopKey, token: accessTokenResponse.access_token, issuer: credentialOffer.credential_issuer }))
  say({
    received: held.length, waiting: waiting.length, token_type: accessTokenResponse.token_type, configuration: credentialOffer.credential_configuration_ids[0],
    pushed: seen.some((s) => s.url.endsWith('/par') && s.status === 201), nonced: seen.filter((s) => s.dpopNonce).length > 0,
    sealed: seen.some((s) => s.type?.startsWith('application/jwt')),
  })
}

/** The person's part is played too: the page is read, the desk's code given, and the way back followed. */
async function authorize(client, keys, seen, credentialOffer, issuerMetadata, code, dpop) {
  const redirectUri = 'http://127.0.0.1:1/back'
  const known = issuerMetadata.credentialIssuer.credential_configurations_supported
  const scope = credentialOffer.credential_configuration_ids.map((id) => known[id].scope).join(' ')
  const state = createHash('sha256').update(String(Math.random())).digest('hex')
  // `createAuthorizationRequestUrlFromOffer` does the same and forgets `state`, which binds the way back to this wallet (RFC 6749 section 10.12).
  const begun = await new Oauth2Client({ callbacks: { ...callbacks(keys), fetch: watched(seen) } }).createAuthorizationRequestUrl({
    authorizationServerMetadata: issuerMetadata.authorizationServers[0], clientId: CLIENT, redirectUri, scope, dpop, state,
    resource: credentialOffer.credential_issuer, additionalRequestPayload: { issuer_state: credentialOffer.grants.authorization_code.issuer_state },
  })
  const page = new URL(begun.authorizationRequestUrl)
  const shown = await fetch(page)
  if (shown.status !== 200) throw new Error(`peer: the page answered ${shown.status}`)
  const form = new URLSearchParams([...page.searchParams, ['code', code], ['answer', 'yes']])
  const answered = await fetch(`${page.origin}${page.pathname}`, { method: 'POST', body: form, redirect: 'manual' })
  if (answered.status !== 303) throw new Error(`peer: the form answered ${answered.status}`)
  const back = client.parseAndVerifyAuthorizationResponseRedirectUrl({
    url: answered.headers.get('location'), authorizationServerMetadata: issuerMetadata.authorizationServers[0],
  })
  if (back.state !== state) throw new Error('peer: another state came back')
  if (process.env.WITHOUT_VERIFIER) begun.pkce.codeVerifier = `${begun.pkce.codeVerifier.slice(1)}x`
  return client.retrieveAuthorizationCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, authorizationCode: back.code, pkceCodeVerifier: begun.pkce.codeVerifier, redirectUri, dpop: begun.dpop,
    additionalRequestPayload: { client_id: CLIENT },
  })
}

async function resume(anchor) {
  const state = JSON.parse(readFileSync(STATE))
  const client = new Openid4vciClient({ callbacks: callbacks([state.dpopKey]) })
  const issuerMetadata = await client.resolveIssuerMetadata(state.issuer)
  const encryption = process.env.ENCRYPT ? await encrypted(issuerMetadata.credentialIssuer) : undefined
  // The library refuses a `notification_id` beside credentials, its check being the wrong way round (section 9.2 with 8.3): so it sees none.
  const withoutNotice = async (url, options) => {
    const response = await (encryption?.fetch ?? fetch)(url, options)
    if (!response.ok || String(url) !== issuerMetadata.credentialIssuer.deferred_credential_endpoint) return response
    const { notification_id: _, ...answer } = await response.json()
    return new Response(JSON.stringify(answer), { status: response.status, headers: { 'content-type': 'application/json' } })
  }
  const delivering = new Openid4vciClient({ callbacks: { ...callbacks([state.dpopKey]), fetch: withoutNotice } })
  const { deferredCredentialResponse: response } = await delivering.retrieveDeferredCredentials({
    issuerMetadata, accessToken: state.token, transactionId: state.waiting[0].transaction,
    dpop: { signer: { method: 'jwk', alg: 'ES256', publicJwk: state.dpopKey.publicJwk } }, additionalRequestPayload: encryption?.wish,
  })
  const credentials = response.credentials?.map((c) => c.credential) ?? []
  for (const credential of credentials) await verifyIssued(credential, anchor)
  const held = credentials.map((credential, n) => ({ credential, key: state.waiting[0].keys[n] }))
  writeFileSync(STATE, JSON.stringify({ ...state, held, waiting: held.length ? [] : state.waiting }))
  say({ received: credentials.length, waiting: credentials.length ? 0 : 1, interval: response.interval ?? null })
}

/** `fetch` that remembers what came back. */
function watched(seen, inner = fetch) {
  return async (url, options) => {
    const response = await inner(url, options)
    seen.push({ url: String(url), status: response.status, type: response.headers.get('x-was') ?? response.headers.get('content-type'), dpopNonce: response.headers.get('dpop-nonce') })
    return response
  }
}

/** What the library leaves to its caller: requests to the issuer's key, answers to ours (OpenID4VCI 1.0 section 10), by `jose`. */
async function encrypted(issuer) {
  const [to] = issuer.credential_request_encryption.jwks.keys
  const enc = issuer.credential_request_encryption.enc_values_supported[0]
  const own = await jose.generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
  const jwk = { ...(await jose.exportJWK(own.publicKey)), kid: 'answer', use: 'enc', alg: 'ECDH-ES' }
  const endpoints = [issuer.credential_endpoint, issuer.deferred_credential_endpoint]
  return {
    // The library demands the `alg` of drafts beside the key, where 1.0 has it in the key alone (section 8.2).
    wish: { credential_response_encryption: { jwk, enc, alg: 'ECDH-ES' } },
    fetch: async (url, options) => {
      if (!endpoints.includes(String(url))) return fetch(url, options)
      const body = await new jose.CompactEncrypt(new TextEncoder().encode(options.body))
        .setProtectedHeader({ alg: 'ECDH-ES', enc, kid: to.kid })
        .encrypt(await jose.importJWK(to, 'ECDH-ES'))
      const headers = new Headers(options.headers)
      headers.set('content-type', 'application/jwt')
      const response = await fetch(url, { ...options, headers, body })
      const type = response.headers.get('content-type')
      if (!type?.startsWith('application/jwt')) return response
      const { plaintext } = await jose.compactDecrypt(await response.text(), own.privateKey)
      const opened = new Headers(response.headers)
      opened.set('content-type', 'application/json')
      opened.set('x-was', type)
      return new Response(plaintext, { status: response.status, headers: opened })
    },
  }
}

/** The libraries that others wrote judge what we issued: signature, digests, type. */
async function verifyIssued(credential, anchorFile) {
  const anchor = new X509Certificate(readFileSync(anchorFile))
  if (!credential.includes('~')) {
    const faults = []
    await Holder.verifyIssuerSigned({
      issuerSigned: credential, trustedCertificates: [anchor.raw], verificationCallback: ({ status, check }) => status === 'FAILED' && faults.push(check),
    }, context())
    // A rule for driving licences (ISO/IEC 18013-5 Annex B.1.4), which these documents are not.
    const wrong = faults.filter((fault) => !fault.startsWith('Country name'))
    if (wrong.length) throw new Error(`peer: ${wrong}`)
    return
  }
  const header = jose.decodeProtectedHeader(credential.split('~')[0])
  const chain = header.x5c.map((c) => new X509Certificate(Buffer.from(c, 'base64')))
  chain.forEach((certificate, n) => {
    const above = chain[n + 1] ?? anchor
    if (!certificate.verify(above.publicKey)) throw new Error(`peer: certificate ${n} is not signed by the one above it`)
  })
  // The status list is signed by a key of its own: the one in its header.
  let statusJwk
  const sdJwt = new SDJwtVcInstance({
    verifier: await ES256.getVerifier(await certificateJwk(header.x5c[0])), signAlg: 'ES256', hasher: digest, hashAlg: 'sha-256',
    saltGenerator: generateSalt, loadTypeMetadataFormat: false,
    statusListFetcher: async (uri) => {
      const token = await (await fetch(uri)).text()
      statusJwk = await certificateJwk(jose.decodeProtectedHeader(token).x5c[0])
      return token
    },
    statusVerifier: async (data, signature) => (await ES256.getVerifier(statusJwk))(data, signature),
  })
  await sdJwt.verify(credential, {})
}

async function presentSdJwt(credential, key, payload, claims) {
  const frame = Object.fromEntries(claims.map((c) => [c, true]))
  const sdJwt = new SDJwtVcInstance({
    hasher: digest, hashAlg: 'sha-256', saltGenerator: generateSalt, kbSigner: await ES256.getSigner(key.privateJwk), kbSignAlg: 'ES256',
  })
  // It knows nothing of our consent: what a wallet does that was never told of it.
  const extra = payload.transaction_data
    ? { transaction_data_hashes: payload.transaction_data.map((t) => createHash('sha256').update(t).digest('base64url')), transaction_data_hashes_alg: 'sha-256' }
    : {}
  return sdJwt.present(credential, frame, {
    kb: { payload: { iat: Math.floor(Date.now() / 1000), aud: payload.client_id, nonce: payload.nonce, ...extra } },
  })
}

async function presentDocument(credential, key, payload, query, encryptionJwk) {
  const namespaces = {}
  for (const { path: [space, name] } of query.claims) (namespaces[space] ??= {})[name] = false
  const deviceRequest = DeviceRequest.create({ docRequests: [DocRequest.create({ itemsRequest: ItemsRequest.create({ docType: query.meta.doctype_value, namespaces }) })] })
  const jwkThumbprint = encryptionJwk && new Uint8Array(Buffer.from(await jose.calculateJwkThumbprint(encryptionJwk), 'base64url'))
  const sessionTranscript = await SessionTranscript.forOid4Vp({ clientId: payload.client_id, nonce: payload.nonce, jwkThumbprint, responseUri: payload.response_uri }, context())
  const response = await Holder.createDeviceResponseForDeviceRequest({
    deviceRequest, sessionTranscript, issuerSigned: [IssuerSigned.fromEncodedForOid4Vci(credential)], signature: { signingKey: coseKey(key.privateJwk, 'ES256') },
  }, context())
  return response.encodedForOid4Vp
}

async function present(request, claims) {
  const { held } = JSON.parse(readFileSync(STATE))
  const client = new Openid4vpClient({ callbacks: callbacks([]) })
  const { params: authorizationRequestPayload } = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: request })
  const resolved = await client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload })
  const payload = resolved.authorizationRequestPayload
  const sealed = payload.response_mode === 'direct_post.jwt'
  const encryptionJwk = sealed ? extractEncryptionJwkFromJwks(payload.client_metadata.jwks, { supportedAlgValues: ['ECDH-ES'] }) : undefined
  const vpToken = {}
  for (const query of resolved.dcql.query.credentials) {
    const sdJwt = query.format === 'dc+sd-jwt'
    const found = held.find(({ credential }) => credential.includes('~') === sdJwt)
    if (!found) continue
    const { credential, key } = found
    const names = claims ? claims.split(',') : query.claims.map((c) => c.path[0])
    vpToken[query.id] = [sdJwt ? await presentSdJwt(credential, key, payload, names) : await presentDocument(credential, key, payload, query, encryptionJwk)]
  }
  const jarm = sealed
    ? {
        encryption: { nonce: payload.nonce, jwk: encryptionJwk },
        serverMetadata: {
          authorization_signing_alg_values_supported: [], authorization_encryption_alg_values_supported: ['ECDH-ES'],
          authorization_encryption_enc_values_supported: [process.env.ENC ?? 'A256GCM'],
        },
      }
    : undefined
  const response = await client.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: payload, authorizationResponsePayload: { vp_token: vpToken }, jarm,
  })
  const { response: answer } = await client.submitOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: payload, authorizationResponsePayload: response.authorizationResponsePayload, jarm: response.jarm,
  })
  say({ status: answer.status, version: resolved.version, client: resolved.client.prefix, response_mode: payload.response_mode, queries: Object.keys(vpToken) })
}

if (command === 'receive') await receive(...rest)
else if (command === 'resume') await resume(...rest)
else if (command === 'present') await present(...rest)
else throw new Error('peer: receive, resume or present')
