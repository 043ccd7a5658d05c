// SD-JWTs as @sd-jwt/core and its siblings make and read them: one job on standard input, one answer on standard output.
//   issue    {claims, frame, issuer, header, holder, alg}                  → {issued}        `alg`: ES256 unless it says ES384
//   key      {alg}                                                         → {private, public}
//   present  {issued, frame, holder, audience, nonce}                      → {presented}
//   verify   {presented, issuer (public), audience, nonce}                 → {claims} or {error}
//   json     {compact}                                                     → {flattened, general}
//   compact  {flattened, general}                                          → {texts}
//   type     {issued, issuer (public), registry, mended}                   → {type} or {error}
//   list     {bits, statuses, issuer, header, payload} → {token}   ·   read {token, issuer (public), at} → {statuses}
import { createHeaderAndPayload, getListFromStatusListJWT, StatusList } from '@sd-jwt/jwt-status-list'
import { FlattenJSON, GeneralJSON, SDJwtInstance } from '@sd-jwt/core'
import { digest, ES256, ES384, generateSalt } from '@sd-jwt/crypto-nodejs'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import * as jose from 'jose'
import { body, say } from './common.mjs'

const job = JSON.parse(await body(process.stdin))
const base = { hasher: digest, hashAlg: 'sha-256', saltGenerator: generateSalt }
const does = {
  issue: async () => {
    const algorithm = job.alg === 'ES384' ? ES384 : ES256
    const sdJwt = new SDJwtInstance({ ...base, signer: await algorithm.getSigner(job.issuer), signAlg: algorithm.alg })
    const claims = { ...job.claims, cnf: { jwk: job.holder } }
    return { issued: await sdJwt.issue(claims, job.frame, { header: job.header }) }
  },
  key: async () => {
    const { publicKey, privateKey } = await ES384.generateKeyPair()
    return { private: privateKey, public: publicKey }
  },
  json: async () => ({ flattened: FlattenJSON.fromEncode(job.compact).toJson(), general: GeneralJSON.fromEncode(job.compact).toJson() }),
  compact: async () => ({ texts: [FlattenJSON.fromSerialized(job.flattened).toEncoded(), GeneralJSON.fromSerialized(job.general).toEncoded(0)] }),
  present: async () => {
    const sdJwt = new SDJwtInstance({ ...base, kbSigner: await ES256.getSigner(job.holder), kbSignAlg: 'ES256' })
    const payload = { iat: Math.floor(Date.now() / 1000), aud: job.audience, nonce: job.nonce }
    return { presented: await sdJwt.present(job.issued, job.frame, { kb: { payload } }) }
  },
  verify: async () => {
    const sdJwt = new SDJwtInstance({
      ...base, verifier: await ES256.getVerifier(job.issuer),
      kbVerifier: async (data, signature, payload) => (await ES256.getVerifier(payload.cnf.jwk))(data, signature),
    })
    const { payload, kb } = await sdJwt.verify(job.presented, { keyBindingNonce: job.nonce })
    if (kb.payload.aud !== job.audience) throw new Error('audience')
    return { claims: payload }
  },
  type: async () => {
    // The digest in base64, as W3C Subresource Integrity has it, in the hexadecimal that the library compares with; and a type
    // whose name is no URL from the registry of its issuer, which is left to whoever uses the library.
    const hexadecimal = (integrity) => integrity?.replace(/-(.*)$/, (_, text) => `-${Buffer.from(text, 'base64').toString('hex')}`)
    const place = (vct) => (vct.startsWith('http') ? vct : `${job.registry}?vct=${encodeURIComponent(vct)}`)
    const sdJwt = new SDJwtVcInstance({
      ...base, verifier: await ES256.getVerifier(job.issuer), loadTypeMetadataFormat: true,
      ...(job.mended && { vctFetcher: (vct, integrity) => sdJwt.fetchWithIntegrity(place(vct), hexadecimal(integrity)) }),
    })
    const { typeMetadata } = await sdJwt.verify(job.issued)
    return { type: typeMetadata }
  },
  list: async () => {
    const { header, payload } = createHeaderAndPayload(new StatusList(job.statuses, job.bits), job.payload, { alg: 'ES256', ...job.header })
    return { token: await new jose.SignJWT(payload).setProtectedHeader(header).sign(await jose.importJWK(job.issuer, 'ES256')) }
  },
  read: async () => {
    await jose.compactVerify(job.token, await jose.importJWK(job.issuer, 'ES256'))
    const list = getListFromStatusListJWT(job.token)
    return { statuses: job.at.map((n) => list.getStatus(n)) }
  },
}
try {
  say(await does[job.do]())
} catch (error) {
  say({ error: String(error.message) })
}
