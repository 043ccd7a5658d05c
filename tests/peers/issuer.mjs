// An issuer that others wrote: offers, tokens, nonces and SD-JWT VCs for our wallet. Says its offer on the first line.
//   node issuer.mjs ANCHOR.pem [ES384]
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { writeFileSync } from 'node:fs'
import { Openid4vciIssuer } from '@openid4vc/openid4vci'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { digest, generateSalt, ES256, ES384 } from '@sd-jwt/crypto-nodejs'
import { body, callbacks, certify, generateKey, say } from './common.mjs'

const algorithm = process.argv[3] === 'ES384' ? ES384 : ES256
const key = await generateKey(algorithm.alg)
const issuer = new Openid4vciIssuer({ callbacks: callbacks([key]) })
const server = createServer()
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${server.address().port}`
const { x5c, anchorPem } = await certify(key, { uri: url })
writeFileSync(process.argv[2] ?? 'peer-issuer.pem', anchorPem)

const sdJwt = new SDJwtVcInstance({
  signer: await algorithm.getSigner(key.privateJwk), signAlg: algorithm.alg, hasher: digest, hashAlg: 'sha-256', saltGenerator: generateSalt,
})
const issuerMetadata = issuer.createCredentialIssuerMetadata({
  credential_issuer: url,
  credential_endpoint: `${url}/credential`,
  nonce_endpoint: `${url}/nonce`,
  batch_credential_issuance: { batch_size: 5 },
  display: [{ name: 'Peer issuer', locale: 'en' }],
  credential_configurations_supported: {
    'peer-id': {
      format: 'dc+sd-jwt', vct: 'urn:amparo:identity:1', scope: 'peer-id', cryptographic_binding_methods_supported: ['jwk'],
      credential_signing_alg_values_supported: [algorithm.alg],
      proof_types_supported: { jwt: { proof_signing_alg_values_supported: ['ES256'] } },
      credential_metadata: { display: [{ name: 'Identity', locale: 'en' }] },
    },
  },
})
const authorizationServer = {
  issuer: url, token_endpoint: `${url}/token`, response_types_supported: [],
  grant_types_supported: ['urn:ietf:params:oauth:grant-type:pre-authorized_code'],
  'pre-authorized_grant_anonymous_access_supported': true,
}
const known = {
  credentialIssuer: issuerMetadata, authorizationServers: [authorizationServer], originalDraftVersion: 'V1',
  knownCredentialConfigurations: issuerMetadata.credential_configurations_supported,
}
const code = randomBytes(24).toString('base64url')
const token = randomBytes(24).toString('base64url')
const nonces = new Set()

const answer = (response, status, object, type = 'application/json') => {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
  response.end(JSON.stringify(object))
}

server.on('request', async (request, response) => {
  try {
    const path = new URL(request.url, url).pathname
    if (path === '/.well-known/openid-credential-issuer') return answer(response, 200, issuerMetadata)
    if (path === '/.well-known/oauth-authorization-server') return answer(response, 200, authorizationServer)
    if (path === '/token') {
      const form = new URLSearchParams(await body(request))
      const good = form.get('pre-authorized_code') === code && form.get('tx_code') === '4321'
      if (!good) return answer(response, 400, { error: 'invalid_grant' })
      return answer(response, 200, { access_token: token, token_type: 'Bearer', expires_in: 300 })
    }
    if (path === '/nonce') {
      const nonce = randomBytes(16).toString('base64url')
      nonces.add(nonce)
      return answer(response, 200, { c_nonce: nonce })
    }
    if (path === '/credential') {
      if (request.headers.authorization !== `Bearer ${token}`) return answer(response, 401, { error: 'invalid_token' })
      const parsed = issuer.parseCredentialRequest({ issuerMetadata: known, credentialRequest: JSON.parse(await body(request)) })
      const credentials = []
      for (const jwt of parsed.proofs.jwt) {
        const nonce = JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url')).nonce
        if (!nonces.has(nonce)) return answer(response, 400, { error: 'invalid_nonce' })
        const { signer } = await issuer.verifyCredentialRequestJwtProof({ issuerMetadata: known, jwt, expectedNonce: nonce })
        const now = Math.floor(Date.now() / 1000)
        const claims = { given_name: 'Inés', family_name: 'Peer', age_over_18: true }
        credentials.push({
          credential: await sdJwt.issue(
            { iss: url, iat: now, exp: now + 86_400, vct: 'urn:amparo:identity:1', cnf: { jwk: signer.publicJwk }, ...claims },
            { _sd: Object.keys(claims) },
            { header: { typ: 'dc+sd-jwt', x5c } },
          ),
        })
      }
      return answer(response, 200, { credentials })
    }
    answer(response, 404, { error: 'not_found' })
  } catch (error) {
    process.stderr.write(`peer issuer: ${error.stack}\n`)
    answer(response, 400, { error: 'invalid_credential_request', error_description: String(error.message) })
  }
})

const { credentialOffer } = await issuer.createCredentialOffer({
  issuerMetadata: known,
  credentialConfigurationIds: ['peer-id'],
  grants: { 'urn:ietf:params:oauth:grant-type:pre-authorized_code': { 'pre-authorized_code': code, tx_code: { input_mode: 'numeric', length: 4 } } },
})
say({ offer: credentialOffer, tx_code: '4321' })
