// An issuer that others wrote, by the authorization code flow: pushed requests, PKCE, `iss`, DPoP with nonces, deferred, and a mobile document.
//   node page-issuer.mjs ANCHOR.pem        says its offer on the first line, and on the next what it saw of our wallet
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { writeFileSync } from 'node:fs'
import { Oauth2AuthorizationServer } from '@openid4vc/oauth2'
import { Openid4vciIssuer } from '@openid4vc/openid4vci'
import { DeviceKey, Issuer as DocumentIssuer, SignatureAlgorithm } from '@owf/mdoc'
import { body, callbacks as callbacksOf, certify, generateKey, say } from './common.mjs'
import { context, coseKey, jwk } from './owf.mjs'

const key = await generateKey()
const callbacks = callbacksOf([key])
const issuer = new Openid4vciIssuer({ callbacks })
const oauth = new Oauth2AuthorizationServer({ callbacks })
const server = createServer()
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${server.address().port}`
const { x5c, anchorPem } = await certify(key, { uri: url })
writeFileSync(process.argv[2], anchorPem)

const issuerMetadata = issuer.createCredentialIssuerMetadata({
  credential_issuer: url, credential_endpoint: `${url}/credential`, nonce_endpoint: `${url}/nonce`, deferred_credential_endpoint: `${url}/deferred`,
  batch_credential_issuance: { batch_size: 3 },
  credential_configurations_supported: {
    document: {
      format: 'mso_mdoc', doctype: 'org.amparo.identity.1', scope: 'document', cryptographic_binding_methods_supported: ['cose_key'], credential_signing_alg_values_supported: [-7],
      proof_types_supported: { jwt: { proof_signing_alg_values_supported: ['ES256'] } }, credential_metadata: { display: [{ name: 'Identity', locale: 'en' }] },
    },
  },
})
const authorizationServer = oauth.createAuthorizationServerMetadata({
  issuer: url, authorization_endpoint: `${url}/authorize`, pushed_authorization_request_endpoint: `${url}/par`, require_pushed_authorization_requests: true, token_endpoint: `${url}/token`,
  response_types_supported: ['code'], grant_types_supported: ['authorization_code'], code_challenge_methods_supported: ['S256'], dpop_signing_alg_values_supported: ['ES256'],
  authorization_response_iss_parameter_supported: true,
})
const known = {
  credentialIssuer: issuerMetadata, authorizationServers: [authorizationServer], originalDraftVersion: 'V1',
  knownCredentialConfigurations: issuerMetadata.credential_configurations_supported,
}
const [pushed, codes, tokens, promised, nonces] = [new Map(), new Map(), new Map(), new Map(), new Set()]
const seen = { pushed: 0, refusedForNonce: 0, asked: 0 }
const random = () => randomBytes(24).toString('base64url')
const like = (request) => ({ headers: new Headers(request.headers), method: request.method, url: `${url}${request.url}` })
const fresh = () => {
  const nonce = random()
  nonces.add(nonce)
  return nonce
}
const answer = (response, status, object, headers = {}) => {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers })
  response.end(JSON.stringify(object))
}
const issuerState = random()

/** The nonce of a DPoP proof is ours and used once; its signature and the rest are the library's to check. */
function hasNonce(jwt, response, status) {
  if (nonces.delete(JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url')).nonce)) return true
  seen.refusedForNonce++
  answer(response, status, { error: 'use_dpop_nonce' }, { 'dpop-nonce': fresh(), ...(status === 401 ? { 'www-authenticate': 'DPoP error="use_dpop_nonce"' } : {}) })
  return false
}

async function copies(proofs) {
  const credentials = []
  for (const { jwt, nonce } of proofs) {
    const { signer } = await issuer.verifyCredentialRequestJwtProof({ issuerMetadata: known, jwt, expectedNonce: nonce })
    const now = new Date(Math.floor(Date.now() / 1000) * 1000)
    const document = await new DocumentIssuer('org.amparo.identity.1', context()).addIssuerNamespace('eu.europa.ec.eudi.pid.1', { given_name: 'Inés', family_name: 'Peer' }).sign({
      signingKey: coseKey(key.privateJwk, 'ES256'), algorithm: SignatureAlgorithm.ES256, digestAlgorithm: 'SHA-256',
      validityInfo: { signed: now, validFrom: now, validUntil: new Date(now.getTime() + 86_400_000) }, deviceKeyInfo: { deviceKey: DeviceKey.fromJwk(jwk(signer.publicJwk)) },
      certificates: x5c.map((c) => new Uint8Array(Buffer.from(c, 'base64'))),
    })
    credentials.push({ credential: document.encodedForOid4Vci })
  }
  return credentials
}

/** The access token and its proof: what the resource's side checks. */
async function authorized(request, response) {
  const token = request.headers.authorization?.replace(/^DPoP /, '')
  if (!tokens.has(token)) return answer(response, 401, { error: 'invalid_token' }) ?? false
  if (!hasNonce(request.headers.dpop, response, 401)) return false
  await oauth.verifyDpopJwt({ dpopJwt: request.headers.dpop, request: like(request), allowedSigningAlgs: ['ES256'], accessToken: token, expectedJwkThumbprint: tokens.get(token) })
  return true
}

server.on('request', async (request, response) => {
  try {
    const { pathname: path, searchParams } = new URL(request.url, url)
    if (path === '/.well-known/openid-credential-issuer') return answer(response, 200, issuerMetadata)
    if (path === '/.well-known/oauth-authorization-server') return answer(response, 200, authorizationServer)
    if (path === '/par') {
      const authorizationRequest = Object.fromEntries(new URLSearchParams(await body(request)))
      const parsed = await oauth.parsePushedAuthorizationRequest({ request: like(request), authorizationRequest })
      if (!hasNonce(parsed.dpop.jwt, response, 400)) return
      const { dpop } = await oauth.verifyPushedAuthorizationRequest({
        authorizationServerMetadata: authorizationServer, authorizationRequest: parsed.authorizationRequest, request: like(request), dpop: { required: true, jwt: parsed.dpop.jwt },
      })
      if (authorizationRequest.issuer_state !== issuerState || authorizationRequest.code_challenge_method !== 'S256') return answer(response, 400, { error: 'invalid_request' })
      seen.pushed++
      const requestUri = `urn:ietf:params:oauth:request_uri:${random()}`
      pushed.set(requestUri, { ...authorizationRequest, thumbprint: dpop.jwkThumbprint })
      const { pushedAuthorizationResponse } = oauth.createPushedAuthorizationResponse({ requestUri, expiresInSeconds: 60 })
      return answer(response, 201, pushedAuthorizationResponse, { 'dpop-nonce': fresh() })
    }
    if (path === '/authorize') {
      const asked = pushed.get(searchParams.get('request_uri'))
      if (!asked || asked.client_id !== searchParams.get('client_id')) return answer(response, 400, { error: 'invalid_request' })
      pushed.delete(searchParams.get('request_uri'))
      const code = random()
      codes.set(code, asked)
      const back = new URL(asked.redirect_uri)
      for (const [name, value] of Object.entries({ code, state: asked.state, iss: process.env.OTHER_ISS ?? url })) back.searchParams.set(name, value)
      response.writeHead(303, { location: back.href })
      return response.end()
    }
    if (path === '/token') {
      const accessTokenRequest = Object.fromEntries(new URLSearchParams(await body(request)))
      const parsed = oauth.parseAccessTokenRequest({ request: like(request), accessTokenRequest })
      if (!hasNonce(parsed.dpop.jwt, response, 400)) return
      const asked = codes.get(parsed.grant.code)
      codes.delete(parsed.grant.code)
      if (!asked || asked.redirect_uri !== accessTokenRequest.redirect_uri) return answer(response, 400, { error: 'invalid_grant' })
      const { dpop } = await oauth.verifyAuthorizationCodeAccessTokenRequest({
        authorizationServerMetadata: authorizationServer, request: like(request), accessTokenRequest, grant: parsed.grant, expectedCode: parsed.grant.code,
        dpop: { required: true, jwt: parsed.dpop.jwt, expectedJwkThumbprint: asked.thumbprint },
        pkce: { codeVerifier: parsed.pkceCodeVerifier, codeChallenge: asked.code_challenge, codeChallengeMethod: 'S256' },
      })
      const token = random()
      tokens.set(token, dpop.jwkThumbprint)
      return answer(response, 200, { access_token: token, token_type: 'DPoP', expires_in: 300, scope: asked.scope }, { 'dpop-nonce': fresh() })
    }
    if (path === '/nonce') return answer(response, 200, issuer.createNonceResponse({ cNonce: fresh() }), { 'dpop-nonce': fresh() })
    if (path === '/credential') {
      const credentialRequest = JSON.parse(await body(request))
      if (!(await authorized(request, response))) return
      const parsed = issuer.parseCredentialRequest({ issuerMetadata: known, credentialRequest })
      const proofs = parsed.proofs.jwt.map((jwt) => ({ jwt, nonce: JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url')).nonce }))
      if (!proofs.every(({ nonce }) => nonces.has(nonce))) return answer(response, 400, { error: 'invalid_nonce' })
      const transactionId = random()
      promised.set(transactionId, proofs)
      return answer(response, 202, issuer.createCredentialResponse({ credentialRequest: parsed, transactionId, interval: 1 }), { 'dpop-nonce': fresh() })
    }
    if (path === '/deferred') {
      const { deferredCredentialRequest } = issuer.parseDeferredCredentialRequest({ deferredCredentialRequest: JSON.parse(await body(request)) })
      if (!(await authorized(request, response))) return
      const proofs = promised.get(deferredCredentialRequest.transaction_id)
      if (!proofs) return answer(response, 400, { error: 'invalid_transaction_id' })
      // The first time nobody has decided.
      if (seen.asked++ === 0) return answer(response, 202, { transaction_id: deferredCredentialRequest.transaction_id, interval: 1 }, { 'dpop-nonce': fresh() })
      promised.delete(deferredCredentialRequest.transaction_id)
      answer(response, 200, issuer.createDeferredCredentialResponse({ credentials: await copies(proofs) }), { 'dpop-nonce': fresh() })
      return say(seen)
    }
    return answer(response, 404, { error: 'not_found' })
  } catch (error) {
    process.stderr.write(`peer issuer: ${error.stack}\n`)
    answer(response, 400, { error: error.errorResponse?.error ?? 'invalid_request', error_description: String(error.message) })
  }
})

const { credentialOffer } = await issuer.createCredentialOffer({
  issuerMetadata: known, credentialConfigurationIds: ['document'], grants: { authorization_code: { issuer_state: issuerState } },
})
say({ offer: credentialOffer })
