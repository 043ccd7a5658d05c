// Issuer and verifier of @openid4vc/* as services of one process, for `cargo xtask bench --services`: what ours do, in memory.
//   node services.mjs issuer ANCHOR.pem                  POST /offers?count=N → {"offers":[…],"tx_code":…}
//   node services.mjs verifier ISSUER_ANCHOR.pem         POST /requests?count=N → {"requests":[…]}
// Says where it listens. Cryptography is Node's own (OpenSSL), called without promises; only JWE is `jose`'s.
import { createHash, createPrivateKey, createPublicKey, randomBytes, sign, verify, X509Certificate } from 'node:crypto'
import { createServer } from 'node:http'
import { readFileSync, writeFileSync } from 'node:fs'
import { Oauth2AuthorizationServer } from '@openid4vc/oauth2'
import { Openid4vciIssuer } from '@openid4vc/openid4vci'
import { Openid4vpVerifier } from '@openid4vc/openid4vp'
import { SDJwtInstance } from '@sd-jwt/core'
import { getListFromStatusListJWT } from '@sd-jwt/jwt-status-list'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import * as jose from 'jose'
import { body, callbacks as withJose, certificateJwk, certify, generateKey, say } from './common.mjs'

const [role, anchorFile] = process.argv.slice(2)
const random = () => randomBytes(24).toString('base64url')
const key = await generateKey()
const server = createServer({ keepAlive: true })
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
server.keepAliveTimeout = 60_000
const url = `http://localhost:${server.address().port}`

const hash = (data, algorithm) => createHash(algorithm.toLowerCase().replace('-', '')).update(data).digest()
const signature = (data, privateKey) => sign('sha256', Buffer.from(data), { key: privateKey, dsaEncoding: 'ieee-p1363' })
const holds = (data, publicKey, signed) => verify('sha256', Buffer.from(data), { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(signed, 'base64url'))
const publicKeyOf = (jwk) => createPublicKey({ key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y }, format: 'jwk' })
const ownKey = createPrivateKey({ key: key.privateJwk, format: 'jwk' })
const encode = (object) => Buffer.from(JSON.stringify(object)).toString('base64url')
const callbacks = {
  ...withJose([key]),
  hash,
  signJwt: async (signer, { header, payload }) => {
    const input = `${encode(header)}.${encode(payload)}`
    return { jwt: `${input}.${signature(input, ownKey).toString('base64url')}`, signerJwk: key.publicJwk }
  },
  verifyJwt: async (signer, { compact }) => {
    const at = compact.lastIndexOf('.')
    const jwk = signer.method === 'x5c' ? await certificateJwk(signer.x5c[0]) : signer.publicJwk
    return { verified: holds(compact.slice(0, at), publicKeyOf(jwk), compact.slice(at + 1)), signerJwk: jwk }
  },
}

function answer(response, status, content, headers = {}) {
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-length': Buffer.byteLength(text), ...headers })
  response.end(text)
}

async function issuer() {
  const { x5c, anchorPem } = await certify(key, { uri: url })
  writeFileSync(anchorFile, anchorPem)
  const issuer = new Openid4vciIssuer({ callbacks })
  const oauth = new Oauth2AuthorizationServer({ callbacks })
  const sdJwt = new SDJwtVcInstance({
    signer: async (data) => signature(data, ownKey).toString('base64url'), signAlg: 'ES256', hasher: hash, hashAlg: 'sha-256', saltGenerator: () => randomBytes(16).toString('base64url'),
  })
  const issuerMetadata = issuer.createCredentialIssuerMetadata({
    credential_issuer: url, credential_endpoint: `${url}/credential`, nonce_endpoint: `${url}/nonce`, batch_credential_issuance: { batch_size: 30 },
    credential_configurations_supported: {
      identity: {
        format: 'dc+sd-jwt', vct: 'urn:amparo:identity:1', scope: 'identity', cryptographic_binding_methods_supported: ['jwk'], credential_signing_alg_values_supported: ['ES256'],
        proof_types_supported: { jwt: { proof_signing_alg_values_supported: ['ES256'] } }, credential_metadata: { display: [{ name: 'Identity', locale: 'en' }] },
      },
    },
  })
  const authorizationServer = {
    issuer: url, token_endpoint: `${url}/token`, response_types_supported: [], grant_types_supported: ['urn:ietf:params:oauth:grant-type:pre-authorized_code'],
    'pre-authorized_grant_anonymous_access_supported': true, dpop_signing_alg_values_supported: ['ES256'],
  }
  const known = {
    credentialIssuer: issuerMetadata, authorizationServers: [authorizationServer], originalDraftVersion: 'V1',
    knownCredentialConfigurations: issuerMetadata.credential_configurations_supported,
  }
  const [codes, tokens, nonces, proofs, holders] = [new Map(), new Map(), new Set(), new Set(), new Set()]
  let list = 0
  const fresh = () => {
    const nonce = random()
    nonces.add(nonce)
    return nonce
  }
  const like = (request) => ({ headers: new Headers(request.headers), method: request.method, url: `${url}${request.url}` })
  /** A DPoP proof with a nonce of ours, used once. */
  const proven = async (request, expected) => {
    const dpopJwt = request.headers.dpop
    const { payload, jwkThumbprint } = await oauth.verifyDpopJwt({ dpopJwt, request: like(request), allowedSigningAlgs: ['ES256'], ...expected })
    if (!nonces.has(payload.nonce)) return undefined
    if (proofs.has(payload.jti)) throw new Error('jti')
    proofs.add(payload.jti)
    return jwkThumbprint
  }
  return async (request, response, path) => {
    if (path === '/offers') {
      const count = Number(new URL(request.url, url).searchParams.get('count'))
      const offers = []
      for (let n = 0; n < count; n++) {
        const code = random()
        codes.set(code, '48210365')
        const { credentialOffer } = await issuer.createCredentialOffer({
          issuerMetadata: known, credentialConfigurationIds: ['identity'],
          grants: { 'urn:ietf:params:oauth:grant-type:pre-authorized_code': { 'pre-authorized_code': code, tx_code: { input_mode: 'numeric', length: 8 } } },
        })
        offers.push(credentialOffer)
      }
      return answer(response, 200, { offers, tx_code: '48210365' })
    }
    if (path === '/.well-known/openid-credential-issuer') return answer(response, 200, issuerMetadata)
    if (path === '/.well-known/oauth-authorization-server') return answer(response, 200, authorizationServer)
    if (path === '/token') {
      const accessTokenRequest = Object.fromEntries(new URLSearchParams(await body(request)))
      const parsed = oauth.parseAccessTokenRequest({ request: like(request), accessTokenRequest })
      const thumbprint = await proven(request, {})
      if (!thumbprint) return answer(response, 400, { error: 'use_dpop_nonce' }, { 'dpop-nonce': fresh() })
      const code = parsed.grant.preAuthorizedCode
      await oauth.verifyPreAuthorizedCodeAccessTokenRequest({
        authorizationServerMetadata: authorizationServer, request: like(request), accessTokenRequest, grant: parsed.grant, expectedPreAuthorizedCode: codes.has(code) ? code : '', expectedTxCode: codes.get(code),
      })
      codes.delete(code)
      const token = random()
      tokens.set(token, thumbprint)
      return answer(response, 200, { access_token: token, token_type: 'DPoP', expires_in: 300 }, { 'dpop-nonce': fresh() })
    }
    if (path === '/nonce') return answer(response, 200, { c_nonce: fresh() }, { 'dpop-nonce': fresh() })
    if (path === '/credential') {
      const text = await body(request)
      const token = request.headers.authorization?.replace(/^DPoP /, '')
      if (!tokens.has(token)) return answer(response, 401, { error: 'invalid_token' })
      const thumbprint = await proven(request, { accessToken: token, expectedJwkThumbprint: tokens.get(token) })
      if (!thumbprint) return answer(response, 401, { error: 'use_dpop_nonce' }, { 'dpop-nonce': fresh() })
      const parsed = issuer.parseCredentialRequest({ issuerMetadata: known, credentialRequest: JSON.parse(text) })
      const credentials = []
      for (const jwt of parsed.proofs.jwt) {
        const { nonce } = JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'))
        if (!nonces.has(nonce)) return answer(response, 400, { error: 'invalid_nonce' })
        const { signer } = await issuer.verifyCredentialRequestJwtProof({ issuerMetadata: known, jwt, expectedNonce: nonce })
        if (holders.has(signer.publicJwk.x)) return answer(response, 400, { error: 'invalid_proof' })
        holders.add(signer.publicJwk.x)
        const today = Math.floor(Date.now() / 86_400_000) * 86_400
        const claims = { given_name: 'Alma', family_name: 'Rivas', birth_date: '1998-04-12', nationalities: ['SV'], age_over_18: true }
        const status = { status_list: { uri: `${url}/status/1`, idx: list++ } }
        credentials.push({
          credential: await sdJwt.issue(
            { iss: url, iat: today, exp: today + 30 * 86_400, vct: 'urn:amparo:identity:1', cnf: { jwk: signer.publicJwk }, status, ...claims },
            { _sd: Object.keys(claims), _sd_decoy: 3 },
            { header: { typ: 'dc+sd-jwt', x5c } },
          ),
        })
      }
      return answer(response, 200, { credentials })
    }
    return answer(response, 404, { error: 'not_found' })
  }
}

async function verifier() {
  const anchor = new X509Certificate(readFileSync(anchorFile))
  const { x5c } = await certify(key, { dns: 'localhost' })
  const clientId = `x509_hash:${createHash('sha256').update(Buffer.from(x5c[0], 'base64')).digest('base64url')}`
  const verifier = new Openid4vpVerifier({ callbacks })
  const requests = new Map()
  // Chains and status lists are verified once and kept, as ours are.
  const [chains, lists] = [new Map(), new Map()]
  const keyOf = (x5c) => {
    const name = x5c.join()
    if (!chains.has(name)) {
      const chain = x5c.map((c) => new X509Certificate(Buffer.from(c, 'base64')))
      if (!chain.every((c, n) => c.verify((chain[n + 1] ?? anchor).publicKey))) throw new Error('the chain does not hold')
      chains.set(name, chain[0].publicKey)
    }
    return chains.get(name)
  }
  const listAt = async (uri) => {
    if (!lists.has(uri)) {
      const token = await (await fetch(uri)).text()
      const at = token.lastIndexOf('.')
      if (!holds(token.slice(0, at), keyOf(jose.decodeProtectedHeader(token).x5c), token.slice(at + 1))) throw new Error('the status list does not hold')
      lists.set(uri, getListFromStatusListJWT(token))
    }
    return lists.get(uri)
  }
  return async (request, response, path) => {
    if (path === '/requests') {
      const count = Number(new URL(request.url, url).searchParams.get('count'))
      const links = []
      for (let n = 0; n < count; n++) {
        const id = random()
        const encryption = await generateKey()
        encryption.publicJwk = { ...encryption.publicJwk, kid: 'enc', use: 'enc', alg: 'ECDH-ES' }
        requests.set(id, { encryption, nonce: random(), state: random() })
        links.push(`openid4vp://?${new URLSearchParams({ client_id: clientId, request_uri: `${url}/request/${id}` })}`)
      }
      return answer(response, 200, { requests: links })
    }
    const [, what, id] = path.split('/')
    const asked = requests.get(id)
    if (!asked) return answer(response, 404, { error: 'not_found' })
    const payload = {
      response_type: 'vp_token', client_id: clientId, nonce: asked.nonce, state: asked.state, response_mode: 'direct_post.jwt', response_uri: `${url}/response/${id}`, aud: 'https://self-issued.me/v2',
      dcql_query: {
        credentials: [{ id: 'identity', format: 'dc+sd-jwt', meta: { vct_values: ['urn:amparo:identity:1'] }, claims: [{ path: ['given_name'] }, { path: ['family_name'] }, { path: ['nationalities'] }] }],
      },
      client_metadata: {
        jwks: { keys: [asked.encryption.publicJwk] }, encrypted_response_enc_values_supported: ['A128GCM', 'A256GCM'],
        vp_formats_supported: { 'dc+sd-jwt': { 'sd-jwt_alg_values': ['ES256'], 'kb-jwt_alg_values': ['ES256'] } },
      },
    }
    if (what === 'request') {
      const made = await verifier.createOpenId4vpAuthorizationRequest({
        authorizationRequestPayload: payload, jar: { requestUri: `${url}/request/${id}`, jwtSigner: { method: 'x5c', alg: 'ES256', x5c }, expiresInSeconds: 300 },
      })
      asked.payload = made.authorizationRequestPayload
      return answer(response, 200, made.jar.authorizationRequestJwt, { 'content-type': 'application/oauth-authz-req+jwt' })
    }
    requests.delete(id)
    const parsed = await verifier.parseOpenid4vpAuthorizationResponse({
      authorizationResponse: Object.fromEntries(new URLSearchParams(await body(request))), authorizationRequestPayload: asked.payload,
      callbacks: { ...callbacks, decryptJwe: withJose([asked.encryption]).decryptJwe },
    })
    const found = parsed.dcql.presentations.identity[0]
    const text = found.presentation ?? found
    const issuerKey = keyOf(jose.decodeProtectedHeader(text.split('~')[0]).x5c)
    // Not `SDJwtVcInstance`, which unpacks the whole list of a million for each credential: with it this takes fifty times as long.
    const sdJwt = new SDJwtInstance({
      verifier: async (data, signed) => holds(data, issuerKey, signed), hasher: hash, hashAlg: 'sha-256', saltGenerator: random,
      kbVerifier: async (data, signed, payload) => holds(data, publicKeyOf(payload.cnf.jwk), signed),
    })
    const { payload: claims, kb } = await sdJwt.verify(text, { keyBindingNonce: asked.nonce })
    if (kb.payload.aud !== clientId || !claims.given_name) throw new Error('audience or claims')
    const { uri, idx } = claims.status.status_list
    if ((await listAt(uri)).getStatus(idx) !== 0) throw new Error('status')
    return answer(response, 200, {})
  }
}

const handle = role === 'issuer' ? await issuer() : await verifier()
server.on('request', async (request, response) => {
  try {
    await handle(request, response, new URL(request.url, url).pathname)
  } catch (error) {
    process.stderr.write(`peer: ${error.stack}\n`)
    answer(response, 400, { error: 'invalid_request', error_description: String(error.message) })
  }
})
say({ url })
