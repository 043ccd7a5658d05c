// What every peer needs: the callbacks that @openid4vc asks for, over Node's crypto and `jose`.
import { createHash, randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import { setGlobalConfig, clientAuthenticationAnonymous } from '@openid4vc/oauth2'
import * as jose from 'jose'

// Loopback in tests is plain HTTP.
setGlobalConfig({ allowInsecureUrls: true })

const HASHES = { 'sha-256': 'sha256', 'sha-384': 'sha384', 'sha-512': 'sha512' }

/** A fresh P-256 key pair as JWKs. */
export async function generateKey() {
  const { publicKey, privateKey } = await jose.generateKeyPair('ES256', { extractable: true })
  return { publicJwk: await jose.exportJWK(publicKey), privateJwk: await jose.exportJWK(privateKey) }
}

const same = (a, b) => a.x === b.x && a.y === b.y

/** The callbacks, signing and decrypting with these keys. */
export function callbacks(keys) {
  const find = (jwk) => {
    const key = keys.find((k) => same(k.publicJwk, jwk))
    if (!key) throw new Error('peer: no private key for the public key asked for')
    return key
  }
  return {
    hash: (data, alg) => createHash(HASHES[alg.toLowerCase()] ?? alg).update(data).digest(),
    generateRandom: (length) => randomBytes(length),
    clientAuthentication: clientAuthenticationAnonymous(),
    signJwt: async (signer, { header, payload }) => {
      const key = ['x5c', 'did'].includes(signer.method) ? keys[0] : find(signer.publicJwk)
      const jwt = await new jose.SignJWT(payload).setProtectedHeader(header).sign(await jose.importJWK(key.privateJwk, signer.alg))
      return { jwt, signerJwk: key.publicJwk }
    },
    verifyJwt: async (signer, { compact, payload }) => {
      const jwk = signer.method === 'x5c' ? await certificateJwk(signer.x5c[0]) : signer.publicJwk
      try {
        await jose.compactVerify(compact, await jose.importJWK(jwk, signer.alg))
        return { verified: true, signerJwk: jwk }
      } catch {
        return { verified: false, signerJwk: jwk }
      }
    },
    encryptJwe: async (encryptor, data) => {
      const jwe = await new jose.CompactEncrypt(new TextEncoder().encode(data))
        .setProtectedHeader({ alg: encryptor.alg, enc: encryptor.enc, kid: encryptor.publicJwk.kid })
        .encrypt(await jose.importJWK(encryptor.publicJwk, encryptor.alg))
      return { encryptionJwk: encryptor.publicJwk, jwe }
    },
    decryptJwe: async (jwe, options) => {
      const key = options?.jwk ? find(options.jwk) : keys[0]
      try {
        const { plaintext } = await jose.compactDecrypt(jwe, await jose.importJWK(key.privateJwk, 'ECDH-ES'))
        return { decrypted: true, decryptionJwk: key.publicJwk, payload: new TextDecoder().decode(plaintext) }
      } catch {
        return { decrypted: false }
      }
    },
    getX509CertificateMetadata: (base64) => {
      const names = new X509Certificate(Buffer.from(base64, 'base64')).subjectAltName ?? ''
      const of = (kind) => names.split(', ').filter((n) => n.startsWith(kind)).map((n) => n.slice(kind.length))
      return { sanDnsNames: of('DNS:'), sanUriNames: of('URI:') }
    },
  }
}

export async function certificateJwk(base64) {
  const key = new X509Certificate(Buffer.from(base64, 'base64')).publicKey
  return key.export({ format: 'jwk' })
}

/** A self-made anchor and a leaf below it for `key`: the chain as x5c without the anchor, and the anchor as PEM. */
export async function certify(key, { dns, uri }) {
  const x509 = await import('@peculiar/x509')
  x509.cryptoProvider.set(webcrypto)
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const anchorKeys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const day = 86_400_000
  const notBefore = new Date(Date.now() - day)
  const notAfter = new Date(Date.now() + 30 * day)
  const anchor = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01', name: `CN=Peer anchor ${randomBytes(4).toString('hex')}`, notBefore, notAfter, signingAlgorithm: algorithm, keys: anchorKeys,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)],
  })
  const publicKey = await webcrypto.subtle.importKey('jwk', key.publicJwk, algorithm, true, ['verify'])
  const names = [...(dns ? [{ type: 'dns', value: dns }] : []), ...(uri ? [{ type: 'url', value: uri }] : [])]
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: '02', subject: 'CN=Peer', issuer: anchor.subject, notBefore, notAfter, signingAlgorithm: algorithm,
    publicKey, signingKey: anchorKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ...(names.length ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  })
  return { x5c: [Buffer.from(leaf.rawData).toString('base64')], anchorPem: anchor.toString('pem') }
}

/** One JSON object on a line, for the test that started us. */
export function say(object) {
  process.stdout.write(`${JSON.stringify(object)}\n`)
}

/** The body of a request as text. */
export async function body(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
