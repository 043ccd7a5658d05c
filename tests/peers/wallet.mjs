// A wallet that others wrote: receives from our issuer, presents to our verifier.
//   node wallet.mjs receive OFFER TX_CODE ANCHOR.pem     → {"credentials":[…],"keys":[…]} in STATE
//   node wallet.mjs present REQUEST CLAIM[,CLAIM]        with what STATE holds
import { readFileSync, writeFileSync } from 'node:fs'
import { createHash, X509Certificate } from 'node:crypto'
import { Openid4vciClient } from '@openid4vc/openid4vci'
import { Openid4vpClient, extractEncryptionJwkFromJwks } from '@openid4vc/openid4vp'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { digest, generateSalt, ES256 } from '@sd-jwt/crypto-nodejs'
import * as jose from 'jose'
import { callbacks, certificateJwk, generateKey, say } from './common.mjs'

const STATE = process.env.STATE ?? 'peer-wallet.json'
const [command, ...rest] = process.argv.slice(2)

async function receive(offer, txCode, anchor) {
  const dpopKey = await generateKey()
  const keys = [await generateKey(), await generateKey()]
  const client = new Openid4vciClient({ callbacks: callbacks([dpopKey, ...keys]) })
  const credentialOffer = await client.resolveCredentialOffer(offer)
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
  const signer = { method: 'jwk', alg: 'ES256', publicJwk: dpopKey.publicJwk }
  const { accessTokenResponse, dpop } = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, txCode,
    dpop: issuerMetadata.authorizationServers[0].dpop_signing_alg_values_supported ? { signer } : undefined,
  })
  const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata })
  const credentialConfigurationId = credentialOffer.credential_configuration_ids[0]
  const proofs = []
  for (const key of keys) {
    const { jwt } = await client.createCredentialRequestJwtProof({
      issuerMetadata, credentialConfigurationId, nonce, signer: { method: 'jwk', alg: 'ES256', publicJwk: key.publicJwk },
    })
    proofs.push(jwt)
  }
  const { credentialResponse } = await client.retrieveCredentials({
    issuerMetadata, credentialConfigurationId, accessToken: accessTokenResponse.access_token, dpop, proofs: { jwt: proofs },
  })
  const credentials = credentialResponse.credentials.map((c) => c.credential)
  // The library that others wrote judges what we issued: signature, digests, type.
  for (const credential of credentials) await verifyIssued(credential, anchor)
  writeFileSync(STATE, JSON.stringify({ credentials, keys }))
  say({ received: credentials.length, token_type: accessTokenResponse.token_type, configuration: credentialConfigurationId })
}

async function verifyIssued(credential, anchorFile) {
  const header = jose.decodeProtectedHeader(credential.split('~')[0])
  const anchor = new X509Certificate(readFileSync(anchorFile))
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

async function present(request, claims) {
  const { credentials, keys } = JSON.parse(readFileSync(STATE))
  const client = new Openid4vpClient({ callbacks: callbacks(keys) })
  const url = new URL(request)
  const authorizationRequestPayload = Object.fromEntries(url.searchParams)
  const resolved = await client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload })
  const payload = resolved.authorizationRequestPayload
  const query = resolved.dcql.query.credentials[0]
  const frame = Object.fromEntries(claims.split(',').map((c) => [c, true]))
  const signer = await ES256.getSigner(keys[0].privateJwk)
  const sdJwt = new SDJwtVcInstance({
    hasher: digest, hashAlg: 'sha-256', saltGenerator: generateSalt, kbSigner: signer, kbSignAlg: 'ES256',
  })
  // It knows nothing of our consent: what a wallet does that was never told of it.
  const extra = payload.transaction_data
    ? { transaction_data_hashes: payload.transaction_data.map((t) => createHash('sha256').update(t).digest('base64url')), transaction_data_hashes_alg: 'sha-256' }
    : {}
  const presentation = await sdJwt.present(credentials[0], frame, {
    kb: { payload: { iat: Math.floor(Date.now() / 1000), aud: payload.client_id, nonce: payload.nonce, ...extra } },
  })
  const jarm = payload.response_mode === 'direct_post.jwt'
    ? {
        encryption: { nonce: payload.nonce, jwk: extractEncryptionJwkFromJwks(payload.client_metadata.jwks, { supportedAlgValues: ['ECDH-ES'] }) },
        serverMetadata: {
          authorization_signing_alg_values_supported: [], authorization_encryption_alg_values_supported: ['ECDH-ES'],
          authorization_encryption_enc_values_supported: [process.env.ENC ?? 'A256GCM'],
        },
      }
    : undefined
  const response = await client.createOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: payload, authorizationResponsePayload: { vp_token: { [query.id]: [presentation] } }, jarm,
  })
  const { response: answer } = await client.submitOpenid4vpAuthorizationResponse({
    authorizationRequestPayload: payload, authorizationResponsePayload: response.authorizationResponsePayload, jarm: response.jarm,
  })
  say({ status: answer.status, version: resolved.version, client: resolved.client.prefix, response_mode: payload.response_mode })
}

if (command === 'receive') await receive(...rest)
else if (command === 'present') await present(...rest)
else throw new Error('peer: receive or present')
